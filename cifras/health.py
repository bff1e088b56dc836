"""Is it alive, and is it ready: what a load balancer and an operator ask."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django_q.brokers import get_broker

from invoicing.models import Document, PumpLease
from invoicing.pump import ROLES

HEARTBEAT = timedelta(seconds=60)
LONGEST_WAIT = timedelta(minutes=5)


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers. Touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503, each part with its word.

    `database` and `broker` answer; each `worker_*` was seen in the last 60 s; `oldest_due` is the
    age in seconds of the document that waits longest for its turn, not ready above five minutes.
    """
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "database": _database,
        "broker": _broker,
        **{f"worker_{role}": lambda role=role: _worker(role) for role in ROLES},
        "oldest_due": _oldest_due,
    }
    report = {name: _asked(part) for name, part in parts.items()}
    ready = all(part["ok"] for part in report.values())
    return JsonResponse(
        {"status": "ok" if ready else "not ready", **report}, status=200 if ready else 503
    )


def _asked(part: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return part()
    except (DatabaseError, OSError, ImproperlyConfigured) as error:
        return {"ok": False, "error": type(error).__name__}


def _database() -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return {"ok": True}


def _broker() -> dict[str, Any]:
    return {"ok": bool(get_broker().ping())}


def _worker(role: str) -> dict[str, Any]:
    seen = (
        PumpLease.objects.filter(role=role)
        .order_by("-renewed_at")
        .values_list("renewed_at", flat=True)
        .first()
    )
    if seen is None:
        return {"ok": False, "error": "never seen"}
    age = timezone.now() - seen
    return {"ok": age < HEARTBEAT, "seconds_ago": round(age.total_seconds(), 1)}


def _oldest_due() -> dict[str, Any]:
    now = timezone.now()
    waits = []
    for column in ("next_attempt_at", "next_poll_at", "lease_expires_at"):
        oldest = (
            Document.unscoped.filter(**{f"{column}__lte": now})
            .order_by(column)
            .values_list(column, flat=True)
            .first()
        )
        if oldest:
            waits.append(now - oldest)
    age = max(waits, default=timedelta())
    return {"ok": age < LONGEST_WAIT, "seconds": round(age.total_seconds(), 1)}
