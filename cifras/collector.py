"""The metrics, counted in the database at each scrape.

Web server and workers are processes of their own, so nothing is counted in any of them: what
matters stands in the rows. A scrape makes the same few queries whatever there is, and each one
reads an index over what waits, what failed, or what is young; none counts a whole table.
`docs/operations.md` lists the metrics with an alarm for each.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import inf
from typing import Any
from uuid import UUID

import django
from django.db import DatabaseError
from django.db.models import Case, CharField, Count, Max, Min, Model, Q, Sum, Value, When
from django.utils import timezone
from django_q.brokers import get_broker
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from cifras import __version__
from invoicing.models import (
    Breaker,
    DeliveryState,
    Document,
    EmailDelivery,
    FiscalEvent,
    GenerationMode,
    LegalStatus,
    PacExchange,
    PumpLease,
    SubmissionState,
)
from invoicing.models.documents import REJECTED
from invoicing.pump import ROLES
from webhooks.models import InboxState, PacDelivery

DAY = timedelta(days=1)
PAC_WINDOW = timedelta(minutes=5)
ALIVE = timedelta(seconds=60)
BUCKETS_MS = (100, 250, 500, 1000, 2500, 5000, 10_000, 35_000)
OUTCOMES = ("2xx", "3xx", "4xx", "5xx", "none")
ON_THEIR_WAY = (
    SubmissionState.QUEUED,
    SubmissionState.SENDING,
    SubmissionState.UNCERTAIN,
    SubmissionState.FAILED,
)
# What the pump takes up when the time in the column has come; a partial index serves each.
QUEUES: dict[str, tuple[type[Model], str]] = {
    "submission": (Document, "next_attempt_at"),
    "lost_submission": (Document, "lease_expires_at"),
    "poll": (Document, "next_poll_at"),
    "void": (FiscalEvent, "next_attempt_at"),
    "email": (EmailDelivery, "next_attempt_at"),
    "webhook": (PacDelivery, "next_try_at"),
}


class Books(Collector):
    """The metrics, read from the database when they are asked for."""

    def collect(self) -> Iterator[Metric]:
        started = time.monotonic()
        now = timezone.now()
        yield _build()
        yield from _documents(now)
        yield from _queues(now)
        yield from _pac(now)
        yield from _circuits(now)
        yield from _emails(now)
        yield _webhooks(now)
        yield from _workers(now)
        yield from _broker()
        yield GaugeMetricFamily(
            "cifras_scrape_seconds",
            "Seconds that this scrape took.",
            value=time.monotonic() - started,
        )


def _build() -> Metric:
    return _family(
        "build_info",
        "Always 1: what runs here.",
        ("version", "python", "django"),
        [((__version__, platform.python_version(), django.get_version()), 1)],
    )


def _documents(now: datetime) -> Iterator[Metric]:
    rows = {
        row["submission_state"]: row
        for row in Document.unscoped.filter(submission_state__in=ON_THEIR_WAY)
        .order_by()
        .values("submission_state")
        .annotate(count=Count("pk"), oldest=Min("queued_at"))
    }
    yield _family(
        "documents_unsent",
        "Documents that are not at the PAC for certain, by how far sending got. FAILED waits for a "
        "person.",
        ("state",),
        [((state,), rows[state]["count"] if state in rows else 0) for state in ON_THEIR_WAY],
    )
    yield _family(
        "documents_unsent_oldest_seconds",
        "Seconds since the oldest document in this state was put into the queue; 0 without one.",
        ("state",),
        [
            ((state,), _age(now, rows[state]["oldest"]) if state in rows else 0)
            for state in ON_THEIR_WAY
        ],
    )
    yield _family(
        "documents_rejected",
        "Documents that the PAC or the DGI rejected, since ever.",
        ("legal_status",),
        _counts(
            Document.unscoped.filter(legal_status__in=REJECTED)
            .order_by()
            .values_list("legal_status")
            .annotate(Count("pk")),
            REJECTED,
        ),
    )
    # The mode is no condition: the planner might take the index of a series for it, which is long.
    young = Document.unscoped.filter(issued_at__gt=now - DAY).order_by()
    fiscal = Count("pk", filter=Q(generation_mode=GenerationMode.DGI))
    yield _family(
        "documents_issued_last_day",
        "Documents issued for the DGI in the last 24 hours, by their verdict now; NONE is without "
        "one yet. Older ones are not counted: that would read the whole table at each scrape.",
        ("legal_status",),
        _counts(
            young.values_list("legal_status").annotate(count=fiscal), ("NONE", *LegalStatus.values)
        ),
    )


def _queues(now: datetime) -> Iterator[Metric]:
    counts, ages = [], []
    for name, (model, column) in QUEUES.items():
        due = (
            model._default_manager.filter(**{f"{column}__lte": now})
            .order_by()
            .aggregate(count=Count(column), oldest=Min(column))
        )
        counts.append(((name,), due["count"]))
        ages.append(((name,), _age(now, due["oldest"])))
    yield _family("due", "What is due now and not taken up yet.", ("queue",), counts)
    yield _family(
        "due_oldest_seconds",
        "Seconds for which the oldest of what is due has been due; 0 where nothing is.",
        ("queue",),
        ages,
    )


def _pac(now: datetime) -> Iterator[Metric]:
    outcome = Case(
        *[
            When(status__gte=hundreds * 100, status__lt=hundreds * 100 + 100, then=Value(name))
            for hundreds, name in enumerate(OUTCOMES[:-1], start=2)
        ],
        default=Value("none"),
        output_field=CharField(),
    )
    within = {f"within_{ms}": Count("pk", filter=Q(elapsed_ms__lte=ms)) for ms in BUCKETS_MS}
    rows = (
        PacExchange.unscoped.filter(created_at__gt=now - PAC_WINDOW)
        .order_by()
        .annotate(outcome=outcome)
        .values("method", "outcome")
        .annotate(count=Count("pk"), ms=Sum("elapsed_ms"), **within)
    )
    calls = []
    latency = GaugeHistogramMetricFamily(
        "cifras_pac_latency_seconds",
        "Seconds that calls to the PAC took, of the last 5 minutes: a window, no running total.",
        labels=["method", "outcome"],
    )
    for row in sorted(rows, key=lambda row: (row["method"], row["outcome"])):
        labels = (row["method"], row["outcome"])
        calls.append((labels, row["count"]))
        buckets = [(str(ms / 1000), row[f"within_{ms}"]) for ms in BUCKETS_MS]
        latency.add_metric(labels, [*buckets, ("+Inf", row["count"])], row["ms"] / 1000)
    yield _family(
        "pac_calls_last_5m",
        "Calls about documents to the PAC in the last 5 minutes, by the kind of answer; `none` is "
        "without a complete one.",
        ("method", "outcome"),
        calls,
    )
    yield latency


def _circuits(now: datetime) -> Iterator[Metric]:
    circuits = list(
        Breaker.objects.filter(failures__gt=0)
        .order_by("key")
        .values_list("key", "failures", "retry_at")
    )
    yield _family(
        "pac_circuit_open",
        "1 while nothing is sent through this circuit (one for each PAC address and token, named "
        "by a part of its hash), 0 while it counts failures. One without a failure is absent.",
        ("circuit",),
        [((key[:12],), int(retry_at is not None)) for key, _, retry_at in circuits],
    )
    yield _family(
        "pac_circuit_failures",
        "Failures in a row of this circuit.",
        ("circuit",),
        [((key[:12],), failures) for key, failures, _ in circuits],
    )


def _emails(now: datetime) -> Iterator[Metric]:
    mails = EmailDelivery.unscoped.order_by()
    waiting = {
        DeliveryState.QUEUED: mails.filter(next_attempt_at__isnull=False),
        DeliveryState.SENDING: mails.filter(lease_expires_at__isnull=False),
        DeliveryState.FAILED: mails.filter(state=DeliveryState.FAILED),
    }
    yield _family(
        "emails_unsent",
        "E-mails of documents that are not sent. FAILED has stopped and waits for a person.",
        ("state",),
        [((state.value,), rows.count()) for state, rows in waiting.items()],
    )
    young = mails.filter(pk__gte=_first_id(now - DAY))
    yield _family(
        "emails_last_day",
        "E-mails queued in the last 24 hours, by their state now.",
        ("state",),
        _counts(young.values_list("state").annotate(Count("pk")), DeliveryState.values),
    )


def _webhooks(now: datetime) -> Metric:
    young = PacDelivery.unscoped.filter(pk__gte=_first_id(now - DAY)).order_by()
    return _family(
        "webhooks_last_day",
        "Webhooks that the PAC delivered in the last 24 hours, by their state now; UNMATCHED "
        "speaks of no document here.",
        ("state",),
        _counts(young.values_list("state").annotate(Count("pk")), InboxState.values),
    )


def _workers(now: datetime) -> Iterator[Metric]:
    rows = {
        row["role"]: row
        for row in PumpLease.objects.order_by()
        .values("role")
        .annotate(seen=Max("renewed_at"), alive=Count("pk", filter=Q(renewed_at__gt=now - ALIVE)))
    }
    yield _family(
        "worker_heartbeat_age_seconds",
        "Seconds since any pump of this role was last seen; +Inf where none ever was.",
        ("role",),
        [((role,), _age(now, rows[role]["seen"]) if role in rows else inf) for role in ROLES],
    )
    yield _family(
        "workers_alive",
        "Clusters whose pump of this role was seen in the last 60 seconds.",
        ("role",),
        [((role,), rows[role]["alive"] if role in rows else 0) for role in ROLES],
    )


def _broker() -> Iterator[Metric]:
    try:
        waiting = get_broker().queue_size()
    except DatabaseError:
        raise
    except Exception:  # whatever the broker's driver raises; the rest is worth telling
        waiting = None
    yield GaugeMetricFamily(
        "cifras_broker_up", "Whether the queue's broker answers.", value=int(waiting is not None)
    )
    if waiting is not None:
        yield GaugeMetricFamily(
            "cifras_tasks_queued", "Tasks in the queue of django-q2 (bells, chores).", value=waiting
        )


def _family(
    name: str,
    help_text: str,
    labels: tuple[str, ...],
    samples: Iterable[tuple[tuple[str, ...], float]],
) -> Metric:
    family = GaugeMetricFamily(f"cifras_{name}", help_text, labels=labels)
    for values, value in samples:
        family.add_metric(values, value)
    return family


def _counts(rows: Iterable[Any], names: Iterable[str]) -> list[tuple[tuple[str, ...], float]]:
    """A sample for each of `names`, also for those that have no row."""
    found = {name or "NONE": count for name, count in rows}
    return [((str(name),), found.get(name, 0)) for name in names]


def _age(now: datetime, since: datetime | None) -> float:
    return max((now - since).total_seconds(), 0) if since else 0


def _first_id(moment: datetime) -> UUID:
    """The lowest id that a row made at `moment` can have (version 7: milliseconds come first), so
    that the primary key answers for the young."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
