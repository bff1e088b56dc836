"""GET /me and /offices: what a key may know about its own tenant."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from tenants.models import Office, Tenant

pytestmark = pytest.mark.django_db


def test_a_key_knows_its_tenant_and_its_scopes(alice: Tenant, bob: Tenant, client_of: Any) -> None:
    assert client_of(alice).get("/api/v1/me").json() == {
        "id": str(alice.pk),
        "name": "Alice Comercial, S.A.",
        "trade_name": "",
        "ruc": "155596713-2-2015",
        "ruc_type": "JURIDICO",
        "dv": "59",
        "email": "facturas@alice.test",
        "environment": 2,
        "onboarding_status": "READY",
        "scopes": ["read", "write"],
    }
    shown = client_of(bob, "read").get("/api/v1/me").json()
    assert (shown["ruc"], shown["ruc_type"], shown["scopes"]) == ("8-274-125", "NATURAL", ["read"])


def test_nothing_secret_is_shown(alice: Tenant, client_of: Any) -> None:
    alice.pac_token = "a token of the PAC"
    alice.save()
    client = client_of(alice)
    text = (
        client.get("/api/v1/me").content.decode() + client.get("/api/v1/offices").content.decode()
    )
    for secret in ("a token of the PAC", alice.webhook_secret, alice.pac_company_id):
        assert secret not in text


def test_the_environment_is_the_tenants_own_where_it_has_one(
    alice: Tenant, client_of: Any, settings: Any
) -> None:
    settings.PAC_ENVIRONMENT = 1
    assert client_of(alice).get("/api/v1/me").data["environment"] == 1


def test_the_offices_are_the_tenants_own_with_the_main_one_marked(
    alice: Tenant, bob: Tenant, client_of: Any
) -> None:
    Office.unscoped.create(tenant=alice, code="0002", type="associated", address="Colón")
    Office.unscoped.create(tenant=bob, code="0009")
    page = client_of(alice).get("/api/v1/offices").json()
    assert set(page) == {"next", "previous", "results"}
    shown = {office["code"]: office["is_main"] for office in page["results"]}
    assert shown == {"0001": True, "0002": False}
    assert set(page["results"][0]) == {
        *("id", "code", "type", "address", "telephone", "location", "email", "is_main")
    }


def test_offices_cost_the_same_however_many(alice: Tenant, client_of: Any) -> None:
    client: APIClient = client_of(alice)
    client.get("/api/v1/me")

    def cost() -> int:
        with CaptureQueriesContext(connection) as context:
            client.get("/api/v1/offices")
        return len(context)

    few = cost()
    for number in range(2, 12):
        Office.unscoped.create(tenant=alice, code=f"{number:04d}")
    assert cost() == few <= 3


@pytest.mark.parametrize("path", ["me", "offices"])
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_they_are_only_read(path: str, method: str, api: APIClient) -> None:
    assert getattr(api, method)(f"/api/v1/{path}").status_code == 405
