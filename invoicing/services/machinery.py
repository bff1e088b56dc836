"""How the PAC answers and how the worker does: figures for whoever looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Q, QuerySet

from invoicing.models import PacExchange, PumpLease
from invoicing.pump import ROLES
from tenants.models import Tenant

ALIVE = timedelta(seconds=60)
WINDOWS = (timedelta(minutes=15), timedelta(hours=1))
# Answers by which the PAC judged nothing: `pac.errors` tells them from refusals.
NOTHING_JUDGED = (401, 403, 407, 408, 425, 429)
FAILED_CALL = Q(status=None) | Q(status__in=NOTHING_JUDGED) | Q(status__gte=500)


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls to the PAC within a window of time; of their times, None where there was none."""

    window: timedelta
    count: int
    failures: int
    median_ms: int | None
    p95_ms: int | None

    @property
    def failure_rate(self) -> float:
        """From 0 to 1."""
        return self.failures / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """When any pump of the role was last seen; None where none ever was."""

    role: str
    seen: datetime | None
    age: timedelta | None

    @property
    def is_alive(self) -> bool:
        return self.age is not None and self.age <= ALIVE


def calls_within(rows: QuerySet[Any], window: timedelta, *, now: datetime) -> QuerySet[Any]:
    """Of these exchanges, those of the window that ends now."""
    return rows.filter(created_at__gt=now - window)


def pac_calls(
    tenant: Tenant | None, *, now: datetime, windows: Sequence[timedelta] = WINDOWS
) -> list[Calls]:
    """The calls about documents within each window, of every tenant where none is given.

    The database adds up the calls of each duration in milliseconds, of which there are not many:
    the percentiles are exact, and one query serves all windows.
    """
    rows = calls_within(PacExchange.unscoped.all(), max(windows), now=now)
    counts = {}
    for number, window in enumerate(windows):
        within = Q(created_at__gt=now - window)
        counts[f"calls_{number}"] = Count("pk", filter=within)
        counts[f"failures_{number}"] = Count("pk", filter=within & FAILED_CALL)
    durations = list(
        (rows.filter(tenant=tenant) if tenant else rows)
        .order_by("elapsed_ms")
        .values("elapsed_ms")
        .annotate(**counts)
    )
    return [
        _calls(
            window,
            [(row["elapsed_ms"], row[f"calls_{number}"]) for row in durations],
            sum(row[f"failures_{number}"] for row in durations),
        )
        for number, window in enumerate(windows)
    ]


def _calls(window: timedelta, durations: Sequence[tuple[int, int]], failures: int) -> Calls:
    count = sum(calls for _, calls in durations)
    return Calls(
        window, count, failures, percentile(durations, 50, count), percentile(durations, 95, count)
    )


def percentile(durations: Sequence[tuple[int, int]], percent: int, count: int) -> int | None:
    """The nearest rank: the shortest of the durations, each given with its number of calls and in
    ascending order, within which `percent` of all `count` calls ended."""
    rank = -(-count * percent // 100)
    passed = 0
    for duration, calls in durations:
        passed += calls
        if calls and passed >= rank:
            return duration
    return None


def heartbeats(*, now: datetime) -> list[Heartbeat]:
    """Each role of the worker, also one that was never seen."""
    seen = dict(PumpLease.objects.order_by().values_list("role").annotate(last=Max("renewed_at")))
    return [
        Heartbeat(role, seen.get(role), now - seen[role] if role in seen else None)
        for role in ROLES
    ]
