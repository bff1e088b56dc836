"""The figures of the dashboard and of the month: what is counted, by whose days, at which price."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoicing.models import Document, EmailDelivery, FiscalEvent, PumpLease
from invoicing.pump import ROLES
from invoicing.services import figures, machinery, monthly, waiting
from invoicing.services.monthly import Tally
from invoicing.tests.backlog import multiply, numbered
from invoicing.tests.rows import call_row, document_row
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

TODAY = date(2026, 11, 22)
NOON = datetime(2026, 11, 22, 17, tzinfo=UTC)


def test_a_day_begins_and_ends_in_panama(alice: Tenant) -> None:
    for moment in (
        datetime(2026, 11, 22, 4, 59, 59, tzinfo=UTC),  # still the 21st
        datetime(2026, 11, 22, 5, tzinfo=UTC),
        datetime(2026, 11, 23, 4, 59, 59, tzinfo=UTC),
        datetime(2026, 11, 23, 5, tzinfo=UTC),  # tomorrow
        datetime(2026, 11, 16, 5, tzinfo=UTC),
        datetime(2026, 11, 16, 4, 59, 59, tzinfo=UTC),  # the eighth day
    ):
        document_row(alice, issued_at=moment)
    days = figures.by_day(None, today=TODAY)
    assert [day.first for day in days] == [
        TODAY - timedelta(days=back) for back in range(6, -1, -1)
    ]
    assert [day.total for day in days] == [1, 0, 0, 0, 0, 1, 2]
    week = figures.together(days)
    assert (week.first, week.last, week.total) == (date(2026, 11, 16), TODAY, 4)


def test_documents_of_the_dgi_are_counted_by_verdict_and_sales_added_up(
    alice: Tenant, bob: Tenant
) -> None:
    document_row(alice, issued_at=NOON, legal_status="DGI_AUTHORIZED", total="1000.10")
    document_row(alice, issued_at=NOON, legal_status="DGI_AUTHORIZED", total="0.20")
    document_row(
        alice, issued_at=NOON, legal_status="DGI_AUTHORIZED", document_type="02", total="50.00"
    )
    document_row(bob, issued_at=NOON, legal_status="DGI_AUTHORIZED", total="5.00")
    document_row(alice, issued_at=NOON, legal_status="DGI_REJECTED")
    document_row(alice, issued_at=NOON)
    document_row(alice, issued_at=NOON, generation_mode="PROFORM", submission_state="NONE")
    document_row(alice, issued_at=NOON, legal_status="DGI_AUTHORIZED", generation_mode="DGI_IMPORT")
    hers, all_of_them = (figures.by_day(tenant, today=TODAY, days=1)[0] for tenant in (alice, None))
    counts = {
        "DGI_AUTHORIZED": 3,
        "PAC_AUTHORIZED": 0,
        "DGI_REJECTED": 1,
        "PAC_REJECTED": 0,
        None: 1,
    }
    assert (hers.counts, hers.invoiced) == (counts, Decimal("1000.30"))
    assert all_of_them.counts == counts | {"DGI_AUTHORIZED": 4}
    assert all_of_them.invoiced == Decimal("1005.30")


def test_the_oldest_that_waits_is_known_by_when_it_began_to_wait(
    alice: Tenant, bob: Tenant
) -> None:
    now = timezone.now()
    hour, minute = now - timedelta(hours=1), now - timedelta(minutes=1)
    later = now + timedelta(minutes=10)  # it waits, though it is not due
    document_row(alice, next_attempt_at=later, queued_at=hour)
    document_row(alice, next_attempt_at=minute, queued_at=minute)
    owner = document_row(bob, next_poll_at=minute, queued_at=None, created_at=hour)
    FiscalEvent.unscoped.create(
        tenant=bob, owner=owner, reason="r", requested_at=minute, next_attempt_at=now
    )
    EmailDelivery.unscoped.create(
        tenant=bob, owner=owner, occasion="o", message_id="m", created_at=hour, next_attempt_at=now
    )
    EmailDelivery.unscoped.create(
        tenant=bob, owner=owner, occasion="sent", message_id="m", state="SENT"
    )

    def told(tenant: Tenant | None) -> dict[str, tuple[int, datetime | None]]:
        return {row.queue.name: (row.count, row.oldest) for row in waiting.standing(tenant)}

    everybody = told(None)
    assert everybody["submission"] == (2, hour)
    assert everybody["poll"] == (1, hour)
    assert everybody["void"] == (1, minute)
    assert everybody["email"] == (1, hour)
    assert told(alice)["submission"] == (2, hour)
    assert {told(alice)[name] for name in ("poll", "void", "email")} == {(0, None)}


def test_each_window_has_its_calls_failures_and_times(alice: Tenant, bob: Tenant) -> None:
    for ms in range(1, 101):
        call_row(alice, ms=ms)
    for status in (None, 503, 429, 401):
        call_row(alice, ms=5000, status=status, minutes=30)
    call_row(alice, ms=7, status=404, minutes=30)  # a judgement, no failure
    call_row(bob, ms=9000, minutes=61)
    call_row(bob, ms=20, minutes=2)
    quarter, hour = machinery.pac_calls(alice, now=timezone.now())
    assert (quarter.count, quarter.failures, quarter.failure_rate) == (100, 0, 0)
    assert (quarter.median_ms, quarter.p95_ms) == (50, 95)
    assert (hour.count, hour.failures) == (105, 4)
    assert hour.failure_rate == pytest.approx(4 / 105)
    assert machinery.pac_calls(None, now=timezone.now())[0].count == 101
    assert machinery.pac_calls(bob, now=timezone.now())[1].count == 1


def test_a_window_without_calls_has_no_times(alice: Tenant) -> None:
    call_row(alice, ms=40, minutes=30)
    quarter, hour = machinery.pac_calls(None, now=timezone.now())
    assert (quarter.count, quarter.median_ms, quarter.p95_ms, quarter.failure_rate) == (
        *(0, None, None),
        0,
    )
    assert (hour.count, hour.median_ms, hour.p95_ms) == (1, 40, 40)


@pytest.mark.parametrize(("seconds", "alive"), [(59, True), (60, True), (61, False)])
def test_a_worker_is_alive_for_a_minute_after_its_last_beat(seconds: int, alive: bool) -> None:
    now = timezone.now()
    for name, age in (("old@host:1", 9000), ("new@host:2", seconds)):
        seen = now - timedelta(seconds=age)
        PumpLease.objects.create(
            name=name, role="pac", holder="h", renewed_at=seen, expires_at=seen
        )
    beats = {beat.role: beat for beat in machinery.heartbeats(now=now)}
    assert set(beats) == set(ROLES)
    assert (beats["pac"].age, beats["pac"].is_alive) == (timedelta(seconds=seconds), alive)
    assert (beats["mail"].seen, beats["mail"].is_alive) == (None, False)


# --- the month ------------------------------------------------------------------------------------


def test_a_month_begins_and_ends_in_panama() -> None:
    assert monthly.days_of(date(2026, 2, 14)) == (date(2026, 2, 1), date(2026, 2, 28))
    assert monthly.days_of(date(2024, 2, 29)) == (date(2024, 2, 1), date(2024, 2, 29))
    assert monthly.days_of(date(2026, 12, 31)) == (date(2026, 12, 1), date(2026, 12, 31))


def test_the_month_counts_what_the_pac_took_and_the_voids_that_it_accepted(
    alice: Tenant, bob: Tenant
) -> None:
    def took(tenant: Tenant, **changes: Any) -> Document:
        key = f"{Document.unscoped.count():026d}"
        return document_row(tenant, **{"issued_at": NOON, "document_id": key} | changes)

    owner = took(alice, legal_status="DGI_AUTHORIZED")
    took(alice, legal_status="DGI_REJECTED", document_type="02")
    took(alice, legal_status="PAC_REJECTED", document_type="03")
    took(alice, legal_status="PAC_AUTHORIZED", document_type="03")
    took(alice)
    took(alice, issued_at=datetime(2026, 11, 1, 5, tzinfo=UTC))
    took(alice, issued_at=datetime(2026, 11, 1, 4, 59, 59, tzinfo=UTC))  # October
    took(alice, issued_at=datetime(2026, 12, 1, 5, tzinfo=UTC))  # December
    took(alice, document_id=None)  # never there
    took(alice, legal_status="PAC_REJECTED", document_id=None)  # refused at the door
    took(bob, generation_mode="DGI_IMPORT", legal_status="DGI_AUTHORIZED")
    for state, settled_at in (
        ("ACCEPTED", NOON),
        ("REFUSED", NOON),
        ("REFUSED", None),
        ("ACCEPTED", datetime(2026, 12, 1, 5, tzinfo=UTC)),
    ):
        FiscalEvent.unscoped.create(
            tenant=alice,
            owner=owner if settled_at == NOON else took(alice, document_id=None),
            reason="r",
            requested_at=NOON,
            state=state,
            settled_at=settled_at,
        )
    assert monthly.table(date(2026, 11, 30)) == [
        (
            alice,
            Tally(
                invoices=3,
                credit_notes=1,
                debit_notes=2,
                authorized=1,
                dgi_rejected=1,
                pac_rejected=1,
                voids=1,
            ),
        )
    ]
    tally = monthly.table(TODAY, alice)[0][1]
    assert (tally.documents, tally.undecided) == (6, 3)
    assert monthly.table(TODAY, bob) == []
    assert [(each, tally.voids) for each, tally in monthly.table(date(2026, 12, 1))] == [(alice, 1)]


def test_the_months_of_tenants_add_up() -> None:
    some, more = Tally(invoices=2, authorized=1, voids=1), Tally(invoices=1, debit_notes=4)
    assert Tally.sum([some, more]) == Tally(invoices=3, debit_notes=4, authorized=1, voids=1)
    assert Tally.sum([]) == Tally()


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("read", "index"),
    [
        (lambda: figures.by_day(None, today=TODAY), "documents_by_(moment|issue_date)"),
        (lambda: monthly.table(TODAY), "documents_by_(moment|issue_date)"),
        (lambda: machinery.pac_calls(None, now=NOON), "exchanges_by_age"),
        (lambda: waiting.standing(None), "submissions_due"),
        (lambda: waiting.standing(None), "polls_due"),
        (lambda: waiting.standing(None), "voids_due"),
        (lambda: waiting.standing(None), "emails_due"),
    ],
)
def test_what_is_shown_is_read_by_an_index(
    alice: Tenant, read: Callable[[], object], index: str
) -> None:
    """Years of documents that are finished: what is asked for is a small part of them."""
    owner = document_row(alice, issued_at=NOON - timedelta(days=400))
    multiply(owner, 5000, **numbered())
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    with CaptureQueriesContext(connection) as captured:
        read()
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    plans = ""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")  # the other tables are empty here
        for query in captured:
            cursor.execute(explain + query["sql"])
            plans += "\n".join(str(row) for row in cursor.fetchall())
        if connection.vendor == "sqlite":
            cursor.execute("DELETE FROM sqlite_stat1")
    assert re.search(index, plans), plans


def test_a_floor_above_adds_a_queue_of_its_own(alice: Tenant, monkeypatch: Any) -> None:
    monkeypatch.setattr(waiting, "_queues", list(waiting.queues()))
    queue = waiting.Queue("lease", "x", Document, "lease_expires_at", F("created_at"))
    waiting.add_queue(queue)
    row = document_row(alice, lease_expires_at=NOON)
    assert waiting.standing(alice)[-1] == waiting.Standing(queue, 1, row.created_at)
