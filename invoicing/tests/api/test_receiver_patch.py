"""PATCH of a FAILED document that never reached the PAC: its receiver, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import Document, HistoryEntry
from invoicing.tests.api import URL, errors, stored

pytestmark = pytest.mark.django_db

OTHER = {
    "type": "CONTRIBUYENTE",
    "ruc": "8-274-125",
    "ruc_type": "NATURAL",
    "name": "Bob Batista",
    "emails": ["bob@batista.test"],
}


@pytest.fixture
def failed(api: APIClient) -> Document:
    """Never POSTed, and stuck."""
    document = Document.unscoped.get(pk=api.post(URL, body()).data["id"])
    Document.unscoped.update(
        submission_state="FAILED", next_attempt_at=None, pac_input={"receiver": "the old one"}
    )
    return document


def patch(api: APIClient, document: Document, posted: Any) -> Any:
    return api.patch(f"{URL}/{document.pk}", posted)


def test_the_receiver_is_replaced_and_all_else_stays(failed: Document, api: APIClient) -> None:
    before = api.get(f"{URL}/{failed.pk}").json()
    response = patch(api, failed, {"receiver": OTHER})
    assert response.status_code == 200, response.content
    shown = response.json()
    assert {name for name in shown if shown[name] != before[name]} == {"receiver", "updated_at"}
    assert shown["receiver"]["ruc"] == "8-274-125"
    assert shown["receiver"]["dv"] == "91"
    assert shown["receiver"]["address"] == ""
    assert shown["submission"]["state"] == "FAILED"
    assert Document.unscoped.get().pac_input is None
    assert HistoryEntry.unscoped.filter(event="edited", owner=failed).count() == 1


@pytest.mark.parametrize(
    ("posted", "attr", "code"),
    [
        ({"receiver": OTHER, "notes": "x"}, "notes", "unknown_field"),
        ({"receiver": OTHER, "lines": []}, "lines", "unknown_field"),
        ({"notes": "x"}, "receiver", "required"),
        ({}, "receiver", "required"),
        ({"receiver": None}, "receiver", "null"),
        ({"receiver": OTHER | {"dv": "11"}}, "receiver.dv", "ruc_dv_mismatch"),
        ({"receiver": OTHER | {"ruc": 5}}, "receiver.ruc", "invalid"),
        ({"receiver": OTHER | {"phone": "1"}}, "receiver.phone", "unknown_field"),
        (
            {"receiver": OTHER | {"country": "ZZ"}},
            "receiver.other_country",
            "country_name_required",
        ),
        ({"receiver": {"type": "EXTRANJERO"}}, "receiver.foreign_id", "foreign_id_required"),
    ],
)
def test_a_fault_is_named_and_nothing_changes(
    posted: Any, attr: str, code: str, failed: Document, api: APIClient
) -> None:
    before, seen = stored(), api.get(f"{URL}/{failed.pk}").json()
    response = patch(api, failed, posted)
    assert response.status_code == 400
    assert (attr, code) in errors(response)
    assert stored() == before
    assert api.get(f"{URL}/{failed.pk}").json() == seen


def test_a_sale_to_the_state_still_needs_the_cpbs_code_of_every_line(
    failed: Document, api: APIClient
) -> None:
    state = {
        "type": "GOBIERNO",
        "ruc": "8-NT-1-99999",
        "ruc_type": "JURIDICO",
        "name": "Municipio de Ejemplo",
    }
    assert patch(api, failed, {"receiver": state}).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"attempts": 1},
        {"submission_state": "QUEUED"},
        {"submission_state": "SENDING"},
        {"submission_state": "UNCERTAIN"},
        {"submission_state": "DONE"},
    ],
    ids=str,
)
def test_what_the_pac_may_know_is_immutable(
    changes: dict[str, Any], failed: Document, api: APIClient
) -> None:
    Document.unscoped.update(**changes)
    response = patch(api, failed, {"receiver": OTHER})
    assert (response.status_code, errors(response)) == (409, [(None, "immutable")])
    assert Document.unscoped.get().receiver_ruc == body()["receiver"]["ruc"]
