"""Whose rows: said in every query, or there is no query."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.apps import apps
from django.db import models

from tenants.base import TenantManager, TenantOwned, UnscopedQueryError, new_id
from tenants.models import Office, Tenant

pytestmark = pytest.mark.django_db

# Of no tenant, on purpose.
SHARED = {
    "tenants.Tenant": "is one",
    "tenants.RucVerification": "what the DGI knows of a RUC is the same for everybody",
    "invoicing.CatalogEntry": "the DGI's lists are the same for everybody",
    "invoicing.Breaker": "one a PAC token, which tenants may share",
    "invoicing.PumpLease": "one a cluster and role",
}
# Of a tenant, but found by a global look-up before anybody knows whose it is.
LOOKED_UP_GLOBALLY = {"tenants.User", "tenants.ApiKey"}

OUR_MODELS = [
    model
    for label in ("tenants", "invoicing", "webhooks")
    for model in apps.get_app_config(label).get_models(include_auto_created=True)
    if not model._meta.auto_created
]
OWNED = [model for model in OUR_MODELS if issubclass(model, TenantOwned)]

QUERIES: list[Callable[[Any], object]] = [
    lambda rows: rows.all(),
    lambda rows: rows.filter(pk=None),
    lambda rows: rows.exclude(pk=None),
    lambda rows: rows.get(pk=None),
    lambda rows: rows.count(),
    lambda rows: rows.first(),
    lambda rows: rows.exists(),
    lambda rows: rows.values_list("pk"),
    lambda rows: rows.update(pk=None),
    lambda rows: rows.in_bulk(),
    lambda rows: rows.aggregate(models.Count("pk")),
    lambda rows: rows.select_related("tenant"),
    lambda rows: rows.order_by("pk"),
    lambda rows: rows.iterator(),
    lambda rows: rows.none(),
    lambda rows: rows.create(),
    lambda rows: rows.bulk_create([]),
    lambda rows: rows.get_queryset(),
    lambda rows: rows.using("default"),
]


def names(found: list[type[models.Model]]) -> list[str]:
    return [model._meta.label for model in found]


# --- every table --------------------------------------------------------------------------------


def test_every_table_is_a_tenants_or_is_shared_on_purpose() -> None:
    ownerless = {
        model._meta.label
        for model in OUR_MODELS
        if not any(field.name == "tenant" for field in model._meta.get_fields())
    }
    assert ownerless == set(SHARED)


def test_every_tenants_table_has_the_manager_that_asks_whose() -> None:
    owned = {*names(OWNED), *LOOKED_UP_GLOBALLY}
    assert {model._meta.label for model in OUR_MODELS} - set(SHARED) == owned


@pytest.mark.parametrize("model", OWNED, ids=names(OWNED))
def test_it_belongs_to_exactly_one_tenant_who_cannot_be_deleted_under_it(
    model: type[models.Model],
) -> None:
    tenant = model._meta.get_field("tenant")
    assert isinstance(tenant, models.ForeignKey)
    assert not tenant.null
    assert tenant.remote_field.on_delete is models.PROTECT


@pytest.mark.parametrize("model", OWNED, ids=names(OWNED))
def test_its_unique_keys_start_with_the_tenant(model: type[models.Model]) -> None:
    """But for primary keys and the CUFE, which is unique in all of Panama."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            assert constraint.fields[0] == "tenant", constraint.name
    global_keys = {
        field.name for field in model._meta.local_fields if field.unique and not field.primary_key
    }
    assert global_keys <= {"computed_cufe", "invoice_number"}
    assert not model._meta.unique_together


@pytest.mark.parametrize("model", OWNED, ids=names(OWNED))
def test_a_query_that_does_not_say_whose_rows_raises(model: Any) -> None:
    for query in QUERIES:
        with pytest.raises(UnscopedQueryError, match="for_tenant"):
            query(model.objects)


@pytest.mark.parametrize("model", OWNED, ids=names(OWNED))
def test_the_admin_and_the_workers_have_a_way_of_their_own(model: Any) -> None:
    assert isinstance(model.objects, TenantManager)
    assert not isinstance(model.unscoped, TenantManager)
    assert model._default_manager.name == "unscoped"
    assert model.unscoped.count() == 0


@pytest.mark.parametrize("model", OWNED, ids=names(OWNED))
def test_for_tenant_puts_the_tenant_into_the_query(model: Any, alice: Tenant) -> None:
    query = str(model.objects.for_tenant(alice).query)
    assert alice.pk.hex in query.replace("-", "")
    assert list(model.objects.for_tenant(alice)) == list(model.unscoped.filter(tenant=alice))


# --- isolation ----------------------------------------------------------------------------------


def test_for_tenant_shows_one_tenants_rows_only(alice: Tenant, bob: Tenant) -> None:
    assert list(Office.objects.for_tenant(alice)) == [alice.main_office]
    assert list(Office.objects.for_tenant(bob)) == [bob.main_office]
    assert not Office.objects.for_tenant(bob).filter(pk=alice.main_office_id).exists()
    assert Office.unscoped.count() == 2


def test_no_later_filter_leaves_the_tenant(alice: Tenant, bob: Tenant) -> None:
    rows = Office.objects.for_tenant(bob)
    assert not rows.filter(tenant=alice).exists()
    assert not (rows.filter(code="0001") & rows.filter(tenant=alice)).exists()
    assert rows.update(address="moved") == 1
    alice.main_office.refresh_from_db()
    assert alice.main_office.address != "moved"


# --- ids ----------------------------------------------------------------------------------------


def test_ids_are_version_7_and_follow_time() -> None:
    made = [new_id() for _ in range(5000)]
    assert all(isinstance(each, uuid.UUID) and each.version == 7 for each in made)
    assert all(before < after for before, after in pairwise(made))


def test_a_change_moves_updated_at_and_not_created_at(alice: Tenant) -> None:
    office = alice.main_office
    created, updated = office.created_at, office.updated_at
    office.save()
    office.refresh_from_db()
    assert office.created_at == created
    assert office.updated_at > updated
