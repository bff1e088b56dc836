"""Delivery: once per occasion, whatever breaks."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, EmailDelivery, HistoryEntry
from invoicing.services import deliver
from invoicing.services.errands import run
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def delivery(api: APIClient, box: Sandbox) -> EmailDelivery:
    """The e-mail of an authorised invoice, queued and not sent."""
    api.post("/api/v1/invoices", body())
    from invoicing import pump

    Document.unscoped.update(next_attempt_at=LONG_AGO)
    pump.drain("pac")
    Document.unscoped.update(next_poll_at=LONG_AGO)
    pump.drain("pac")
    return EmailDelivery.unscoped.get()


def now_of(delivery: EmailDelivery) -> EmailDelivery:
    return EmailDelivery.unscoped.get(pk=delivery.pk)


def send_due() -> None:
    EmailDelivery.unscoped.filter(next_attempt_at__isnull=False).update(next_attempt_at=LONG_AGO)
    for mailing in deliver.claim_due(10):
        run(mailing)


def test_it_carries_the_pdf_to_the_receiver(delivery: EmailDelivery) -> None:
    send_due()
    (message,) = mail.outbox
    invoice = Document.unscoped.get()
    assert message.to == ["pagos@cliente.test"]
    assert message.extra_headers["Message-ID"] == delivery.message_id
    ((name, content, kind),) = message.attachments
    assert (name, kind) == (f"{invoice.invoice_number}.pdf", "application/pdf")
    assert content.startswith(b"%PDF-")
    assert now_of(delivery).state == "SENT"


def test_two_workers_send_one_mail(delivery: EmailDelivery) -> None:
    (mailing,) = deliver.claim_due(10)
    assert deliver.claim_due(10) == []
    run(mailing)
    assert len(mail.outbox) == 1


def fail_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: EmailBackend, messages: Any) -> int:
        raise error

    monkeypatch.setattr(EmailBackend, "send_messages", refuse)


def test_a_mail_server_that_is_away_is_tried_again(
    delivery: EmailDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_with(ConnectionRefusedError("no server"), patch)
        send_due()
    waiting = now_of(delivery)
    assert (waiting.state, waiting.attempts, waiting.error) == ("QUEUED", 1, "no server")
    send_due()
    assert now_of(delivery).state == "SENT"
    assert [message.extra_headers["Message-ID"] for message in mail.outbox] == [delivery.message_id]


def test_a_refused_receiver_is_not_tried_again(
    delivery: EmailDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = {"pagos@cliente.test": (550, b"no such user")}
    fail_with(smtplib.SMTPRecipientsRefused(refusal), monkeypatch)
    send_due()
    refused = now_of(delivery)
    assert (refused.state, refused.next_attempt_at) == ("FAILED", None)
    assert "no such user" in refused.error
    assert HistoryEntry.unscoped.filter(event="email_failed").count() == 1


def test_it_gives_up_after_its_attempts(
    delivery: EmailDelivery, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(TimeoutError("slow"), monkeypatch)
    for _ in range(deliver.ATTEMPTS_AT_MOST):
        send_due()
    assert now_of(delivery).state == "FAILED"


def test_a_worker_that_died_in_it_leaves_it_for_another(delivery: EmailDelivery) -> None:
    deliver.claim_due(10)  # and here it is killed
    assert deliver.recover_lost() == 0
    EmailDelivery.unscoped.update(lease_expires_at=LONG_AGO)
    assert deliver.recover_lost() == 1
    send_due()
    assert (now_of(delivery).state, len(mail.outbox)) == ("SENT", 1)
    assert mail.outbox[0].extra_headers["Message-ID"] == delivery.message_id


def test_giving_up_on_one_that_kills_its_workers_is_told(delivery: EmailDelivery) -> None:
    for _ in range(deliver.ATTEMPTS_AT_MOST):
        EmailDelivery.unscoped.update(next_attempt_at=LONG_AGO)
        assert len(deliver.claim_due(10)) == 1  # and here it is killed
        EmailDelivery.unscoped.update(lease_expires_at=LONG_AGO)
        deliver.recover_lost()
    assert (now_of(delivery).state, now_of(delivery).next_attempt_at) == ("FAILED", None)
    told = HistoryEntry.unscoped.get(owner=delivery.owner_id, event="email_failed")
    assert told.data["error"]


def test_a_lost_pdf_costs_this_mail_alone(delivery: EmailDelivery, api: APIClient) -> None:
    (file,) = Document.unscoped.get().files.all()
    file.content.storage.delete(file.content.name)
    api.post("/api/v1/invoices", body(emails=["otro@cliente.test"]))
    work()
    assert [message.to for message in mail.outbox] == [["otro@cliente.test"]]
    broken = now_of(delivery)
    assert broken.state in {"QUEUED", "FAILED"}
    assert broken.error


def test_nobody_to_send_to_is_no_mail(api: APIClient, box: Sandbox) -> None:
    invoice = body()
    del invoice["receiver"]["emails"]
    api.post("/api/v1/invoices", invoice)
    work()
    assert Document.unscoped.get().legal_status == "DGI_AUTHORIZED"
    assert not EmailDelivery.unscoped.exists()


def test_the_documents_own_addresses_replace_the_receivers(api: APIClient, box: Sandbox) -> None:
    api.post("/api/v1/invoices", body(emails=["contador@cliente.test"]))
    work()
    assert [message.to for message in mail.outbox] == [["contador@cliente.test"]]


def test_sending_again_is_an_occasion_of_its_own(delivery: EmailDelivery, api: APIClient) -> None:
    send_due()
    again = api.post(
        f"/api/v1/invoices/{delivery.owner_id}/email",
        {"to": ["gerencia@cliente.test"], "message": "Aquí va otra vez."},
    )
    assert again.status_code == 202
    send_due()
    assert [message.to for message in mail.outbox] == [
        ["pagos@cliente.test"],
        ["gerencia@cliente.test"],
    ]
    assert "Aquí va otra vez." in mail.outbox[1].body
    ids = {message.extra_headers["Message-ID"] for message in mail.outbox}
    assert len(ids) == 2
