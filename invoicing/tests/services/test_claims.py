"""Who is next: fair between tenants, never the same row twice, nobody stopped by another's row."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import LONG_AGO, body
from invoicing import pump
from invoicing.models import Document, EmailDelivery, FiscalEvent, SubmissionState
from invoicing.services import claims, deliver, follow, submit, void
from invoicing.services.errands import run
from invoicing.tests.backlog import multiply, numbered
from invoicing.tests.together import together
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)

BACKLOG = 10_000


def issue(client: APIClient, **changes: Any) -> Document:
    return Document.unscoped.get(pk=client.post("/api/v1/invoices", body(**changes)).data["id"])


@pytest.fixture
def backlog(api: APIClient) -> Document:
    """Alice has ten thousand documents that wait to be sent, and as many to be asked for."""
    document = issue(api)
    Document.unscoped.filter(pk=document.pk).update(
        next_attempt_at=LONG_AGO, next_poll_at=LONG_AGO, pac_input={"a": "payload"}
    )
    multiply(document, BACKLOG, **numbered())
    return document


@pytest.mark.parametrize("source", [submit.claim_due, follow.claim_due], ids=["submit", "follow"])
@pytest.mark.parametrize("limit", [2, 16])
def test_a_backlog_of_ten_thousand_does_not_delay_another_tenant(
    source: Callable[[int], Any],
    limit: int,
    backlog: Document,
    bob: Tenant,
    client_of: Callable[..., APIClient],
) -> None:
    late = issue(client_of(bob))
    now = timezone.now()
    Document.unscoped.filter(pk=late.pk).update(next_attempt_at=now, next_poll_at=now)
    started = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        claimed = source(limit)
    # Milliseconds, in truth; who reads the whole backlog takes seconds.
    assert time.perf_counter() - started < 1
    assert late.pk in {errand.document.pk for errand in claimed}
    assert len(claimed) == limit
    assert len(captured) <= 14 + 3 * limit


def test_where_one_thread_is_free_at_a_time_another_tenant_is_served_soon(
    backlog: Document, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    late = issue(client_of(bob))
    # Each time it is even chances: more than thirty turns happen once in a thousand million.
    turns = iter(range(30))
    while submit.claim_due(1)[0].document.pk != late.pk:
        next(turns)


def authorized(client: APIClient) -> Document:
    document = issue(client)
    Document.unscoped.filter(pk=document.pk).update(
        document_id=f"01{document.pk.hex[-24:]}",
        invoice_number=document.computed_cufe,
        legal_status="DGI_AUTHORIZED",
        submission_state="DONE",
        next_attempt_at=None,
    )
    return Document.unscoped.get(pk=document.pk)


def test_a_backlog_of_voids_does_not_delay_another_tenants_void(
    api: APIClient, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    for _ in range(6):
        void.request_void(authorized(api), reason="Un error en el receptor")
    late = void.request_void(authorized(client_of(bob)), reason="Un error en el receptor")
    claimed = void.claim_due(2)
    assert late in [voiding.event for voiding in claimed]
    assert len(claimed) == 2


def test_a_backlog_of_emails_does_not_delay_another_tenants_email(
    api: APIClient,
    bob: Tenant,
    client_of: Callable[..., APIClient],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deliver, "_message", lambda delivery: None)
    now = timezone.now()

    def email(client: APIClient) -> EmailDelivery:
        document = authorized(client)
        delivery = EmailDelivery(
            tenant_id=document.tenant_id, owner=document, occasion="o", next_attempt_at=now
        )
        delivery.save(force_insert=True)
        return delivery

    text = "'o' || n" if connection.vendor == "sqlite" else "'o' || n::text"
    multiply(email(api), 5000, occasion=text)
    late = email(client_of(bob))
    started = time.perf_counter()
    claimed = deliver.claim_due(4)
    assert time.perf_counter() - started < 1
    assert late in [mailing.delivery for mailing in claimed]
    assert len(claimed) == 4
    assert late not in [mailing.delivery for mailing in deliver.claim_due(4)]


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time")
def test_two_claimers_share_no_row_and_neither_waits(api: APIClient) -> None:
    for _ in range(6):
        issue(api)
    holds, done = Event(), Event()

    def due() -> set[Any]:
        found = claims.due_documents("next_attempt_at", now=timezone.now(), limit=4)
        return {document.pk for document in found}

    def first() -> set[Any]:
        with transaction.atomic():
            found = due()
            holds.set()
            assert done.wait(10)  # its transaction is open all the while
        return found

    def second() -> set[Any]:
        assert holds.wait(10)
        try:
            with transaction.atomic():
                return due()
        finally:
            done.set()

    mine, others = together(first, second)
    assert (len(mine), len(others)) == (4, 2)
    assert not mine & others


def test_two_workers_post_each_document_once(
    alice: Tenant, bob: Tenant, client_of: Callable[..., APIClient], box: Sandbox
) -> None:
    documents = [issue(client_of(tenant)) for tenant in (alice, bob) for _ in range(8)]
    box.options.update({"latency": 20})

    def worker() -> int:
        return pump.Pump(pump.ROLES["pac"]).drain()

    assert sum(together(worker, worker, worker)) == len(documents)
    assert sum(box.posts.values()) == len(documents)
    assert sorted(document.cufe for document in box.documents) == sorted(
        document.computed_cufe for document in documents if document.computed_cufe
    )
    assert set(Document.unscoped.values_list("submission_state", "attempts")) == {("DONE", 1)}


# --- poison -------------------------------------------------------------------------------------


@pytest.mark.parametrize("defect", [{"a": "\0"}, {"a": object()}], ids=["a NUL", "no JSON"])
def test_a_payload_that_cannot_be_stored_stops_its_document_alone(
    defect: dict[str, Any], api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = issue(api), issue(api)
    build = submit.build_payload

    def broken(document: Document, lines: Any) -> dict[str, Any]:
        return defect if document.pk == poison.pk else build(document, lines)

    monkeypatch.setattr(submit, "build_payload", broken)
    for sending in submit.claim_due(10):
        if sending.document.pk == good.pk:
            run(sending)
    good.refresh_from_db()
    assert good.submission_state == SubmissionState.DONE
    poison.refresh_from_db()
    if connection.vendor == "sqlite" and "\0" in str(defect["a"]):
        return  # SQLite stores it
    assert poison.submission_state == SubmissionState.FAILED
    assert (poison.submission_error or {})["code"] == "no_payload"
    assert (poison.attempts, poison.next_attempt_at) == (0, None)


def test_a_lost_document_that_cannot_be_recovered_does_not_stop_the_others(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    poison, good = issue(api), issue(api)
    assert len(submit.claim_due(10)) == 2
    Document.unscoped.update(lease_expires_at=LONG_AGO)
    note = submit.note

    def broken(document: Document, *about: Any, **more: Any) -> None:
        if document.pk == poison.pk:
            raise IntegrityError("a constraint of the history")
        note(document, *about, **more)

    monkeypatch.setattr(submit, "note", broken)
    submit.recover_lost()
    good.refresh_from_db()
    poison.refresh_from_db()
    assert (good.submission_state, good.lost_leases) == ("UNCERTAIN", 1)
    assert (poison.submission_state, poison.lost_leases) == ("SENDING", 0)


def test_who_was_in_flight_with_a_deadly_document_is_not_set_aside_with_it(
    api: APIClient, box: Sandbox
) -> None:
    """Each time that the deadly one is tried, all that are in flight with it die with it."""
    random.seed(20)
    documents = [issue(api) for _ in range(8)]
    poison = documents[3]
    for _ in range(600):  # seconds
        flight = submit.claim_due(16)
        if poison.pk in {sending.document.pk for sending in flight}:
            Document.unscoped.filter(lease_expires_at__isnull=False).update(
                lease_expires_at=LONG_AGO
            )
        else:
            for sending in flight:
                run(sending)
        submit.recover_lost()
        waiting = Document.unscoped.filter(next_attempt_at__isnull=False)
        for pk, due in waiting.values_list("pk", "next_attempt_at"):
            assert due is not None
            waiting.filter(pk=pk).update(next_attempt_at=due - timedelta(seconds=1))
        if not waiting.exists():
            break
    states = dict(Document.unscoped.values_list("pk", "submission_state"))
    assert states.pop(poison.pk) == SubmissionState.FAILED
    assert set(states.values()) == {SubmissionState.DONE}
    poison.refresh_from_db()
    assert (poison.submission_error or {})["code"] == "worker_lost"
    assert poison.lost_leases == submit.DEATHS_AT_MOST
    assert set(box.posts.values()) == {1}
    assert len(box.documents) == len(documents) - 1


def test_the_attempt_is_on_record_before_the_call(api: APIClient) -> None:
    document = issue(api)
    (sending,) = submit.claim_due(1)
    assert not connection.in_atomic_block

    def seen() -> tuple[str, int, datetime | None]:
        found = Document.unscoped.get(pk=document.pk)
        return found.submission_state, found.attempts, found.lease_expires_at

    (elsewhere,) = together(seen)  # committed: another connection sees it
    assert elsewhere == ("SENDING", 1, sending.lease_expires_at)


def test_a_void_whose_worker_died_is_due_again_when_its_lease_ends(api: APIClient) -> None:
    void.request_void(authorized(api), reason="Un error en el receptor")
    (voiding,) = void.claim_due(10)
    event = FiscalEvent.unscoped.get()
    assert event.next_attempt_at == event.lease_expires_at == voiding.lease_expires_at
    assert void.claim_due(10) == []
    FiscalEvent.unscoped.update(next_attempt_at=LONG_AGO, lease_expires_at=LONG_AGO)
    assert len(void.claim_due(10)) == 1
