"""`/healthz` and `/readyz`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.db.models import Model
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from cifras import health
from conftest import body
from invoicing import pump
from invoicing.models import (
    Breaker,
    Document,
    EmailDelivery,
    FiscalEvent,
    PacExchange,
    PumpLease,
)
from invoicing.pump import ROLES
from invoicing.services import breaker
from pac.sandbox import Sandbox
from tenants.models import Tenant
from webhooks.models import PacDelivery


def readyz(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get("/readyz")
    return response.status_code, response.json()


def beat(role: str, *, seconds_ago: float = 0, name: str = "here") -> None:
    now = timezone.now()
    PumpLease.objects.create(
        name=f"{role}@{name}",
        role=role,
        holder="tests",
        renewed_at=now - timedelta(seconds=seconds_ago),
        expires_at=now,
    )


@pytest.fixture
def workers(db: None) -> None:
    for role in ROLES:
        beat(role)


def test_alive_needs_no_database(client: Client) -> None:
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_when_every_part_works(client: Client, workers: None) -> None:
    status, report = readyz(client)
    assert status == 200
    assert report["status"] == "ok"
    assert set(report) == {
        *("status", "database", "broker", "oldest_due"),
        *(f"worker_{role}" for role in ROLES),
    }


@pytest.mark.django_db
def test_not_ready_before_a_worker_was_seen(client: Client) -> None:
    status, report = readyz(client)
    assert (status, report["status"]) == (503, "not ready")
    assert report["worker_pac"] == {"ok": False, "error": "never seen"}


@pytest.mark.parametrize(("age", "ok"), [(59, True), (61, False)])
@pytest.mark.django_db
def test_a_worker_that_was_not_seen_for_a_minute_is_gone(
    client: Client, age: float, ok: bool
) -> None:
    beat("mail")
    beat("pac", seconds_ago=3600, name="long gone")
    beat("pac", seconds_ago=age)
    status, report = readyz(client)
    assert (status == 200, report["worker_pac"]["ok"], report["worker_mail"]["ok"]) == (
        ok,
        ok,
        True,
    )


@pytest.mark.parametrize("column", ["next_attempt_at", "next_poll_at", "lease_expires_at"])
@pytest.mark.parametrize(("minutes", "ok"), [(4, True), (6, False)])
def test_a_document_that_waits_too_long_makes_it_not_ready(
    client: Client, workers: None, api: APIClient, column: str, minutes: int, ok: bool
) -> None:
    api.post("/api/v1/invoices", body())
    since = timezone.now() - timedelta(minutes=minutes)
    Document.unscoped.update(**({"next_attempt_at": None} | {column: since}))
    status, report = readyz(client)
    assert (status == 200, report["oldest_due"]["ok"]) == (ok, ok)
    assert report["oldest_due"]["seconds"] == pytest.approx(minutes * 60, abs=5)


def test_a_document_that_is_due_later_does_not_count(
    client: Client, workers: None, api: APIClient
) -> None:
    api.post("/api/v1/invoices", body())
    Document.unscoped.update(next_attempt_at=timezone.now() + timedelta(hours=1))
    assert readyz(client)[1]["oldest_due"] == {"ok": True, "seconds": 0.0}


@pytest.fixture
def waits(api: APIClient) -> Callable[[type[Model], str, int], None]:
    """Lets a row of one of the queues have been due for some minutes, and nothing else be."""

    def make(model: type[Model], column: str, minutes: int) -> None:
        api.post("/api/v1/invoices", body())
        Document.unscoped.update(next_attempt_at=None)
        document = Document.unscoped.get()
        owned: dict[str, Any] = {"tenant": document.tenant, "owner": document}
        match model.__name__:
            case "FiscalEvent":
                FiscalEvent(**owned, requested_at=timezone.now()).save(force_insert=True)
            case "EmailDelivery":
                EmailDelivery(**owned, occasion="o").save(force_insert=True)
            case "PacDelivery":
                PacDelivery(tenant=document.tenant, body="{}", digest="d").save(force_insert=True)
        since = timezone.now() - timedelta(minutes=minutes)
        model._default_manager.update(**{column: since})

    return make


@pytest.mark.parametrize("queue", health.QUEUES, ids=lambda q: f"{q.model.__name__}.{q.column}")
@pytest.mark.parametrize(("minutes", "ok"), [(4, True), (6, False)])
def test_each_queue_counts(
    client: Client,
    workers: None,
    waits: Callable[[type[Model], str, int], None],
    queue: health.Queue,
    minutes: int,
    ok: bool,
) -> None:
    waits(queue.model, queue.column, minutes)
    status, report = readyz(client)
    assert (status == 200, report["oldest_due"]["ok"]) == (ok, ok)
    assert report["oldest_due"]["seconds"] == pytest.approx(minutes * 60, abs=5)


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (Document, "next_attempt_at"),
        (Document, "next_poll_at"),
        (FiscalEvent, "next_attempt_at"),
    ],
)
def test_what_rests_while_the_pac_is_away_does_not_take_the_web_server_away_too(
    client: Client,
    workers: None,
    alice: Tenant,
    bob: Tenant,
    waits: Callable[[type[Model], str, int], None],
    model: type[Model],
    column: str,
) -> None:
    waits(model, column, 60)
    assert readyz(client)[0] == 503
    circuit = Breaker.objects.create(
        key=breaker.key_of(alice), failures=10, retry_at=timezone.now() + timedelta(seconds=30)
    )
    status, report = readyz(client)
    assert (status, report["oldest_due"]) == (200, {"ok": True, "seconds": 0.0})
    # Its rest is over and the probe has not gone yet: a second later it will have.
    Breaker.objects.update(retry_at=timezone.now())
    assert readyz(client)[0] == 200
    # Another token's outage is no excuse.
    bob.pac_token = "bob's own"
    bob.save()
    Breaker.objects.filter(pk=circuit.pk).update(key=breaker.key_of(bob))
    assert readyz(client)[0] == 503


def test_a_long_queue_that_moves_is_work_and_no_fault(
    client: Client,
    workers: None,
    waits: Callable[[type[Model], str, int], None],
    alice: Tenant,
) -> None:
    waits(Document, "next_attempt_at", 20)
    exchange = PacExchange(
        tenant=alice, owner=Document.unscoped.get(), method="POST", path="/", elapsed_ms=1
    )
    exchange.save(force_insert=True)
    status, report = readyz(client)
    assert (status, report["oldest_due"]["ok"]) == (200, True)
    assert report["oldest_due"]["seconds"] == pytest.approx(1200, abs=5)
    PacExchange.unscoped.update(created_at=timezone.now() - timedelta(seconds=61))
    assert readyz(client)[0] == 503


def test_a_worker_that_beats_and_moves_nothing_is_noticed_and_the_next_run_heals_it(
    client: Client, box: Sandbox, workers: None, api: APIClient
) -> None:
    api.post("/api/v1/invoices", body())
    Document.unscoped.update(next_attempt_at=timezone.now() - timedelta(minutes=6))
    assert readyz(client)[1]["worker_pac"]["ok"]
    assert readyz(client)[0] == 503
    pump.pump("pac", seconds=0.1)
    assert readyz(client)[0] == 200


@pytest.fixture(params=[OperationalError, OSError, ImproperlyConfigured])
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A broker that answers with an error."""

    def fail() -> None:
        raise request.param("the password is: secret")

    monkeypatch.setattr(health, "get_broker", fail)
    return request.param.__name__


def test_a_part_that_fails_is_named_and_its_words_are_kept_back(
    client: Client, workers: None, broken: str
) -> None:
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["broker"] == {"ok": False, "error": broken}
    assert response.json()["database"] == {"ok": True}
    assert b"secret" not in response.content
