"""`/metrics`: who may read it, what it tells, and what it costs."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings as SettingsWrapper
from rest_framework.test import APIClient

from cifras import collector
from conftest import body, work
from invoicing.models import (
    Breaker,
    DeliveryState,
    Document,
    EmailDelivery,
    FiscalEvent,
    PacExchange,
    PumpLease,
)
from invoicing.pump import ROLES
from pac.sandbox import Sandbox
from tenants.models import Tenant
from webhooks import inbox
from webhooks.models import PacDelivery

pytestmark = pytest.mark.django_db

QUERIES = 18
# Indexes over what waits, what is stopped and what was refused.
PARTIAL = {
    index.name
    for model in (Document, EmailDelivery, FiscalEvent, PacDelivery)
    for index in model._meta.indexes
    if index.condition is not None
}
TOKEN = "a token of the tests"
# Tables that have a handful of rows whatever is issued.
SMALL = ("invoicing_pumplease", "invoicing_breaker", "django_q_ormq")

Samples = dict[tuple[str, tuple[str, ...]], float]


def read(client: Client | None = None) -> Samples:
    """Every sample by its name, without `cifras_`, and its labels' values by their names' order."""
    answer = (client or Client()).get("/metrics")
    assert answer.status_code == 200, answer.content
    return {
        (
            sample.name.removeprefix("cifras_"),
            tuple(value for _, value in sorted(sample.labels.items())),
        ): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


# --- who may --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("127.0.0.1", 200),
        ("127.8.8.8", 200),
        ("::1", 200),
        ("::ffff:127.0.0.1", 200),
        ("10.0.0.1", 403),
        ("::ffff:10.0.0.1", 403),
        ("203.0.113.9", 403),
        ("", 403),
        ("localhost", 403),
    ],
)
def test_without_a_token_it_answers_to_this_machine_alone(address: str, status: int) -> None:
    answer = Client(REMOTE_ADDR=address).get("/metrics")
    assert answer.status_code == status
    assert (b"cifras_" in answer.content) == (status == 200)


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "Via"])
def test_what_came_through_a_proxy_on_this_machine_is_refused(header: str) -> None:
    answer = Client(headers={header: "127.0.0.1"}).get("/metrics")
    assert (answer.status_code, answer.content) == (403, b"Forbidden")


@pytest.mark.parametrize("given", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ñ"])
def test_with_a_token_set_nothing_else_opens_not_even_from_this_machine(
    settings: SettingsWrapper, given: str
) -> None:
    settings.METRICS_TOKEN = TOKEN
    answer = Client(headers={"Authorization": given} if given else {}).get("/metrics")
    assert (answer.status_code, answer.content) == (401, b"Unauthorized")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_the_token_opens_it_from_anywhere(settings: SettingsWrapper) -> None:
    settings.METRICS_TOKEN = TOKEN
    client = Client(
        REMOTE_ADDR="203.0.113.9",
        headers={"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"},
    )
    assert read(client)[("scrape_seconds", ())] >= 0


def test_it_is_only_read() -> None:
    assert Client().post("/metrics").status_code == 405


def test_a_database_that_is_away_is_told_without_its_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(*args: Any) -> None:
        raise OperationalError("the password is: secret")

    monkeypatch.setattr(collector, "_documents", away)
    answer = Client().get("/metrics")
    assert (answer.status_code, answer.content) == (503, b"The database does not answer.")


# --- what it tells --------------------------------------------------------------------------------


def issue(api: APIClient, **changes: Any) -> str:
    answer = api.post("/api/v1/invoices", body(**changes))
    assert answer.status_code == 201, answer.data
    return str(answer.data["id"])


def test_a_machine_where_nothing_happened_yet_tells_zeros(db: None) -> None:
    told = read()
    assert told[("documents_unsent", ("QUEUED",))] == 0
    assert told[("due_oldest_seconds", ("submission",))] == 0
    assert told[("documents_issued_last_day", ("NONE",))] == 0
    assert told[("worker_heartbeat_age_seconds", ("pac",))] == math.inf
    assert told[("workers_alive", ("mail",))] == 0
    assert told[("broker_up", ())] == 1
    assert sum(value for (name, _), value in told.items() if name == "build_info") == 1


def test_documents_are_counted_by_state_with_the_age_of_the_oldest(api: APIClient) -> None:
    ids = [issue(api) for _ in range(5)]
    issue(api, generation_mode="PROFORM")
    now = timezone.now()
    Document.unscoped.filter(pk__in=ids).update(queued_at=now - timedelta(minutes=1))
    Document.unscoped.filter(pk=ids[0]).update(queued_at=now - timedelta(hours=1))
    Document.unscoped.filter(pk=ids[1]).update(submission_state="FAILED", next_attempt_at=None)
    Document.unscoped.filter(pk=ids[2]).update(submission_state="UNCERTAIN")
    Document.unscoped.filter(pk=ids[3]).update(submission_state="DONE", next_attempt_at=None)
    told = read()
    states = ("QUEUED", "SENDING", "UNCERTAIN", "FAILED")
    assert [told[("documents_unsent", (state,))] for state in states] == [2, 0, 1, 1]
    ages = [told[("documents_unsent_oldest_seconds", (state,))] for state in states]
    assert ages == [pytest.approx(age, abs=10) for age in (3600, 0, 60, 60)]


def test_verdicts_are_those_of_the_last_day_and_rejections_those_since_ever(
    api: APIClient,
) -> None:
    ids = [issue(api) for _ in range(4)]
    issue(api, generation_mode="PROFORM")
    for pk, verdict in zip(ids[:3], ("PAC_REJECTED", "PAC_REJECTED", "DGI_REJECTED"), strict=True):
        Document.unscoped.filter(pk=pk).update(legal_status=verdict)
    Document.unscoped.filter(pk=ids[0]).update(issued_at=timezone.now() - timedelta(hours=25))
    told = read()
    assert told[("documents_rejected", ("PAC_REJECTED",))] == 2
    assert told[("documents_rejected", ("DGI_REJECTED",))] == 1
    last_day = {
        labels[0]: value
        for (name, labels), value in told.items()
        if name == "documents_issued_last_day"
    }
    assert last_day == {
        "NONE": 1,
        "PAC_AUTHORIZED": 0,
        "DGI_AUTHORIZED": 0,
        "PAC_REJECTED": 1,
        "DGI_REJECTED": 1,
    }


@pytest.mark.parametrize(
    ("queue", "column"),
    [
        ("submission", "next_attempt_at"),
        ("lost_submission", "lease_expires_at"),
        ("poll", "next_poll_at"),
    ],
)
def test_what_is_due_is_counted_with_the_age_of_the_oldest(
    api: APIClient, queue: str, column: str
) -> None:
    now = timezone.now()
    for minutes in (-60, 7, 3):  # the first is due in an hour
        pk = issue(api)
        moment = now - timedelta(minutes=minutes)
        Document.unscoped.filter(pk=pk).update(**({"next_attempt_at": None} | {column: moment}))
    told = read()
    assert told[("due", (queue,))] == 2
    assert told[("due_oldest_seconds", (queue,))] == pytest.approx(420, abs=10)


def test_emails_and_webhooks_are_counted_by_state(api: APIClient, alice: Tenant) -> None:
    owner = Document.unscoped.get(pk=issue(api))
    now = timezone.now()
    states: list[dict[str, Any]] = [
        {"next_attempt_at": now - timedelta(minutes=2)},
        {"state": DeliveryState.SENDING, "lease_expires_at": now},
        {"state": DeliveryState.FAILED},
        {"state": DeliveryState.SENT},
        {"state": DeliveryState.SENT, "id": UUID(int=7 << 76)},  # of the year 1970
    ]
    for number, columns in enumerate(states):
        EmailDelivery.unscoped.create(
            tenant=alice, owner=owner, occasion=str(number), message_id="x", **columns
        )
    inbox.store(alice, b'{"id": "unknown"}')
    told = read()
    waiting = [told[("emails_unsent", (state,))] for state in ("QUEUED", "SENDING", "FAILED")]
    assert waiting == [1, 1, 1]
    last_day = [told[("emails_last_day", (state,))] for state in DeliveryState.values]
    assert last_day == [1, 1, 1, 1]
    assert told[("due", ("email",))] == 1
    assert told[("due_oldest_seconds", ("email",))] == pytest.approx(120, abs=10)
    assert told[("webhooks_last_day", ("WAITING",))] == told[("due", ("webhook",))] == 1


def test_calls_to_the_pac_are_a_window_of_five_minutes(alice: Tenant) -> None:
    def called(status: int | None, ms: int, minutes: float = 1, method: str = "POST") -> None:
        PacExchange.unscoped.create(
            tenant=alice,
            method=method,
            path="/x",
            status=status,
            elapsed_ms=ms,
            created_at=timezone.now() - timedelta(minutes=minutes),
        )

    called(201, 90)
    called(201, 700)
    called(503, 40_000)
    called(None, 5000)
    called(200, 100, method="GET")
    called(201, 10, minutes=6)
    told = read()
    calls = {labels: n for (name, labels), n in told.items() if name == "pac_calls_last_5m"}
    assert calls == {
        ("POST", "2xx"): 2,
        ("POST", "5xx"): 1,
        ("POST", "none"): 1,
        ("GET", "2xx"): 1,
    }
    buckets = {
        labels[0]: n
        for (name, labels), n in told.items()
        if name == "pac_latency_seconds_bucket" and labels[1:] == ("POST", "2xx")
    }
    assert list(buckets.values()) == [1, 1, 1, 2, 2, 2, 2, 2, 2]
    assert told[("pac_latency_seconds_gsum", ("POST", "2xx"))] == pytest.approx(0.79)
    assert told[("pac_latency_seconds_bucket", ("35.0", "POST", "5xx"))] == 0
    assert told[("pac_latency_seconds_bucket", ("+Inf", "POST", "5xx"))] == 1


def test_a_circuit_is_named_by_a_part_of_its_hash(alice: Tenant) -> None:
    Breaker.objects.create(key="a" * 64, failures=12, retry_at=timezone.now())
    Breaker.objects.create(key="b" * 64, failures=3)
    Breaker.objects.create(key="c" * 64)
    told = read()
    circuits = {key: value for key, value in told.items() if key[0].startswith("pac_circuit")}
    assert circuits == {
        ("pac_circuit_open", ("a" * 12,)): 1,
        ("pac_circuit_open", ("b" * 12,)): 0,
        ("pac_circuit_failures", ("a" * 12,)): 12,
        ("pac_circuit_failures", ("b" * 12,)): 3,
    }


def test_workers_are_told_by_the_newest_sign_of_life_of_each_role() -> None:
    now = timezone.now()
    for role in ROLES:
        for name, age in (("one", 5), ("two", 30), ("gone", 3600)):
            PumpLease.objects.create(
                name=f"{role}@{name}",
                role=role,
                holder="x",
                renewed_at=now - timedelta(seconds=age),
                expires_at=now,
            )
    told = read()
    for role in ROLES:
        assert told[("worker_heartbeat_age_seconds", (role,))] == pytest.approx(5, abs=4)
        assert told[("workers_alive", (role,))] == 2


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_a_broker_that_is_away_costs_its_own_metric_alone(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def away() -> None:
        raise error("redis://:secret@cache")

    monkeypatch.setattr(collector, "get_broker", away)
    told = read()
    assert told[("broker_up", ())] == 0
    assert ("tasks_queued", ()) not in told
    assert ("due", ("poll",)) in told


# --- what it costs --------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_it_makes_the_same_few_queries_whatever_there_is(
    box: Sandbox, alice: Tenant, client_of: Callable[..., APIClient]
) -> None:
    client = Client()
    with CaptureQueriesContext(connection) as empty:
        client.get("/metrics")
    api = client_of(alice)
    for _ in range(3):
        issue(api)
    work()
    issue(api)
    with CaptureQueriesContext(connection) as full:
        told = read(client)
    assert told[("documents_issued_last_day", ("DGI_AUTHORIZED",))] == 3
    assert (len(empty), len(full)) == (QUERIES, QUERIES)


def test_no_query_reads_a_whole_table(api: APIClient) -> None:
    issue(api)
    with CaptureQueriesContext(connection) as queries:
        read()
    asked = [q["sql"] for q in queries if not any(f'FROM "{name}"' in q["sql"] for name in SMALL)]
    assert len(asked) == QUERIES - len(SMALL)
    plans = [plan_of(sql) for sql in asked]
    assert [plan for plan in plans if not is_narrow(plan)] == []


def plan_of(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table of one row is read whole unless that is forbidden.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def is_narrow(plan: str) -> bool:
    """Whether it reads a part of one index, or all of one that holds only what waits."""
    return "Index Cond" in plan or "SEARCH" in plan or any(name in plan for name in PARTIAL)
