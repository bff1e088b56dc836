"""The main job: from a posted body to an authorised invoice with its PDF and its e-mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document, EmailDelivery, HistoryEntry
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

SAMPLES = Path(__file__).parent / "samples"
FISCAL = ["b2b-credit", "consumer-cash", "export-foreign", "government-retention"]


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


@pytest.mark.parametrize("name", FISCAL)
def test_a_sample_is_authorised_by_polling_alone(name: str, api: APIClient, box: Sandbox) -> None:
    response = api.post("/api/v1/invoices", sample(name))
    assert response.status_code == 201, response.content
    assert response.data["submission"]["state"] == "QUEUED"
    work()
    invoice = api.get(f"/api/v1/invoices/{response.data['id']}").data
    assert invoice["legal_status"] == "DGI_AUTHORIZED"
    assert invoice["is_fiscally_valid"] is True
    assert invoice["cufe"] == invoice["invoice_number"] == box.documents[0].cufe
    assert invoice["authorization_protocol"]
    pdf = api.get(f"/api/v1/invoices/{invoice['id']}/pdf")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")
    assert len(box.documents) == 1
    if invoice["receiver"]["emails"]:
        assert [message.to for message in mail.outbox] == [invoice["receiver"]["emails"]]


def test_a_proforma_never_reaches_the_pac_and_has_its_pdf_at_once(
    api: APIClient, box: Sandbox
) -> None:
    proforma = api.post("/api/v1/invoices", sample("proforma")).data
    work()
    pdf = api.get(f"/api/v1/invoices/{proforma['id']}/pdf")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")
    assert not box.posts
    assert not mail.outbox
    shown = api.get(f"/api/v1/invoices/{proforma['id']}").data
    assert (shown["submission"]["state"], shown["legal_status"]) == ("NONE", None)


def reject(text: str) -> dict[str, Any]:
    invoice = body()
    invoice["lines"][0]["description"] = text
    return invoice


def test_what_the_pac_refuses_ends_there_with_its_reasons(api: APIClient, box: Sandbox) -> None:
    invoice = api.post("/api/v1/invoices", reject("Una línea REJECT-PAC")).data
    work()
    shown = api.get(f"/api/v1/invoices/{invoice['id']}").data
    assert shown["legal_status"] == "PAC_REJECTED"
    assert shown["submission"] == {
        "state": "DONE",
        "attempts": 1,
        "next_attempt_at": None,
        "error": None,
    }
    assert shown["pac_errors"][0]["message"]
    assert shown["status"] == "CANCELED"
    assert shown["is_fiscally_valid"] is False
    assert api.post(f"/api/v1/invoices/{invoice['id']}/retry").status_code == 409
    assert sum(box.posts.values()) == 1


def test_what_the_dgi_refuses_ends_there_with_its_reasons(api: APIClient, box: Sandbox) -> None:
    invoice = api.post("/api/v1/invoices", reject("Una línea REJECT-DGI")).data
    work()
    shown = api.get(f"/api/v1/invoices/{invoice['id']}").data
    assert shown["legal_status"] == "DGI_REJECTED"
    assert shown["pac_errors"][0]["code"]
    assert shown["pac_errors"][0]["message"]
    assert (shown["status"], shown["is_fiscally_valid"]) == ("CANCELED", False)
    assert not mail.outbox


def test_the_order_of_a_rejected_invoice_may_be_issued_again(api: APIClient, box: Sandbox) -> None:
    first = api.post("/api/v1/invoices", reject("REJECT-PAC") | {"external_id": "A-1"}).data
    taken = api.post("/api/v1/invoices", body(external_id="A-1"))
    assert taken.status_code == 409
    assert first["id"] in taken.data["errors"][0]["detail"]
    work()
    again = api.post("/api/v1/invoices", body(external_id="A-1"))
    assert again.status_code == 201
    assert again.data["number"] == "0000000002"


def test_a_proforma_becomes_an_invoice_that_is_authorised(api: APIClient, box: Sandbox) -> None:
    proforma = api.post("/api/v1/invoices", sample("proforma")).data
    submitted = api.post(f"/api/v1/invoices/{proforma['id']}/submit")
    assert submitted.status_code == 202, submitted.data
    work()
    invoice = api.get(f"/api/v1/invoices/{proforma['id']}").data
    assert (invoice["generation_mode"], invoice["legal_status"]) == ("DGI", "DGI_AUTHORIZED")
    assert invoice["is_fiscally_valid"] is True
    assert [file["name"] for file in invoice["files"]] == [f"{invoice['cufe']}.pdf"]


def test_nothing_is_lost_while_the_pac_is_away(api: APIClient, box: Sandbox) -> None:
    box.options.update({"down": "refuse"})
    ids = [api.post("/api/v1/invoices", body()).data["id"] for _ in range(4)]
    work()
    away = api.get(f"/api/v1/invoices/{ids[0]}").data["submission"]
    assert away["state"] in {"QUEUED", "UNCERTAIN"}
    assert away["next_attempt_at"]
    assert away["error"]["message"]
    box.options.update({"down": False})
    work()
    shown = [api.get(f"/api/v1/invoices/{pk}").data for pk in ids]
    assert [invoice["legal_status"] for invoice in shown] == ["DGI_AUTHORIZED"] * 4
    assert [invoice["number"] for invoice in shown] == [f"{n:010d}" for n in range(1, 5)]
    assert len(box.documents) == 4


def test_what_was_posted_without_a_worker_is_sent_when_one_comes(
    api: APIClient, box: Sandbox
) -> None:
    ids = [api.post("/api/v1/invoices", body()).data["id"] for _ in range(3)]
    assert not box.posts
    work()
    for pk in ids:
        assert api.get(f"/api/v1/invoices/{pk}").data["legal_status"] == "DGI_AUTHORIZED"


def test_the_mail_goes_out_once_and_its_history_is_told(api: APIClient, box: Sandbox) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    for _ in range(3):
        work()
        Document.unscoped.update(next_poll_at="2000-01-01T00:00:00Z")
    assert len(mail.outbox) == 1
    assert EmailDelivery.unscoped.count() == 1
    told = list(HistoryEntry.unscoped.filter(owner=pk).values_list("event", flat=True))
    assert told == [
        "issued",
        "sent",
        "legal_status",
        "file_stored",
        "legal_status",
        "email_queued",
        "email_sent",
    ]


def test_another_tenant_gets_nothing_of_it(
    api: APIClient, bob: Any, client_of: Any, box: Sandbox
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    stranger = client_of(bob)
    assert stranger.get(f"/api/v1/invoices/{pk}").status_code == 404
    assert stranger.get("/api/v1/invoices").data["results"] == []


def test_the_answer_to_a_post_does_not_wait_for_the_pac(api: APIClient, box: Sandbox) -> None:
    box.options.update({"hang_next": 5})
    for _ in range(3):
        assert api.post("/api/v1/invoices", body()).status_code == 201
    assert not box.routes
    assert not box.posts
