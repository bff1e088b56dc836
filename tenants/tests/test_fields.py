"""What the database sees of a secret, and what it never sees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import InvalidToken
from django.apps import apps
from django.core.serializers import serialize
from django.db import connection
from pytest_django import Settings

from conftest import WEBHOOK_SECRET
from tenants.fields import EncryptedTextField
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db

TOKEN = "the PAC's token: ñandú 🧾"


@pytest.fixture(autouse=True)
def _keys(settings: Settings) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["key one"]


def raw(tenant: Tenant, column: str) -> str:
    key = tenant.pk if connection.features.has_native_uuid_field else tenant.pk.hex
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM tenants_tenant WHERE id = %s", [key])  # noqa: S608
        (value,) = cursor.fetchone()
    assert isinstance(value, str)
    return value


def read(tenant: Tenant) -> str:
    return Tenant.objects.get(pk=tenant.pk).pac_token


@pytest.fixture
def carol(alice: Tenant) -> Tenant:
    alice.pac_token = TOKEN
    alice.save()
    return alice


def test_the_database_never_sees_the_text(carol: Tenant) -> None:
    stored = raw(carol, "pac_token")
    assert TOKEN not in stored
    assert stored.startswith("gAAAA")
    assert WEBHOOK_SECRET not in raw(carol, "webhook_secret")
    assert read(carol) == TOKEN


def test_every_secret_of_a_tenant_is_such_a_field() -> None:
    encrypted = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, EncryptedTextField)
    }
    assert encrypted >= {
        "tenants.Tenant.pac_token",
        "tenants.Tenant.webhook_secret",
        "tenants.Tenant.previous_webhook_secret",
    }


def test_the_same_text_is_never_stored_the_same(carol: Tenant) -> None:
    before = raw(carol, "pac_token")
    carol.save()
    assert raw(carol, "pac_token") != before
    assert read(carol) == TOKEN


def test_every_way_to_write_encrypts(carol: Tenant) -> None:
    Tenant.objects.filter(pk=carol.pk).update(pac_token="by update")
    assert "update" not in raw(carol, "pac_token")
    assert read(carol) == "by update"
    carol.pac_token = "in bulk"
    Tenant.objects.bulk_update([carol], ["pac_token"])
    assert "bulk" not in raw(carol, "pac_token")
    assert read(carol) == "in bulk"


def test_every_way_to_read_decrypts(carol: Tenant) -> None:
    row = Tenant.objects.filter(pk=carol.pk)
    assert row.values_list("pac_token", flat=True).get() == TOKEN
    assert row.values("pac_token").get() == {"pac_token": TOKEN}
    carol.refresh_from_db(fields=["pac_token"])
    assert carol.pac_token == TOKEN


def test_nothing_stays_nothing(carol: Tenant) -> None:
    Tenant.objects.update(pac_token="")
    assert raw(carol, "pac_token") == ""
    assert read(carol) == ""
    assert Tenant.objects.filter(pac_token="").count() == 1


def test_it_cannot_be_searched_by_value(carol: Tenant) -> None:
    assert not Tenant.objects.filter(pac_token=TOKEN).exists()
    assert not Tenant.objects.filter(pac_token=raw(carol, "pac_token")).exists()


# --- keys ---------------------------------------------------------------------------------------


def test_a_new_key_in_front_encrypts_and_the_old_one_still_reads(
    carol: Tenant, settings: Settings
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = ["key two", "key one"]
    assert read(carol) == TOKEN
    Tenant.objects.get(pk=carol.pk).save()
    settings.FIELD_ENCRYPTION_KEYS = ["key two"]
    assert read(carol) == TOKEN
    settings.FIELD_ENCRYPTION_KEYS = ["key one"]
    with pytest.raises(InvalidToken):
        read(carol)


@pytest.mark.parametrize("keys", [["key two"], ["key two", "key three"], ["key one "]])
def test_without_the_key_it_raises_and_never_shows_the_cipher(
    keys: list[str], carol: Tenant, settings: Settings
) -> None:
    settings.FIELD_ENCRYPTION_KEYS = keys
    with pytest.raises(InvalidToken):
        read(carol)


@pytest.mark.parametrize("damage", [lambda text: text[:-4] + "AAA=", lambda text: "plain text"])
def test_a_text_that_was_tampered_with_raises(damage: Any, carol: Tenant) -> None:
    key = carol.pk if connection.features.has_native_uuid_field else carol.pk.hex
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE tenants_tenant SET pac_token = %s WHERE id = %s",
            [damage(raw(carol, "pac_token")), key],
        )
    with pytest.raises(InvalidToken):
        read(carol)


# --- API keys -------------------------------------------------------------------------------------


def everything_stored() -> Iterator[str]:
    """Every value of every table, as text."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")  # noqa: S608
            for row in cursor.fetchall():
                yield from map(str, row)


def test_an_api_key_and_a_secret_stand_nowhere_in_the_database(carol: Tenant) -> None:
    key, text = ApiKey.objects.issue(tenant=carol, name="shop")
    prefix, _, secret = text.partition(".")
    stored = list(everything_stored())
    assert prefix in stored
    for hidden in (text, secret, TOKEN, WEBHOOK_SECRET):
        assert not any(hidden in value for value in stored)
    assert key.hashed_key.startswith("sha512$$")
    assert secret not in serialize("json", [key])


def test_an_api_key_is_recognised_by_its_hash_alone(carol: Tenant) -> None:
    key, text = ApiKey.objects.issue(tenant=carol, name="shop")
    again = ApiKey.objects.get(pk=key.pk)
    assert again.is_valid(text)
    assert not again.is_valid(text[:-1])
    assert not again.is_valid(again.hashed_key)
    assert not again.is_valid("")
