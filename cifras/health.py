"""Is it alive, and is it ready: what a load balancer and an operator ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.models import Min, Model
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django_q.brokers import get_broker

from invoicing.models import Document, EmailDelivery, FiscalEvent, PacExchange, PumpLease
from invoicing.pump import ROLES
from invoicing.services import breaker
from tenants.models import Tenant
from webhooks.models import PacDelivery

HEARTBEAT = timedelta(seconds=60)
LONGEST_WAIT = timedelta(minutes=5)


def healthz(request: HttpRequest) -> JsonResponse:
    """200 as long as the process answers. Touches nothing else."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when every part works, else 503, each part with its word.

    `database` and `broker` answer; each `worker_*` was seen in the last 60 s; `oldest_due` is the
    seconds that a document, void, e-mail or webhook has waited longest for its turn: not ready
    above five minutes, but where the PAC is away, or where the queue is long and moves.
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
    """Documents behind a circuit that is not closed rest by intention: the PAC's outage is not
    ours. A queue that is long, but moves, is a lot of work, not a fault."""
    now = timezone.now()
    resting = Tenant.objects.filter(breaker.behind(breaker.open_circuits()))
    ages, ok = [timedelta()], True
    for queue in QUEUES:
        due = queue.model._default_manager.filter(**{f"{queue.column}__lte": now})
        if queue.rests:
            due = due.exclude(tenant__in=resting)
        oldest = due.aggregate(oldest=Min(queue.column))["oldest"]
        if oldest is None:
            continue
        ages.append(now - oldest)
        ok = ok and (now - oldest < LONGEST_WAIT or queue.moves(now))
    return {"ok": ok, "seconds": round(max(ages).total_seconds(), 1)}


def _talks_to_the_pac(now: datetime) -> bool:
    last = PacExchange.unscoped.order_by("-pk").values_list("created_at", flat=True).first()
    return last is not None and now - last < HEARTBEAT


def _is_mailing(now: datetime) -> bool:
    return EmailDelivery.unscoped.filter(lease_expires_at__gt=now).exists()


def _is_never_long(now: datetime) -> bool:
    """Of what a sweep does as a whole, each second."""
    return False


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows that are due when the time in `column` has come; `rests` behind an open circuit."""

    model: type[Model]
    column: str
    moves: Callable[[datetime], bool] = _is_never_long
    rests: bool = False


QUEUES = [
    Queue(Document, "next_attempt_at", _talks_to_the_pac, rests=True),
    Queue(Document, "next_poll_at", _talks_to_the_pac, rests=True),
    Queue(FiscalEvent, "next_attempt_at", _talks_to_the_pac, rests=True),
    Queue(EmailDelivery, "next_attempt_at", _is_mailing),
    Queue(Document, "lease_expires_at"),
    Queue(EmailDelivery, "lease_expires_at"),
    Queue(PacDelivery, "next_try_at"),
]
