"""`manage.py create_api_key` and `revoke_api_key`."""

import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from pac.dgi.ruc import RucType
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twins(db: None) -> list[Tenant]:
    """A natural and a juridical person with one RUC."""
    return [
        Tenant.objects.create(
            name=f"{ruc_type}", ruc="8-NT-1-123456", ruc_type=ruc_type, dv=dv, email="a@b.test"
        )
        for ruc_type, dv in ((RucType.NATURAL, "76"), (RucType.JURIDICO, "52"))
    ]


def made(capsys: Any, ruc: str, **options: Any) -> dict[str, Any]:
    call_command("create_api_key", ruc, name="Tienda", json=True, **options)
    return dict(json.loads(capsys.readouterr().out))


def test_a_key_is_printed_as_one_json_object(alice, capsys):
    shown = made(capsys, alice.ruc)
    assert set(shown) == {"api_key", "prefix", "scopes"}
    key = ApiKey.objects.get_from_key(shown["api_key"])
    assert (key.tenant, key.name, key.prefix) == (alice, "Tienda", shown["prefix"])
    assert shown["scopes"] == key.scopes == ["read", "write"]


def test_a_key_is_shown_to_people_once_with_a_sentence(alice, capsys):
    call_command("create_api_key", alice.ruc, name="Tienda", scopes="read")
    text, sentence = capsys.readouterr().out.splitlines()
    key = ApiKey.objects.get_from_key(text)
    assert key.scopes == ["read"]
    assert f"This is the key {key.prefix} of {alice}" in sentence
    assert "not shown again" in sentence


def test_a_ruc_of_two_tenants_asks_for_its_type(twins, capsys):
    with pytest.raises(CommandError, match="--ruc-type NATURAL or JURIDICO"):
        made(capsys, "8-nt-1-123456")
    made(capsys, "8-nt-1-123456", ruc_type="JURIDICO")
    assert ApiKey.objects.get().tenant == twins[1]


@pytest.mark.parametrize("ruc_type", [None, "NATURAL"])
def test_an_unknown_ruc_is_said(alice, ruc_type, capsys):
    with pytest.raises(CommandError, match="No tenant has the RUC"):
        made(capsys, "8-1-1" if ruc_type is None else alice.ruc, ruc_type=ruc_type)


@pytest.mark.parametrize("scopes", ["admin", "read,admin", "", ","])
def test_an_unknown_scope_is_refused(alice, capsys, scopes):
    with pytest.raises(CommandError, match="--scopes takes some of read,write"):
        made(capsys, alice.ruc, scopes=scopes)
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("name", [" ", "x" * 51])
def test_a_name_fits_its_column(alice, name):
    with pytest.raises(CommandError, match="--name takes 1 to 50 characters"):
        call_command("create_api_key", alice.ruc, name=name)


def test_revoking_is_for_good_and_may_be_repeated(alice, capsys):
    key, text = ApiKey.objects.issue(tenant=alice, name="Tienda")
    call_command("revoke_api_key", key.prefix)
    assert f"The key {key.prefix} (Tienda) of {alice} is revoked." in capsys.readouterr().out
    assert ApiKey.objects.get().revoked
    call_command("revoke_api_key", text)
    out = capsys.readouterr().out
    assert "was revoked already" in out
    assert text not in out


def test_an_unknown_prefix_is_said(db):
    with pytest.raises(CommandError, match=r"No API key begins with nothing\."):
        call_command("revoke_api_key", "nothing.secret")
