"""What a tenant, its offices, its series and its keys promise by themselves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.deletion import ProtectedError
from django.utils import timezone
from pytest_django import Settings

from pac.dgi.codes import Environment
from pac.dgi.ruc import RucType
from tenants.models import ApiKey, NumberSeries, Office, Tenant, User
from tenants.models.keys import Scope

pytestmark = pytest.mark.django_db


def refused(make: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        make()


# --- tenants ------------------------------------------------------------------------------------


def another(tenant: Tenant, **changes: Any) -> Tenant:
    return Tenant.objects.create(
        **{"name": "X", "ruc": tenant.ruc, "ruc_type": tenant.ruc_type, "dv": "00"} | changes
    )


def test_a_tenant_is_known_by_ruc_and_type_together(alice: Tenant) -> None:
    refused(lambda: another(alice))
    assert another(alice, ruc_type=RucType.NATURAL).pk
    assert another(alice, ruc="8-1-1").pk


def test_a_company_at_the_pac_belongs_to_one_tenant(alice: Tenant) -> None:
    refused(lambda: another(alice, ruc="8-1-1", pac_company_id=alice.pac_company_id))
    assert another(alice, ruc="8-1-2").pac_company_id is None
    assert another(alice, ruc="8-1-3").pac_company_id is None


def test_a_tenant_with_rows_is_not_deleted(alice: Tenant) -> None:
    with pytest.raises(ProtectedError):
        alice.delete()


def test_the_environment_is_its_own_or_that_of_the_settings(
    alice: Tenant, settings: Settings
) -> None:
    settings.PAC_ENVIRONMENT = 2
    assert alice.environment == Environment.TEST
    alice.pac_environment = 1
    assert alice.environment == Environment.PRODUCTION


@pytest.mark.parametrize(
    ("own", "previous", "of_the_settings", "expected"),
    [
        ("new", "old", "shared", ["new", "old"]),
        ("new", "", "shared", ["new"]),
        ("", "old", "shared", ["old"]),
        ("", "", "shared", ["shared"]),
        ("", "", "", []),
    ],
)
def test_its_webhook_secrets_are_never_empty_texts(
    own: str, previous: str, of_the_settings: str, expected: list[str], settings: Settings
) -> None:
    settings.PAC_WEBHOOK_SECRET = of_the_settings
    tenant = Tenant(webhook_secret=own, previous_webhook_secret=previous)
    assert tenant.webhook_secrets() == expected


def test_no_secret_shows_in_its_text(alice: Tenant) -> None:
    alice.pac_token = "the token"
    assert "the token" not in f"{alice} {alice!r}"
    assert alice.webhook_secret not in f"{alice} {alice!r}"


# --- offices and series -------------------------------------------------------------------------


def test_an_office_code_is_used_once_in_each_tenant(alice: Tenant, bob: Tenant) -> None:
    refused(lambda: Office.unscoped.create(tenant=alice, code="0001"))
    assert Office.unscoped.filter(code="0001").count() == 2


@pytest.mark.parametrize("code", ["", "1", "00001", "000A", "٠٠٠١", "0001\n"])
def test_an_office_code_has_four_digits(code: str, alice: Tenant) -> None:
    with pytest.raises(ValidationError) as caught:
        Office(tenant=alice, code=code).full_clean()
    assert "code" in caught.value.message_dict


def series(office: Office, **changes: Any) -> NumberSeries:
    return NumberSeries.unscoped.create(
        **{
            "tenant": office.tenant,
            "office": office,
            "billing_point": "001",
            "dgi_document_type": "01",
        }
        | changes
    )


def test_there_is_one_series_of_a_kind(alice: Tenant) -> None:
    assert alice.main_office
    office = alice.main_office
    series(office)
    refused(lambda: series(office))
    assert series(office, kind="PROFORM").last_number == 0
    assert series(office, billing_point="002").last_number == 0
    assert series(office, dgi_document_type="04").last_number == 0


@pytest.mark.parametrize("number", [-1, 10_000_000_000])
def test_a_number_has_ten_digits_at_most(number: int, alice: Tenant) -> None:
    assert alice.main_office
    office = alice.main_office
    refused(lambda: series(office, last_number=number))


@pytest.mark.parametrize("point", ["000", "1", "0011", "00A", "٠٠١", "001\n"])
def test_a_billing_point_has_three_digits_and_is_not_000(point: str, alice: Tenant) -> None:
    with pytest.raises(ValidationError) as caught:
        NumberSeries(tenant=alice, billing_point=point).full_clean()
    assert "billing_point" in caught.value.message_dict


# --- keys ---------------------------------------------------------------------------------------


def test_a_key_keeps_its_uuid_and_its_scopes(alice: Tenant) -> None:
    key, text = ApiKey.objects.issue(tenant=alice, name="a", scopes=["write", "write"])
    assert str(key.pk) not in text
    assert key.pk.version == 7
    assert key.scopes == ["write"]
    assert (key.allows(Scope.WRITE), key.allows(Scope.READ)) == (True, False)


def test_a_key_without_scopes_allows_nothing(alice: Tenant) -> None:
    key, _ = ApiKey.objects.issue(tenant=alice, name="a", scopes=[])
    assert not any(key.allows(scope) for scope in Scope)


def test_a_revoked_key_stays_revoked(alice: Tenant) -> None:
    key, _ = ApiKey.objects.issue(tenant=alice, name="a")
    key.revoked = True
    key.save()
    key = ApiKey.objects.get(pk=key.pk)
    key.revoked = False
    with pytest.raises(ValidationError):
        key.save()
    assert not ApiKey.objects.get_usable_keys().exists()


def test_a_key_that_expires_is_still_the_tenants(alice: Tenant) -> None:
    key, _ = ApiKey.objects.issue(tenant=alice, name="a")
    key.expiry_date = timezone.now() - timedelta(seconds=1)
    assert key.has_expired
    assert list(alice.api_keys.all()) == [key]


# --- users --------------------------------------------------------------------------------------


def test_a_user_is_the_operators_staff_or_of_one_tenant(alice: Tenant) -> None:
    field = User._meta.get_field("tenant")
    assert isinstance(field, models.ForeignKey)
    assert field.null
    user = User.objects.create_user("ana", tenant=alice)
    with pytest.raises(ProtectedError):
        Tenant.objects.filter(pk=alice.pk).delete()
    assert list(alice.users.all()) == [user]
