"""GET /ruc/{ruc}: shape and DV by our own rules, existence by the PAC's word."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from pac.sandbox import Sandbox
from tenants.models import Tenant

KNOWN = "155646463-2-2017"


@pytest.fixture
def here(settings: Any) -> None:
    """The PAC is away: nobody listens there."""
    settings.PAC_BASE_URL = "http://127.0.0.1:9"


def ask(api: APIClient, text: str, kind: str = "JURIDICO") -> Any:
    response = api.get(f"/api/v1/ruc/{text}", {"type": kind})
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.django_db(transaction=True)
def test_a_taxpayer_that_exists_is_confirmed(api: APIClient, box: Sandbox) -> None:
    began = timezone.now()
    shown = ask(api, KNOWN)
    verified_at = datetime.fromisoformat(shown.pop("verified_at"))
    assert began <= verified_at <= timezone.now()
    assert shown == {
        "ruc": KNOWN,
        "type": "JURIDICO",
        "dv": "86",
        "valid": True,
        "receiver_type": "CONTRIBUYENTE",
        "exists": True,
    }


@pytest.mark.django_db(transaction=True)
def test_the_state_and_a_person_who_is_no_taxpayer_are_told_apart(
    api: APIClient, box: Sandbox
) -> None:
    assert ask(api, "8-NT-1-99999")["receiver_type"] == "GOBIERNO"
    assert ask(api, "8-888-8888", "NATURAL")["receiver_type"] == "CONSUMIDOR_FINAL"


@pytest.mark.django_db(transaction=True)
def test_a_well_formed_ruc_that_nobody_has_does_not_exist(api: APIClient, box: Sandbox) -> None:
    shown = ask(api, "155000000-2-2000")
    assert (shown["valid"], shown["exists"], shown["receiver_type"]) == (True, False, None)
    assert shown["dv"]
    assert shown["verified_at"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fault", [{"down": "refuse"}, {"down": "503"}, {"unauthorized": True}])
def test_while_the_pac_cannot_be_asked_existence_is_null(
    fault: dict[str, Any], api: APIClient, box: Sandbox
) -> None:
    box.options.update(fault)
    shown = ask(api, KNOWN)
    assert shown == {
        "ruc": KNOWN,
        "type": "JURIDICO",
        "dv": "86",
        "valid": True,
        "receiver_type": None,
        "exists": None,
        "verified_at": None,
    }
    box.options.update({"down": "", "unauthorized": False})
    assert ask(api, KNOWN)["exists"] is True  # an outage is not remembered


@pytest.mark.django_db(transaction=True)
def test_the_pac_is_asked_once_for_all_tenants(
    api: APIClient, bob: Tenant, client_of: Any, box: Sandbox
) -> None:
    first = ask(api, KNOWN)
    box.options.update({"down": "503"})
    assert ask(client_of(bob), f" {KNOWN.lower()} ") == first


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("155646463", "JURIDICO"),
        ("PE-842-3681", "JURIDICO"),
        ("0-1-1", "NATURAL"),
        ("14-1-1", "NATURAL"),
        ("8-8-8-8", "NATURAL"),
        ("x", "NATURAL"),
        ("%00", "NATURAL"),
        ("8-123-456%0A", "JURIDICO"),
        ("٨-123-456", "NATURAL"),
        ("1" * 500, "JURIDICO"),
        ("%F0%9F%A7%BE", "NATURAL"),
    ],
)
def test_what_is_no_ruc_is_not_valid_and_the_pac_is_not_asked(
    text: str, kind: str, api: APIClient, here: None
) -> None:
    shown = ask(api, text, kind)
    assert shown["valid"] is (text == "8-123-456%0A")
    assert shown["exists"] is None
    assert (shown["dv"] is None) is not shown["valid"]


@pytest.mark.django_db(transaction=True)
def test_the_same_text_has_another_dv_as_another_type(api: APIClient, here: None) -> None:
    assert ask(api, "8-NT-1-123456", "NATURAL")["dv"] == "76"
    assert ask(api, "8-NT-1-123456", "JURIDICO")["dv"] == "52"


@pytest.mark.django_db
@pytest.mark.parametrize("query", [{}, {"type": ""}, {"type": "natural"}, {"type": "1"}])
def test_the_type_has_to_be_said(query: dict[str, str], api: APIClient) -> None:
    response = api.get(f"/api/v1/ruc/{KNOWN}", query)
    assert response.status_code == 400
    [error] = response.json()["errors"]
    assert (error["attr"], error["code"]) == ("type", "ruc_type_required")


@pytest.mark.django_db
def test_a_ruc_that_is_left_out_is_not_found(api: APIClient) -> None:
    assert api.get("/api/v1/ruc/", {"type": "NATURAL"}).status_code == 404
