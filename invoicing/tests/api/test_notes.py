"""Credit and debit notes: what they take from an invoice, and what they never take."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import CreditNote, Document, FiscalEvent
from invoicing.services import notes
from invoicing.tests.elsewhere import told
from invoicing.tests.together import together
from pac.sandbox import Sandbox
from tenants.models import NumberSeries

pytestmark = pytest.mark.django_db(transaction=True)

CREDITS, DEBITS, INVOICES = "/api/v1/credit-notes", "/api/v1/debit-notes", "/api/v1/invoices"


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> dict[str, Any]:
    """An authorised invoice of B/.203.30 on credit."""
    posted = api.post(INVOICES, body()).data
    work()
    return shown(api, posted)


def shown(api: APIClient, document: dict[str, Any], kind: str = INVOICES) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"{kind}/{document['id']}").data
    return found


def line(price: str, rate: str = "00") -> dict[str, Any]:
    return {
        "description": "Ajuste de precio",
        "quantity": "1",
        "unit_price": price,
        "itbms_rate": rate,
    }


CONTENT = {"lines": [line("5.00")]}


def faults(response: Any) -> list[tuple[str, str]]:
    assert response.status_code == 400, response.data
    return [(error["attr"], error["code"]) for error in response.data["errors"]]


def test_a_whole_credit_takes_everything_of_its_invoice(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    note = api.post(CREDITS, {"invoice": invoice["id"]})
    assert note.status_code == 201, note.data
    assert note.data["dgi_document_type"] == "04"
    assert note.data["modification_code"] == 1
    assert note.data["totals"]["total"] == "203.30"
    assert note.data["receiver"] == invoice["receiver"]
    work()
    credit = shown(api, note.data, CREDITS)
    assert (credit["legal_status"], credit["status"]) == ("DGI_AUTHORIZED", "APPLIED")
    assert credit["is_fiscally_valid"] is True
    after = shown(api, invoice)
    assert (after["status"], after["totals"]["balance"]) == ("CANCELED", "0.00")
    payload = box.documents[1].payload
    assert payload["information"]["modificationCode"] == 1
    assert payload["referencedDocuments"] == [
        {
            "emissionType": "ID",
            "apiIdentification": invoice["document_id"],
            "issueDate": payload["referencedDocuments"][0]["issueDate"],
        }
    ]


def test_partial_credits_add_up_and_never_exceed(api: APIClient, invoice: dict[str, Any]) -> None:
    first = api.post(CREDITS, {"invoice": invoice["id"], "lines": [line("150.00")]})
    assert first.data["modification_code"] == 3
    assert shown(api, invoice)["status"] == "PARTIALLY_CANCELED"
    too_much = api.post(CREDITS, {"invoice": invoice["id"], "lines": [line("53.31")]})
    assert faults(too_much) == [("lines", "note_exceeds_original")]
    assert "53.30 left" in too_much.data["errors"][0]["detail"]
    rest = api.post(CREDITS, {"invoice": invoice["id"], "lines": [line("53.30")]})
    assert rest.status_code == 201
    assert rest.data["number"] == "0000000002"
    work()
    assert shown(api, invoice)["totals"]["credited"] == "203.30"


def test_two_credits_at_once_cannot_take_the_same_money(
    api: APIClient, invoice: dict[str, Any], client_of: Any, alice: Any
) -> None:
    answers: list[int] = []

    def credit(client: APIClient) -> None:
        try:
            answers.append(client.post(CREDITS, {"invoice": invoice["id"]}).status_code)
        finally:
            connection.close()

    clients = [client_of(alice) for _ in range(4)]
    threads = [threading.Thread(target=credit, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [201, 400, 400, 400]
    assert shown(api, invoice)["totals"]["credited"] == "203.30"


def test_a_rejected_credit_gives_the_money_back(api: APIClient, invoice: dict[str, Any]) -> None:
    refused = line("203.30")
    refused["description"] = "REJECT-DGI"
    note = api.post(CREDITS, {"invoice": invoice["id"], "lines": [refused]}).data
    assert shown(api, invoice)["totals"]["credited"] == "203.30"
    work()
    assert shown(api, note, CREDITS)["status"] == "CANCELED"
    after = shown(api, invoice)
    assert (after["totals"]["credited"], after["status"]) == ("0.00", "UNPAID")


@pytest.mark.parametrize("kind", [CREDITS, DEBITS])
def test_an_invoice_that_is_not_authorised_cannot_be_referenced(
    api: APIClient, box: Sandbox, kind: str
) -> None:
    posted = api.post(INVOICES, body()).data
    refused = api.post(kind, {"invoice": posted["id"]})
    assert ("invoice", "original_not_authorized") in faults(refused)
    assert Document.unscoped.count() == 1
    assert not NumberSeries.unscoped.exclude(dgi_document_type="01").exists()


def test_a_void_invoice_cannot_be_credited(api: APIClient, invoice: dict[str, Any]) -> None:
    api.post(f"{INVOICES}/{invoice['id']}/void", {"reason": "Pedido repetido por error"})
    work()
    refused = api.post(CREDITS, {"invoice": invoice["id"]})
    assert ("invoice", "original_void") in faults(refused)


@pytest.mark.parametrize("kind", [CREDITS, DEBITS])
def test_an_invoice_whose_void_is_under_way_cannot_be_referenced(
    api: APIClient, invoice: dict[str, Any], kind: str
) -> None:
    asked = api.post(f"{INVOICES}/{invoice['id']}/void", {"reason": "Pedido repetido por error"})
    assert asked.status_code == 202
    refused = api.post(kind, {"invoice": invoice["id"], "lines": [line("5.00")]})
    assert faults(refused) == [("invoice", "original_void")]
    assert "A void of the invoice is under way" in refused.data["errors"][0]["detail"]
    assert Document.unscoped.count() == 1
    assert not NumberSeries.unscoped.exclude(dgi_document_type="01").exists()


def test_a_proforma_note_is_not_submitted_while_a_void_of_its_invoice_is_under_way(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    draft = {"invoice": invoice["id"], "generation_mode": "PROFORM", "lines": [line("20.00")]}
    proforma = api.post(CREDITS, draft).data
    api.post(f"{INVOICES}/{invoice['id']}/void", {"reason": "Pedido repetido por error"})
    assert faults(api.post(f"{CREDITS}/{proforma['id']}/submit")) == [("invoice", "original_void")]


def test_a_void_that_was_refused_stands_in_no_notes_way(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    api.post(f"{INVOICES}/{invoice['id']}/void", {"reason": "Pedido repetido por error"})
    FiscalEvent.unscoped.update(state="REFUSED", next_attempt_at=None)
    assert api.post(CREDITS, {"invoice": invoice["id"]}).status_code == 201


def test_of_a_note_and_a_void_at_once_only_one_is_taken(
    api: APIClient, invoice: dict[str, Any], client_of: Any, alice: Any
) -> None:
    noting, voiding = client_of(alice), client_of(alice)
    reason = {"reason": "Pedido repetido por error"}
    codes = together(
        lambda: noting.post(CREDITS, {"invoice": invoice["id"]}).status_code,
        lambda: voiding.post(f"{INVOICES}/{invoice['id']}/void", reason).status_code,
    )
    assert codes in ([201, 409], [400, 202])
    work()
    assert not Document.unscoped.filter(legal_status__in=["PAC_REJECTED", "DGI_REJECTED"]).exists()


def test_a_note_goes_to_the_receiver_of_its_invoice(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    other = body()["receiver"] | {"ruc": "155747009-2-2024"}
    refused = api.post(CREDITS, {"invoice": invoice["id"], "receiver": other})
    assert faults(refused) == [("receiver", "receiver_differs")]


def test_a_note_is_not_dated_before_its_invoice(api: APIClient, invoice: dict[str, Any]) -> None:
    early = {"invoice": invoice["id"], "issued_at": "2026-01-05T10:00:00-05:00"}
    assert ("issued_at", "note_before_original") in faults(api.post(CREDITS, early))


def test_a_note_of_the_same_day_is_not_dated_before_its_invoice_either(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    issued_at = datetime.fromisoformat(invoice["issued_at"])
    early = {"invoice": invoice["id"], "issued_at": (issued_at - timedelta(seconds=1)).isoformat()}
    assert faults(api.post(CREDITS, early)) == [("issued_at", "note_before_original")]
    # To the second, as the PAC is told.
    same = {"invoice": invoice["id"], "issued_at": issued_at.replace(microsecond=0).isoformat()}
    same = api.post(CREDITS, same)
    assert same.status_code == 201, same.data
    work()
    assert shown(api, same.data, CREDITS)["legal_status"] == "DGI_AUTHORIZED"


@pytest.mark.parametrize(
    ("of_the_invoice", "of_the_note", "status"),
    [
        ({}, "2026-03-01T00:00:00-05:00", 201),  # the CUFE tells no hour
        ({}, "2026-02-28T23:59:59-05:00", 400),
        ({"issued_at": "2026-03-01T15:00:00-05:00"}, "2026-03-01T15:00:00-05:00", 201),
        ({"issued_at": "2026-03-01T15:00:00-05:00"}, "2026-03-01T14:59:59-05:00", 400),
    ],
)
def test_a_note_is_not_dated_before_an_import_as_far_as_its_hour_is_known(
    api: APIClient, of_the_invoice: dict[str, Any], of_the_note: str, status: int
) -> None:
    imported = api.post(f"{INVOICES}/import", told(**of_the_invoice)).data
    Document.unscoped.update(legal_status="DGI_AUTHORIZED", document_id="01X")
    note = api.post(CREDITS, {"invoice": imported["id"], "issued_at": of_the_note} | CONTENT)
    assert note.status_code == status, note.data
    if status == 400:
        assert faults(note) == [("issued_at", "note_before_original")]


def test_a_whole_credit_says_so_truly(api: APIClient, invoice: dict[str, Any]) -> None:
    claimed = {"invoice": invoice["id"], "lines": [line("10.00")], "modification_code": 1}
    refused = api.post(CREDITS, claimed)
    assert faults(refused) == [("modification_code", "modification_code_mismatch")]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"dgi_document_type": "06"}, ("invoice", "invoice_not_allowed")),
        ({"dgi_document_type": "05"}, ("dgi_document_type", "document_type_unknown")),
        ({"modification_code": 9}, ("modification_code", "modification_code_unknown")),
        ({"modification_code": "1"}, ("modification_code", "invalid")),
        ({"invoice": "no"}, ("invoice", "invalid")),
    ],
)
def test_a_wrong_note_is_refused(
    api: APIClient, invoice: dict[str, Any], changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    assert fault in faults(api.post(CREDITS, {"invoice": invoice["id"]} | changes))


def test_another_tenants_invoice_is_no_invoice(
    invoice: dict[str, Any], bob: Any, client_of: Any
) -> None:
    refused = client_of(bob).post(CREDITS, {"invoice": invoice["id"]})
    assert ("invoice", "invoice_unknown") in faults(refused)


def test_a_note_without_an_invoice_needs_its_own_content(api: APIClient, box: Sandbox) -> None:
    assert faults(api.post(CREDITS, {})) == [("lines", "required"), ("receiver", "required")]


def test_a_debit_note_is_owed_by_itself(api: APIClient, invoice: dict[str, Any]) -> None:
    note = api.post(
        DEBITS,
        {"invoice": invoice["id"], "lines": [line("12.50")], "due_date": "2099-01-01"},
    )
    assert note.status_code == 201, note.data
    assert (note.data["dgi_document_type"], note.data["modification_code"]) == ("05", 3)
    work()
    debit = shown(api, note.data, DEBITS)
    assert (debit["legal_status"], debit["status"]) == ("DGI_AUTHORIZED", "UNPAID")
    assert debit["totals"]["balance"] == "12.50"
    assert shown(api, invoice)["totals"]["balance"] == "203.30"


@pytest.fixture
def generic(api: APIClient, box: Sandbox) -> dict[str, Any]:
    """An authorised generic credit of B/.50.00."""
    posted = api.post(CREDITS, {"receiver": body()["receiver"], "lines": [line("50.00")]})
    assert posted.status_code == 201, posted.data
    work()
    return shown(api, posted.data, CREDITS)


def test_a_generic_credit_is_applied_where_the_tenant_says(
    api: APIClient, generic: dict[str, Any], invoice: dict[str, Any]
) -> None:
    assert (generic["dgi_document_type"], generic["status"]) == ("06", "UNAPPLIED")
    path = f"{CREDITS}/{generic['id']}/apply"
    applied = api.post(path, {"invoice": invoice["id"], "amount": "20.00"})
    assert applied.status_code == 201
    assert shown(api, invoice)["totals"]["balance"] == "183.30"
    assert shown(api, generic, CREDITS)["status"] == "UNAPPLIED"
    exceeded = api.post(path, {"invoice": invoice["id"], "amount": "30.01"})
    assert (exceeded.status_code, exceeded.data["errors"][0]["code"]) == (409, "credit_exceeded")
    api.post(path, {"invoice": invoice["id"], "amount": "30.00"})
    assert shown(api, generic, CREDITS)["status"] == "APPLIED"
    assert shown(api, invoice)["status"] == "PARTIALLY_CANCELED"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no row")
def test_who_applies_a_credit_and_who_voids_it_do_not_wait_for_each_other(
    api: APIClient, generic: dict[str, Any], invoice: dict[str, Any]
) -> None:
    """A void holds the note and then takes its invoices: an application has to do so too."""
    held, looked = threading.Event(), threading.Event()

    def void() -> bool:
        with transaction.atomic():
            rows = Document.unscoped.select_for_update(nowait=True)
            rows.get(pk=generic["id"])
            held.set()
            looked.wait(0.5)  # the other one waits for the note by now
            return bool(rows.get(pk=invoice["id"]))

    def apply() -> bool:
        assert held.wait(5)
        notes.apply_credit(
            CreditNote.unscoped.get(pk=generic["id"]),
            invoice_id=UUID(invoice["id"]),
            amount=Decimal("20.00"),
        )
        return True

    assert together(void, apply) == [True, True]
    assert shown(api, invoice)["totals"]["balance"] == "183.30"


def test_a_note_with_an_invoice_is_not_applied_by_hand(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    note = api.post(CREDITS, {"invoice": invoice["id"], "lines": [line("5.00")]}).data
    work()
    refused = api.post(
        f"{CREDITS}/{note['id']}/apply", {"invoice": invoice["id"], "amount": "1.00"}
    )
    assert refused.data["errors"][0]["code"] == "not_generic"


def test_a_proforma_credit_takes_nothing_until_it_is_submitted(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    draft = {"invoice": invoice["id"], "generation_mode": "PROFORM", "lines": [line("20.00")]}
    proforma = api.post(CREDITS, draft)
    assert proforma.status_code == 201, proforma.data
    assert shown(api, invoice)["totals"]["credited"] == "0.00"
    submitted = api.post(f"{CREDITS}/{proforma.data['id']}/submit")
    assert submitted.status_code == 202, submitted.data
    assert shown(api, invoice)["totals"]["credited"] == "20.00"
    work()
    assert shown(api, proforma.data, CREDITS)["status"] == "APPLIED"


def test_a_credit_brings_no_payment(api: APIClient, invoice: dict[str, Any]) -> None:
    note = api.post(CREDITS, {"invoice": invoice["id"]}).data
    assert note["totals"]["paid"] == "0.00"
    assert api.get(f"{CREDITS}/{note['id']}/payments").data["results"] == []


def test_a_proforma_note_can_be_changed_until_it_is_submitted(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    draft = {"invoice": invoice["id"], "generation_mode": "PROFORM", "lines": [line("20.00")]}
    note = api.post(CREDITS, draft).data
    changed = api.patch(f"{CREDITS}/{note['id']}", {"lines": [line("30.00")]})
    assert changed.status_code == 200, changed.data
    assert changed.data["totals"]["total"] == "30.00"
    assert (changed.data["invoice"], changed.data["number"]) == (note["invoice"], note["number"])
    assert changed.data["modification_code"] == 3
    too_much = api.patch(f"{CREDITS}/{note['id']}", {"lines": [line("300.00")]})
    assert faults(too_much) == [("lines", "note_exceeds_original")]
    other = api.patch(f"{CREDITS}/{note['id']}", {"invoice": None})
    assert ("invoice", "invoice_is_fixed") in faults(other)
    api.post(f"{CREDITS}/{note['id']}/submit")
    assert api.patch(f"{CREDITS}/{note['id']}", {"notes": "x"}).status_code == 409


def test_a_stopped_note_is_not_sent_again_while_its_invoice_is_being_voided(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    """It stands in no void's way, and must not take a number to the PAC that is refused there."""
    note = api.post(CREDITS, {"invoice": invoice["id"], "lines": [line("5.00")]}).data
    Document.unscoped.filter(pk=note["id"]).update(submission_state="FAILED", next_attempt_at=None)
    voided = api.post(f"{INVOICES}/{invoice['id']}/void", {"reason": "Pedido repetido por error"})
    assert voided.status_code == 202
    for _ in range(2):  # under way, and then void
        refused = api.post(f"{CREDITS}/{note['id']}/retry")
        assert refused.status_code == 409
        assert refused.data["errors"][0]["code"] == "original_void"
        work()
    assert shown(api, note, CREDITS)["submission"]["state"] == "FAILED"
