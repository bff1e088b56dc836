"""Voiding: asked for, never assumed, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, FiscalEvent
from invoicing.services import void
from invoicing.services.errands import run
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

REASON = {"reason": "El cliente devolvió el pedido"}


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> dict[str, Any]:
    posted = api.post("/api/v1/invoices", body()).data
    work()
    return posted


def path(invoice: dict[str, Any]) -> str:
    return f"/api/v1/invoices/{invoice['id']}"


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.data["errors"][0]["code"]


def work_voids() -> None:
    FiscalEvent.unscoped.filter(next_attempt_at__isnull=False).update(next_attempt_at=LONG_AGO)
    for voiding in void.claim_due(10):
        run(voiding)


def test_the_document_is_void_and_stays_authorised(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    asked = api.post(f"{path(invoice)}/void", REASON)
    assert asked.status_code == 202
    assert asked.data["void"]["state"] == "REQUESTED"
    assert asked.data["status"] == "UNPAID"
    work()
    shown = api.get(path(invoice)).data
    assert (shown["status"], shown["legal_status"]) == ("VOID", "DGI_AUTHORIZED")
    assert shown["is_fiscally_valid"] is False
    assert shown["void"] == {
        "state": "ACCEPTED",
        "reason": REASON["reason"],
        "requested_at": shown["void"]["requested_at"],
        "error": None,
    }
    assert box.documents[0].is_voided
    assert box.documents[0].void_reason == REASON["reason"]
    assert code(api.post(f"{path(invoice)}/void", REASON)) == (409, "already_void")


@pytest.mark.parametrize("fault", ["drop_next", "error_after_next"])
def test_a_lost_answer_is_asked_for_again_and_never_assumed(
    api: APIClient, invoice: dict[str, Any], box: Sandbox, fault: str
) -> None:
    api.post(f"{path(invoice)}/void", REASON)
    box.options.update({fault: 1})
    work_voids()
    shown = api.get(path(invoice)).data
    assert (shown["void"]["state"], shown["status"]) == ("REQUESTED", "UNPAID")
    assert shown["void"]["error"]["message"]
    work_voids()  # "already void": that was us
    shown = api.get(path(invoice)).data
    assert (shown["void"]["state"], shown["status"]) == ("ACCEPTED", "VOID")


def test_a_dead_worker_leaves_it_to_another(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    api.post(f"{path(invoice)}/void", REASON)
    (voiding,) = void.claim_due(10)
    voiding.call()  # and here it is killed
    assert void.claim_due(10) == []
    FiscalEvent.unscoped.update(lease_expires_at=LONG_AGO)
    work_voids()
    assert api.get(path(invoice)).data["status"] == "VOID"


def test_an_outage_delays_it(api: APIClient, invoice: dict[str, Any], box: Sandbox) -> None:
    api.post(f"{path(invoice)}/void", REASON)
    box.options.update({"down": "refuse"})
    work_voids()
    assert api.get(path(invoice)).data["void"]["state"] == "REQUESTED"
    box.options.update({"down": False})
    work()
    work_voids()
    assert api.get(path(invoice)).data["void"]["state"] == "ACCEPTED"


def test_the_pacs_refusal_is_told(
    api: APIClient, invoice: dict[str, Any], settings: SettingsWrapper
) -> None:
    api.post(f"{path(invoice)}/void", REASON)
    document = Document.unscoped.get()
    refusal = {"errors": [{"code": "9", "message": "La factura tiene un evento posterior"}]}
    with responses.RequestsMock() as pac:
        address = f"{settings.PAC_BASE_URL}/pan/v1/invoices/{document.document_id}"
        pac.delete(address, json=refusal, status=400)
        work_voids()
    shown = api.get(path(invoice)).data
    assert (shown["void"]["state"], shown["status"]) == ("REFUSED", "UNPAID")
    assert shown["void"]["error"]["message"] == "La factura tiene un evento posterior"
    # What was refused may be asked for again.
    assert api.post(f"{path(invoice)}/void", REASON).status_code == 202


def test_only_one_at_a_time(api: APIClient, invoice: dict[str, Any]) -> None:
    api.post(f"{path(invoice)}/void", REASON)
    assert code(api.post(f"{path(invoice)}/void", REASON)) == (409, "void_in_progress")


@pytest.mark.parametrize("kind", ["credit-notes", "debit-notes"])
def test_an_invoice_is_not_voided_while_a_note_on_it_is_on_its_way(
    api: APIClient, invoice: dict[str, Any], kind: str
) -> None:
    line = {"description": "Ajuste", "quantity": "1", "unit_price": "5.00", "itbms_rate": "00"}
    note = api.post(f"/api/v1/{kind}", {"invoice": invoice["id"], "lines": [line]}).data
    early = api.post(f"{path(invoice)}/void", REASON)
    assert code(early) == (409, "note_in_progress")
    assert note["id"] in early.data["errors"][0]["detail"]
    assert not FiscalEvent.unscoped.exists()
    work()
    assert api.post(f"{path(invoice)}/void", REASON).status_code == 202


@pytest.mark.parametrize(
    "ended",
    [
        {"submission_state": "FAILED", "next_attempt_at": None},
        {"legal_status": "PAC_REJECTED", "submission_state": "DONE", "next_attempt_at": None},
        {"generation_mode": "PROFORM", "submission_state": "NONE", "next_attempt_at": None},
    ],
    ids=lambda ended: next(iter(ended.values())),
)
def test_a_note_that_is_not_on_its_way_stands_in_no_voids_way(
    api: APIClient, invoice: dict[str, Any], ended: dict[str, Any]
) -> None:
    note = api.post("/api/v1/credit-notes", {"invoice": invoice["id"]}).data
    Document.unscoped.filter(pk=note["id"]).update(**ended)
    assert api.post(f"{path(invoice)}/void", REASON).status_code == 202


def test_before_the_verdict_there_is_nothing_to_void(api: APIClient, box: Sandbox) -> None:
    posted = api.post("/api/v1/invoices", body()).data
    assert code(api.post(f"{path(posted)}/void", REASON)) == (409, "not_authorized")


def test_outside_the_window_the_way_is_a_credit_note(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    from invoicing import guards

    guards.remove()  # to put the clock back, as it were
    Document.unscoped.update(issued_at=timezone.now() - timedelta(hours=183))
    late = api.post(f"{path(invoice)}/void", REASON)
    assert code(late) == (409, "outside_void_window")
    assert "POST /api/v1/credit-notes" in late.data["errors"][0]["detail"]
    guards.install()


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("", "reason_length"),
        ("muy corta", "reason_length"),
        ("x" * 1001, "reason_length"),
        (None, "null"),
        (5, "invalid"),
    ],
)
def test_the_reason_has_15_to_1000_characters(
    api: APIClient, invoice: dict[str, Any], reason: Any, code: str
) -> None:
    refused = api.post(f"{path(invoice)}/void", {"reason": reason})
    assert refused.status_code == 400
    (error,) = refused.data["errors"]
    assert (error["attr"], error["code"]) == ("reason", code)


def test_a_proforma_is_canceled_inside(api: APIClient, box: Sandbox) -> None:
    proforma = api.post("/api/v1/invoices", body(generation_mode="PROFORM")).data
    canceled = api.post(f"{path(proforma)}/void", REASON)
    assert (canceled.status_code, canceled.data["status"]) == (200, "CANCELED")
    assert not box.routes
    assert api.post(f"{path(proforma)}/submit").status_code == 409


def test_a_void_credit_gives_the_money_back(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    note = api.post("/api/v1/credit-notes", {"invoice": invoice["id"]}).data
    work()
    assert api.get(path(invoice)).data["status"] == "CANCELED"
    api.post(f"/api/v1/credit-notes/{note['id']}/void", REASON)
    work()
    shown = api.get(path(invoice)).data
    assert (shown["status"], shown["totals"]["credited"]) == ("UNPAID", "0.00")


def test_a_void_generic_credit_is_taken_off_the_invoices_it_was_set_against(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    line = {"description": "Ajuste", "quantity": "1", "unit_price": "50.00", "itbms_rate": "00"}
    sent = {"receiver": body()["receiver"], "lines": [line]}
    note = api.post("/api/v1/credit-notes", sent).data
    work()
    applied = {"invoice": invoice["id"], "amount": "50.00"}
    assert api.post(f"/api/v1/credit-notes/{note['id']}/apply", applied).status_code == 201
    assert api.get(path(invoice)).data["totals"]["credited"] == "50.00"
    api.post(f"/api/v1/credit-notes/{note['id']}/void", REASON)
    work()
    shown = api.get(path(invoice)).data
    assert (shown["status"], shown["totals"]["credited"]) == ("UNPAID", "0.00")
