"""`/healthz` and `/readyz`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from cifras import health
from conftest import body
from invoicing.models import Document, PumpLease
from invoicing.pump import ROLES


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
