"""Every scenario of docs/scenarios.md: what a client posts, and what the PAC gets for it.

`scenarios/<name>.request.json` is posted to the API; the strict sandbox has to accept what comes of
it over HTTP, and it has to be `scenarios/<name>.payload.json`, which was written by hand from the
PAC's documentation. What differs from run to run stands there as `<ulid>` and the like.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.tests.elsewhere import issued_elsewhere
from pac.sandbox import Sandbox
from pac.sandbox.records import Document as Received
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

FOLDER = Path(__file__).parent / "scenarios"
PAGE = Path(__file__).parents[2] / "docs" / "scenarios.md"
NAMES = sorted(path.name.removesuffix(".request.json") for path in FOLDER.glob("*.request.json"))
IMPORTED = "imported"
VOLATILE = {
    "<ulid>": re.compile("[0-9A-HJKMNP-TV-Z]{26}"),
    "<nine digits>": re.compile("[0-9]{9}"),
    "<moment>": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}-05:00"),
}
COLLECTIONS = {
    "04": "credit-notes",
    "05": "debit-notes",
    "06": "credit-notes",
    "07": "debit-notes",
}


def read(name: str, kind: str) -> Any:
    text = (FOLDER / f"{name}.{kind}.json").read_text("utf-8")
    return json.loads(text, parse_float=Decimal)


def collection(name: str) -> str:
    """Where a scenario is posted; its payload tells what it is."""
    document_type = read(name, "payload")["information"]["documentType"]
    return "/api/v1/" + COLLECTIONS.get(document_type, "invoices")


def carry_out(api: APIClient, name: str) -> dict[str, Any]:
    """The document of a scenario, as the API shows it once the worker has done what it can."""
    posted = read(name, "request")
    if "invoice" in posted:
        posted["invoice"] = original_of(api, posted["invoice"])
    response = api.post(collection(name), posted)
    assert response.status_code == 201, response.content
    work()
    shown: dict[str, Any] = api.get(f"{collection(name)}/{response.data['id']}").data
    return shown


def original_of(api: APIClient, name: str) -> str:
    """The id of an authorised invoice: that of another scenario, or one issued elsewhere."""
    if name != IMPORTED:
        return str(carry_out(api, name)["id"])
    answer = issued_elsewhere(Tenant.objects.get())
    assert answer.issued_at
    told = {"cufe": answer.cufe, "issued_at": answer.issued_at.isoformat()}
    imported = api.post("/api/v1/invoices/import", body() | told)
    assert imported.status_code == 201, imported.content
    refreshed = api.post(f"/api/v1/invoices/{imported.data['id']}/refresh")
    assert refreshed.data["legal_status"] == "DGI_AUTHORIZED"
    return str(imported.data["id"])


def expected(golden: Any, received: Any, original: Received | None) -> Any:
    """The golden payload with the values of this run, where these have the right shape."""
    if isinstance(golden, dict):
        got = received if isinstance(received, dict) else {}
        return {key: expected(value, got.get(key), original) for key, value in golden.items()}
    if isinstance(golden, list):
        got = received if isinstance(received, list) else []
        return [
            expected(value, got[position] if position < len(got) else None, original)
            for position, value in enumerate(golden)
        ]
    if golden in VOLATILE and isinstance(received, str):
        return received if VOLATILE[golden].fullmatch(received) else golden
    if original and golden in ("<original id>", "<original cufe>", "<original date>"):
        return {
            "<original id>": original.id,
            "<original cufe>": original.cufe,
            "<original date>": original.payload["information"]["issueDate"],
        }[golden]
    return golden


def case(name: str) -> Any:
    """An import is looked up at the PAC by the request itself, which no transaction may hold."""
    imported = read(name, "request").get("invoice") == IMPORTED
    return pytest.param(name, marks=pytest.mark.django_db(transaction=True) if imported else ())


@pytest.mark.parametrize("name", [case(name) for name in NAMES])
def test_the_pac_accepts_a_scenario_and_gets_what_its_documentation_asks_for(
    name: str, api: APIClient, box: Sandbox
) -> None:
    shown = carry_out(api, name)
    assert shown["legal_status"] == "DGI_AUTHORIZED", shown["pac_errors"] or shown["submission"]
    *before, received = box.documents
    assert received.legal_status == "DGI_AUTHORIZED"
    golden = read(name, "payload")
    assert received.payload == expected(golden, received.payload, before[0] if before else None)
    assert received.cufe == shown["cufe"]
    assert str(received.total) == shown["totals"]["total"]


def test_a_volatile_value_of_the_wrong_shape_is_no_match() -> None:
    golden = {"idOffice": "<ulid>", "items": ["<nine digits>", "<moment>"]}
    wrong = {"idOffice": "01", "items": ["12345678", "2026-03-01T10:15:00Z"]}
    assert expected(golden, wrong, None) == golden
    assert expected(golden, {}, None) == golden


def test_every_scenario_has_its_payload_and_its_row_in_the_documentation() -> None:
    payloads = {path.name.removesuffix(".payload.json") for path in FOLDER.glob("*.payload.json")}
    rows = set(re.findall(r"^\| `([a-z0-9-]+)` \|", PAGE.read_text("utf-8"), re.MULTILINE))
    assert set(NAMES) == payloads == rows


def test_the_functions_that_the_documentation_names_exist() -> None:
    named = set(re.findall(r"`((?:fiscal|services)/\w+\.py):(\w+)`", PAGE.read_text("utf-8")))
    assert named
    for path, function in named:
        source = (Path(__file__).parents[1] / path).read_text("utf-8")
        assert re.search(rf"^ *def {function}\(", source, re.MULTILINE), (path, function)


def test_ad_hoc_emails_get_the_mail_and_the_pac_never_hears_of_them(
    api: APIClient, box: Sandbox
) -> None:
    shown = carry_out(api, "ad-hoc-emails")
    assert [message.to for message in mail.outbox] == [shown["emails"]]
    assert len(shown["emails"]) == 4
    [received] = box.documents
    assert received.payload["receiver"]["emails"] == ["pagos@cliente.test"]


def test_a_taxpayer_without_address_is_accepted_with_two_warnings(
    api: APIClient, box: Sandbox
) -> None:
    shown = carry_out(api, "taxpayer-without-address")
    assert [warning["code"] for warning in shown["warnings"]] == [
        "address_expected",
        "location_expected",
    ]


def test_withholding_lowers_what_is_owed_and_not_the_total(api: APIClient, box: Sandbox) -> None:
    totals = carry_out(api, "retention-1")["totals"]
    assert (totals["total"], totals["retention"]) == ("107.00", "7.00")
    assert (totals["paid"], totals["balance"]) == ("100.00", "0.00")


def test_change_is_no_payment(api: APIClient, box: Sandbox) -> None:
    totals = carry_out(api, "cash-with-change")["totals"]
    assert (totals["paid"], totals["balance"]) == ("107.00", "0.00")
