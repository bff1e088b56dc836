"""How customers are searched for, and that the database keeps them apart."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from invoicing.models import Customer
from invoicing.models.customers import NAME_LENGTH, beginning_with, searchable
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def made(tenant: Tenant, **changes: Any) -> Customer:
    values = {"type": "CONTRIBUYENTE", "ruc": "8-1-1", "ruc_type": "NATURAL", "name": "Uno"}
    customer: Customer = Customer.unscoped.create(tenant=tenant, **values | changes)
    return customer


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("", ""),
        ("  Ñandú y Cía. ", "nandu y cia."),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
        ("ﬁn", "fin"),
        ("ﷺ" * 100, searchable("ﷺ" * 100)),
    ],
)
def test_accents_and_capitals_make_no_difference(text: str, plain: str) -> None:
    assert searchable(text) == plain
    assert len(plain) <= NAME_LENGTH


def test_a_name_that_grows_when_it_is_made_plain_is_stored(alice: Tenant) -> None:
    customer = made(alice, name="ﷺ" * 100)  # eighteen letters each
    customer.refresh_from_db()
    assert len(customer.search_name) == NAME_LENGTH


def test_another_name_is_found_by_it_at_once(alice: Tenant) -> None:
    customer = made(alice)
    customer.name = "Dos"
    customer.save()
    assert list(beginning_with(Customer.unscoped.all(), "DOS")) == [customer]
    assert not beginning_with(Customer.unscoped.all(), "uno")


def test_a_ruc_is_once_a_tenants_and_none_is_no_ruc(alice: Tenant, bob: Tenant) -> None:
    made(alice)
    made(bob)
    made(alice, ruc_type="JURIDICO")
    for _ in range(2):
        made(alice, ruc="", ruc_type="")
    with pytest.raises(IntegrityError), transaction.atomic():
        made(alice)


def test_it_is_called_by_the_best_that_is_known_of_it(alice: Tenant) -> None:
    assert str(made(alice)) == "Uno"
    assert str(made(alice, name="", ruc="8-1-2")) == "8-1-2"
    assert str(made(alice, name="", ruc="", type="CONSUMIDOR_FINAL")) == "Consumidor final"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite goes by the tenant alone")
def test_the_search_goes_by_its_indexes(alice: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    everywhere = beginning_with(Customer.unscoped.all(), "alva").explain()
    assert "customers_by_name" in everywhere
    assert "customers_by_ruc" in everywhere
    # A few rows of one tenant are read as well by the tenant's own index.
    assert "Seq Scan" not in beginning_with(Customer.objects.for_tenant(alice), "alva").explain()
