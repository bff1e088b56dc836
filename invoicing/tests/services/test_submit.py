"""Submission under fire: lost answers, dead workers, used numbers, and never two documents."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing import pump
from invoicing.models import Document, PacExchange
from invoicing.services import follow, submit
from invoicing.services.errands import run
from pac.sandbox import Sandbox
from pac.sandbox.records import Document as Accepted
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    return Document.unscoped.get(pk=pk)


def now_of(document: Document) -> Document:
    return Document.unscoped.get(pk=document.pk)


def make_due(document: Document) -> None:
    Document.unscoped.filter(pk=document.pk).update(next_attempt_at=LONG_AGO)


def send(document: Document) -> Document:
    """One try at sending it, now."""
    make_due(document)
    for sending in submit.claim_due(10):
        run(sending)
    return now_of(document)


def the_only(box: Sandbox) -> Accepted:
    (document,) = box.documents
    return document


def test_it_is_accepted_and_followed(invoice: Document, box: Sandbox) -> None:
    sent = send(invoice)
    assert (sent.submission_state, sent.attempts, sent.setbacks) == ("DONE", 1, 0)
    assert sent.legal_status == "PAC_AUTHORIZED"
    assert sent.invoice_number == sent.computed_cufe == the_only(box).cufe
    assert sent.document_id == the_only(box).id
    assert sent.next_poll_at is not None
    assert sent.pac_response["document"]["cufe"] == sent.invoice_number


def test_what_was_sent_is_kept_word_for_word(invoice: Document, box: Sandbox) -> None:
    sent = send(invoice)
    assert sent.pac_input == the_only(box).payload
    exchange = PacExchange.unscoped.get(owner=invoice)
    assert (exchange.method, exchange.status) == ("POST", 201)
    assert exchange.request == sent.pac_input


@pytest.mark.parametrize("fault", ["drop_next", "error_after_next"])
def test_it_adopts_the_document_when_the_answer_was_lost(
    invoice: Document, box: Sandbox, fault: str
) -> None:
    box.options.update({fault: 1})
    lost = send(invoice)
    assert (lost.submission_state, lost.attempts) == ("UNCERTAIN", 1)
    assert lost.doubtful_since is not None
    assert lost.submission_error["code"] == "answer_lost"
    found = send(invoice)
    assert (found.submission_state, found.doubtful_since) == ("DONE", None)
    assert found.document_id == the_only(box).id
    assert sum(box.posts.values()) == 1


def test_it_finds_its_way_where_the_pac_has_no_list(invoice: Document, box: Sandbox) -> None:
    box.options.update({"drop_next": 1, "list_missing": True})
    assert send(invoice).submission_state == "UNCERTAIN"
    # The same payload is refused as a used number: ours is in there, and stays in doubt.
    still = send(invoice)
    assert (still.submission_state, still.submission_error["code"]) == ("UNCERTAIN", "number_used")
    assert len(box.documents) == 1
    # A webhook names the id; the PAC confirms our CUFE under it.
    Document.unscoped.filter(pk=invoice.pk).update(
        hinted_document_id=the_only(box).id, next_poll_at=LONG_AGO
    )
    (following,) = follow.claim_due(10)
    run(following)
    found = now_of(invoice)
    assert (found.submission_state, found.legal_status) == ("DONE", "DGI_AUTHORIZED")
    assert found.document_id == the_only(box).id


def test_it_posts_again_what_never_arrived(
    invoice: Document, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    Document.unscoped.filter(pk=invoice.pk).update(
        submission_state="UNCERTAIN", doubtful_since=timezone.now(), attempts=1
    )
    found = send(invoice)
    assert (found.submission_state, found.attempts) == ("DONE", 2)
    methods = list(PacExchange.unscoped.filter(owner=invoice).values_list("method", flat=True))
    assert methods == ["GET", "POST"]


def test_a_dead_worker_leaves_it_in_doubt_and_it_is_asked_for(
    invoice: Document, box: Sandbox
) -> None:
    make_due(invoice)
    (sending,) = submit.claim_due(10)
    sending.call()  # the PAC accepts, and here the worker is killed
    assert now_of(invoice).submission_state == "SENDING"
    assert submit.recover_lost() == 0  # its lease has not expired: it may be at work
    Document.unscoped.filter(pk=invoice.pk).update(lease_expires_at=LONG_AGO)
    assert submit.recover_lost() == 1
    lost = now_of(invoice)
    assert (lost.submission_state, lost.lost_leases) == ("UNCERTAIN", 1)
    assert send(invoice).document_id == the_only(box).id
    assert sum(box.posts.values()) == 1


def test_a_worker_that_comes_back_too_late_still_helps(invoice: Document, box: Sandbox) -> None:
    make_due(invoice)
    (sending,) = submit.claim_due(10)
    outcome = sending.call()
    Document.unscoped.filter(pk=invoice.pk).update(lease_expires_at=LONG_AGO)
    submit.recover_lost()
    sending.commit(outcome)
    hinted = now_of(invoice)
    assert hinted.submission_state == "UNCERTAIN"
    assert hinted.hinted_document_id == the_only(box).id
    work()
    assert now_of(invoice).legal_status == "DGI_AUTHORIZED"
    assert sum(box.posts.values()) == 1


def test_one_that_kills_every_worker_is_set_aside(invoice: Document) -> None:
    for _ in range(submit.DEATHS_AT_MOST):
        make_due(invoice)
        assert len(submit.claim_due(10)) == 1
        Document.unscoped.filter(pk=invoice.pk).update(lease_expires_at=LONG_AGO)
        submit.recover_lost()
    dead = now_of(invoice)
    assert (dead.submission_state, dead.submission_error["code"]) == ("FAILED", "worker_lost")
    assert dead.next_attempt_at is None
    assert submit.claim_due(10) == []


def test_two_workers_make_one_post(invoice: Document, box: Sandbox) -> None:
    make_due(invoice)
    first = submit.claim_due(10)
    second = submit.claim_due(10)
    assert (len(first), len(second)) == (1, 0)


def test_a_document_claimed_from_an_old_look_is_left_alone(invoice: Document) -> None:
    stale = Document.unscoped.select_related("tenant", "office").get(pk=invoice.pk)
    make_due(invoice)
    assert len(submit.claim_due(10)) == 1
    assert submit.claim(stale, now=timezone.now()) is None


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"down": "refuse"}, {"answer_lost", "pac_unavailable"}),
        ({"rate_limit_next": 1}, {"pac_unavailable"}),
        ({"unauthorized": True}, {"pac_token_refused"}),
    ],
)
def test_an_obstacle_that_is_not_about_the_document_delays_it(
    invoice: Document, box: Sandbox, fault: dict[str, Any], code: set[str]
) -> None:
    box.options.update(fault)
    delayed = send(invoice)
    assert delayed.submission_state in {"QUEUED", "UNCERTAIN"}
    assert delayed.submission_error["code"] in code
    assert delayed.next_attempt_at > timezone.now() - timedelta(seconds=1)
    if delayed.submission_state == "QUEUED":
        assert delayed.attempts == 0
    box.options.update({"down": False, "unauthorized": False})
    work()
    assert now_of(invoice).legal_status == "DGI_AUTHORIZED"
    assert len(box.documents) == 1


def test_retry_after_is_honoured(invoice: Document, box: Sandbox) -> None:
    box.options.update({"rate_limit_next": 1})
    before = timezone.now()
    assert send(invoice).next_attempt_at >= before + timedelta(seconds=1)


def test_three_days_of_outage_end_with_a_person(invoice: Document, box: Sandbox) -> None:
    box.options.update({"unauthorized": True})
    Document.unscoped.filter(pk=invoice.pk).update(queued_at=timezone.now() - timedelta(days=4))
    failed = send(invoice)
    assert (failed.submission_state, failed.submission_error["code"]) == ("FAILED", "gave_up")
    assert failed.next_attempt_at is None


def test_a_failed_one_is_sent_by_retry(invoice: Document, api: APIClient, box: Sandbox) -> None:
    box.options.update({"unauthorized": True})
    Document.unscoped.filter(pk=invoice.pk).update(queued_at=timezone.now() - timedelta(days=4))
    send(invoice)
    box.options.update({"unauthorized": False})
    assert api.post(f"/api/v1/invoices/{invoice.pk}/retry").status_code == 202
    work()
    assert now_of(invoice).legal_status == "DGI_AUTHORIZED"


def take_the_number(invoice: Document, box: Sandbox) -> None:
    """Somebody else's document has our number at the PAC: the tenant has issued elsewhere."""
    sending = submit.claim_due(1)[0]
    stolen = {**sending.payload, "information": {**sending.payload["information"]}}
    stolen["information"]["securityCode"] = "987654321"
    sending.payload = stolen
    sending.call()
    Document.unscoped.filter(pk=invoice.pk).update(
        submission_state="QUEUED", attempts=0, lease_expires_at=None, next_attempt_at=LONG_AGO
    )


def test_a_number_that_is_taken_fails_and_retry_takes_the_next(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    take_the_number(invoice, box)
    failed = send(invoice)
    assert (failed.submission_state, failed.submission_error["code"]) == ("FAILED", "number_taken")
    assert failed.attempts == 0
    assert "--first-number" in failed.submission_error["message"]
    api.post(f"/api/v1/invoices/{invoice.pk}/retry")
    work()
    sent = now_of(invoice)
    assert (sent.number, sent.legal_status) == ("0000000002", "DGI_AUTHORIZED")
    assert sent.computed_cufe == sent.invoice_number


def test_in_doubt_a_number_with_another_cufe_is_not_ours(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    take_the_number(invoice, box)
    Document.unscoped.filter(pk=invoice.pk).update(
        submission_state="UNCERTAIN", doubtful_since=timezone.now(), attempts=1
    )
    failed = send(invoice)
    assert (failed.submission_state, failed.submission_error["code"]) == ("FAILED", "number_taken")
    assert failed.document_id is None


def test_our_cufe_with_another_total_waits_for_a_person(
    invoice: Document, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.options.update({"drop_next": 1})
    send(invoice)
    monkeypatch.setattr(
        submit, "contradiction", lambda *_: {"total": {"ours": "203.30", "pac": "20.33"}}
    )
    doubted = send(invoice)
    assert doubted.submission_state == "UNCERTAIN"
    assert doubted.submission_error["code"] == "match_doubted"
    assert doubted.submission_error["differences"]["total"]["pac"] == "20.33"
    assert doubted.next_attempt_at is None
    assert doubted.document_id is None


def test_a_document_that_cannot_be_put_into_words_stops_alone(
    invoice: Document, api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = api.post("/api/v1/invoices", body()).data["id"]
    build = submit.build_payload

    def broken(document: Document, lines: Any) -> dict[str, Any]:
        if document.pk == invoice.pk:
            raise ZeroDivisionError
        return build(document, lines)

    monkeypatch.setattr(submit, "build_payload", broken)
    work()
    stopped = now_of(invoice)
    assert (stopped.submission_state, stopped.submission_error["code"]) == ("FAILED", "no_payload")
    assert Document.unscoped.get(pk=other).legal_status == "DGI_AUTHORIZED"


def test_a_company_that_is_not_affiliated_is_no_verdict_on_its_documents(
    invoice: Document, settings: SettingsWrapper, alice: Tenant
) -> None:
    refusal = {"errors": [{"code": "AP1010", "message": "company QR not requested or wrong"}]}
    with responses.RequestsMock() as pac:
        pac.post(f"{settings.PAC_BASE_URL}/pan/v1/invoices", json=refusal, status=400)
        delayed = send(invoice)
    assert delayed.submission_state == "QUEUED"
    assert delayed.submission_error["code"] == "company_not_affiliated"
    assert (delayed.legal_status, delayed.attempts) == (None, 0)


def test_one_tenants_backlog_does_not_delay_another(
    api: APIClient, bob: Any, client_of: Any, box: Sandbox
) -> None:
    for _ in range(12):
        api.post("/api/v1/invoices", body())
    late = client_of(bob).post("/api/v1/invoices", body()).data["id"]
    claimed = submit.claim_due(4)
    assert str(late) in {str(sending.document.pk) for sending in claimed}


def test_the_circuit_opens_rests_and_lets_one_probe_through(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    from invoicing.models import Breaker
    from invoicing.services import breaker

    monkeypatch.setattr(breaker, "THRESHOLD", 3)
    for _ in range(6):
        api.post("/api/v1/invoices", body())
    box.options.update({"unauthorized": True})
    Document.unscoped.update(next_attempt_at=LONG_AGO)
    for sending in submit.claim_due(3):
        run(sending)
    circuit = Breaker.objects.get()
    assert circuit.retry_at > timezone.now()
    Document.unscoped.update(next_attempt_at=LONG_AGO)
    assert submit.claim_due(10) == []
    Breaker.objects.update(retry_at=LONG_AGO)
    (probe,) = submit.claim_due(10)
    assert submit.claim_due(10) == []
    box.options.update({"unauthorized": False})
    run(probe)
    assert Breaker.objects.get().retry_at is None
    assert len(submit.claim_due(10)) == 5


def test_the_pump_carries_many_at_a_time(api: APIClient, box: Sandbox) -> None:
    box.options.update({"latency": 250})
    for _ in range(16):
        api.post("/api/v1/invoices", body())
    started = timezone.now()
    pump.drain("pac")
    assert len(box.documents) == 16
    # One after the other, the posts alone would take four seconds.
    assert timezone.now() - started < timedelta(seconds=3)


def test_giving_up_on_a_lost_answer_keeps_the_doubt_and_retry_asks_first(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    """A send on the last day whose answer is lost may be at the PAC: it is never posted blindly."""
    Document.unscoped.filter(pk=invoice.pk).update(queued_at=timezone.now() - timedelta(days=4))
    box.options.update({"drop_next": 1})
    failed = send(invoice)
    assert (failed.submission_state, failed.submission_error["code"]) == ("FAILED", "gave_up")
    assert failed.doubtful_since is not None
    api.post(f"/api/v1/invoices/{invoice.pk}/retry")
    work()
    sent = now_of(invoice)
    assert (sent.number, sent.document_id) == (invoice.number, the_only(box).id)
    assert sum(box.posts.values()) == 1


def test_the_same_number_of_another_series_does_not_keep_a_refusal_in_doubt(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    """Factura 1 and zona franca 1 share a number and a list; the list answers for both."""
    send(invoice)
    refused = body(dgi_document_type="08")
    refused["lines"][0]["description"] = "REJECT-PAC"
    other = Document.unscoped.get(pk=api.post("/api/v1/invoices", refused).data["id"])
    assert other.number == invoice.number
    Document.unscoped.filter(pk=other.pk).update(
        submission_state="UNCERTAIN", doubtful_since=timezone.now(), attempts=1
    )
    assert send(other).legal_status == "PAC_REJECTED"
