"""Following: forwards only, whatever arrives, in whatever order; one PDF, one verdict."""

from __future__ import annotations

import itertools
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, EmailDelivery, File, HistoryEntry
from invoicing.services import attention, follow, handle, submit
from invoicing.services.errands import run
from invoicing.services.locks import locked_now
from pac.answers import DocumentAnswer
from pac.sandbox import Sandbox
from tenants.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    """An invoice that the PAC has accepted and the DGI has not judged yet."""
    box.options.update({"dgi_delay": 60})
    pk = api.post("/api/v1/invoices", body()).data["id"]
    for sending in submit.claim_due(1):
        run(sending)
    return Document.unscoped.get(pk=pk)


def now_of(document: Document) -> Document:
    return Document.unscoped.get(pk=document.pk)


def poll(document: Document) -> Document:
    Document.unscoped.filter(pk=document.pk).update(next_poll_at=LONG_AGO)
    for following in follow.claim_due(10):
        run(following)
    return now_of(document)


def answer(document: Document, status: str | None, **changes: Any) -> DocumentAnswer:
    raw = {"id": document.document_id, "legalStatus": status, "cufe": document.computed_cufe}
    return replace(DocumentAnswer.parse(raw), **changes)


def told(document: Document, said: DocumentAnswer) -> Document:
    with transaction.atomic():
        follow.apply(locked_now(document).get(), said, now=timezone.now())
    return now_of(document)


def test_it_waits_for_the_verdict_with_growing_pauses(invoice: Document) -> None:
    pauses = []
    for _ in range(4):
        before = timezone.now()
        polled = poll(invoice)
        pauses.append(polled.next_poll_at - before)
    assert polled.legal_status == "PAC_AUTHORIZED"
    assert timedelta(seconds=14) < pauses[0] < timedelta(seconds=17)
    assert pauses == sorted(pauses)
    assert pauses[-1] > timedelta(seconds=30)


def test_an_answer_that_is_older_than_the_verdict_changes_nothing(
    invoice: Document, box: Sandbox
) -> None:
    """Its PDF was slow, and a webhook had the PAC asked again meanwhile."""
    Document.unscoped.update(next_poll_at=LONG_AGO)
    (slow,) = follow.claim_due(10)
    older = slow.call()
    box.settle()
    newer = poll(invoice)
    slow.commit(older)
    assert newer.pac_response["document"]["legalStatus"] == "DGI_AUTHORIZED"
    unchanged = ("legal_status", "pac_response", "qr_code_url", "next_poll_at", "warnings")
    for name in unchanged:
        assert getattr(now_of(invoice), name) == getattr(newer, name)


def test_two_words_for_rejected_are_no_contradiction(invoice: Document) -> None:
    Document.unscoped.update(legal_status="PAC_REJECTED")
    told(now_of(invoice), answer(invoice, "DGI_REJECTED"))
    assert (now_of(invoice).legal_status, now_of(invoice).warnings) == ("PAC_REJECTED", [])


def test_somebody_is_told_that_the_pac_calls_an_authorised_one_rejected(invoice: Document) -> None:
    authorised = told(invoice, answer(invoice, "DGI_AUTHORIZED"))
    doubted = told(authorised, answer(invoice, "DGI_REJECTED"))
    assert doubted.legal_status == "DGI_AUTHORIZED"
    assert attention.reasons_of(doubted) == [attention.Reason.VERDICT_DIFFERS]


def test_a_verdict_that_contradicts_ours_is_told_and_moves_nothing(invoice: Document) -> None:
    rejected = told(invoice, answer(invoice, "DGI_REJECTED"))
    handle.mark_handled(rejected, actor="rosa", reason="issued elsewhere")
    said = answer(invoice, "DGI_AUTHORIZED")
    for _ in range(2):
        doubted = told(rejected, said)
    assert (doubted.legal_status, doubted.status) == ("DGI_REJECTED", "CANCELED")
    assert doubted.pac_response == rejected.pac_response
    assert [warning["code"] for warning in doubted.warnings] == ["verdict_differs"]
    assert doubted.submission_error["code"] == "verdict_differs"
    assert attention.Reason.VERDICT_DIFFERS in attention.reasons_of(doubted)
    (entry,) = HistoryEntry.unscoped.filter(owner=invoice, event="verdict_differs")
    assert entry.data == {"ours": "DGI_REJECTED", "pac": "DGI_AUTHORIZED"}
    with pytest.raises(Conflict, match="before anything is issued in its place"):
        handle.reissue(doubted, actor="rosa")
    handle.mark_handled(doubted, actor="rosa", reason="the PAC was wrong")
    assert attention.reasons_of(now_of(invoice)) == []
    assert handle.reissue(now_of(invoice), actor="rosa").number != invoice.number


def test_it_ends_with_verdict_and_pdf(invoice: Document, box: Sandbox) -> None:
    box.settle()
    done = poll(invoice)
    assert (done.legal_status, done.next_poll_at) == ("DGI_AUTHORIZED", None)
    assert done.authorization_protocol
    assert done.authorized_at
    assert done.is_fiscally_valid()
    (file,) = done.files.all()
    assert file.name == f"{done.invoice_number}.pdf"
    with file.content.open() as content:
        assert len(content.read()) == file.size


def test_a_late_pdf_is_fetched_when_it_is_there(invoice: Document, box: Sandbox) -> None:
    box.options.update({"withhold_pdf": True})
    box.settle()
    without = poll(invoice)
    assert without.legal_status == "DGI_AUTHORIZED"
    assert not without.is_fiscally_valid()
    assert without.next_poll_at is not None
    assert not EmailDelivery.unscoped.exists()
    box.options.update({"withhold_pdf": False})
    assert poll(invoice).is_fiscally_valid()
    assert EmailDelivery.unscoped.count() == 1


def test_the_same_pdf_is_stored_once(invoice: Document, box: Sandbox) -> None:
    box.settle()
    Document.unscoped.filter(pk=invoice.pk).update(next_poll_at=LONG_AGO)
    (first,) = follow.claim_due(10)
    Document.unscoped.filter(pk=invoice.pk).update(next_poll_at=LONG_AGO)
    (second,) = follow.claim_due(10)
    readings = [first.call(), second.call()]  # two workers fetched it before either committed
    first.commit(readings[0])
    second.commit(readings[1])
    assert File.unscoped.filter(owner=invoice).count() == 1
    assert EmailDelivery.unscoped.count() == 1


ORDERS = list(itertools.permutations(["PAC_AUTHORIZED", "DGI_AUTHORIZED", None]))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_news_in_any_order_ends_in_the_same_state(
    invoice: Document, order: tuple[str | None, ...]
) -> None:
    for status in order:
        told(invoice, answer(invoice, status))
    assert now_of(invoice).legal_status == "DGI_AUTHORIZED"


@pytest.mark.parametrize("first", ["DGI_AUTHORIZED", "DGI_REJECTED"])
@pytest.mark.parametrize(
    "then", ["PAC_AUTHORIZED", "DGI_AUTHORIZED", "DGI_REJECTED", "PAC_REJECTED", None]
)
def test_a_verdict_never_changes(invoice: Document, first: str, then: str | None) -> None:
    told(invoice, answer(invoice, first))
    assert told(invoice, answer(invoice, then)).legal_status == first


def test_an_authorisation_without_cufe_is_none_yet(invoice: Document) -> None:
    assert told(invoice, answer(invoice, "DGI_AUTHORIZED", cufe=None)).legal_status == (
        "PAC_AUTHORIZED"
    )


def test_another_cufe_of_the_pac_is_kept_and_raises_an_alert(
    api: APIClient, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    document = Document.unscoped.get(pk=pk)
    document.document_id = "01J0AAAAAAAAAAAAAAAAAAAAAA"
    other = "FE01" + "X" * 62
    with caplog.at_level(logging.ERROR):
        kept = told(document, answer(document, "PAC_AUTHORIZED", cufe=other))
    assert kept.invoice_number == other
    assert [warning["code"] for warning in kept.warnings] == ["cufe_differs"]
    assert str(document.pk) in caplog.text


def test_a_hint_at_somebody_elses_document_is_not_believed(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    """A webhook names the id of another document: the PAC shows another CUFE under it."""
    pk = api.post("/api/v1/invoices", body()).data["id"]
    Document.unscoped.filter(pk=pk).update(
        submission_state="UNCERTAIN",
        next_attempt_at=None,
        hinted_document_id=invoice.document_id,
        next_poll_at=LONG_AGO,
    )
    for following in follow.claim_due(10):
        run(following)
    doubtful = Document.unscoped.get(pk=pk)
    assert (doubtful.submission_state, doubtful.document_id) == ("UNCERTAIN", None)
    assert doubtful.hinted_document_id == ""
    assert not doubtful.files.exists()


def test_a_worker_that_dies_between_claim_and_answer_costs_only_time(
    invoice: Document, box: Sandbox
) -> None:
    box.settle()
    Document.unscoped.filter(pk=invoice.pk).update(next_poll_at=LONG_AGO)
    follow.claim_due(10)  # and here it is killed
    assert follow.claim_due(10) == []
    assert now_of(invoice).next_poll_at > timezone.now()
    assert poll(invoice).legal_status == "DGI_AUTHORIZED"


def test_an_outage_while_following_changes_nothing(invoice: Document, box: Sandbox) -> None:
    box.options.update({"down": "503"})
    polled = poll(invoice)
    assert (polled.legal_status, polled.submission_state) == ("PAC_AUTHORIZED", "DONE")
    assert polled.next_poll_at > timezone.now()
    box.options.update({"down": False})
    box.settle()
    assert poll(invoice).legal_status == "DGI_AUTHORIZED"


def test_a_question_that_got_no_answer_is_asked_again_sooner(
    invoice: Document, box: Sandbox
) -> None:
    box.options.update({"reset_rate": 1})
    before = timezone.now()
    after = poll(invoice)
    assert after.next_poll_at - before < follow.FIRST_POLL / 2
    box.options.update({"reset_rate": 0})
    before = timezone.now()
    assert poll(invoice).next_poll_at - before > follow.FIRST_POLL


def test_refresh_asks_now(invoice: Document, api: APIClient, box: Sandbox) -> None:
    box.settle()
    refreshed = api.post(f"/api/v1/invoices/{invoice.pk}/refresh")
    assert refreshed.status_code == 200
    assert refreshed.data["is_fiscally_valid"] is True


def test_refresh_says_when_the_pac_is_away(invoice: Document, api: APIClient, box: Sandbox) -> None:
    box.options.update({"down": "503"})
    away = api.post(f"/api/v1/invoices/{invoice.pk}/refresh")
    assert away.status_code == 503
    assert away.data["errors"][0]["code"] == "pac_unavailable"
    assert away.headers["Retry-After"]


def test_refresh_hurries_what_waits_for_its_turn(api: APIClient, box: Sandbox) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    Document.unscoped.filter(pk=pk).update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert api.post(f"/api/v1/invoices/{pk}/refresh").status_code == 200
    assert Document.unscoped.get(pk=pk).next_attempt_at <= timezone.now()


def test_a_void_status_takes_the_validity(invoice: Document, box: Sandbox) -> None:
    box.settle()
    work()
    Document.unscoped.filter(pk=invoice.pk).update(voided_at=timezone.now())
    assert now_of(invoice).legal_status == "DGI_AUTHORIZED"
    assert not now_of(invoice).is_fiscally_valid()


def test_the_pdf_of_a_doubted_match_is_not_taken_for_ours(
    invoice: Document, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    Document.unscoped.filter(pk=invoice.pk).update(
        submission_state="UNCERTAIN", hinted_document_id=invoice.document_id
    )
    total = {"total": {"ours": "203.30", "pac": "20.33"}}
    monkeypatch.setattr(follow, "contradiction", lambda *_: total)
    doubted = poll(invoice)
    assert doubted.submission_error["code"] == "match_doubted"
    assert not doubted.files.exists()
