"""What it costs to find what is due among a hundred thousand pending documents."""

from __future__ import annotations

import time

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from bench import rows
from bench.figures import Figure, median
from bench.listing import original
from invoicing.models import Document
from invoicing.services.claims import due_documents

PENDING = 100_000
TENANTS = 20
ROUNDS, WARM_UP = 30, 5
LIMIT = 50  # ms
SWEEPS = {"submissions": "next_attempt_at", "polls": "next_poll_at"}


def run() -> tuple[list[Figure], list[str]]:
    one = Document.unscoped.filter(tenant__name="original").first() or original()
    # One tenant has most of it, as it is when somebody's backlog builds up.
    shares = [PENDING - (TENANTS - 1) * 100] + [100] * (TENANTS - 1)
    due = {
        "next_attempt_at": "now() - n * interval '1 millisecond'",
        "next_poll_at": "now() - n * interval '1 millisecond'",
        "submission_state": "'QUEUED'",
    }
    for number, share in enumerate(shares):
        rows.multiply(one, rows.make_tenant(f"pending-{number}"), first=1, last=share, **due)
    rows.analyze()
    figures = []
    for name, column in SWEEPS.items():
        took = []
        for turn in range(WARM_UP + ROUNDS):
            began = time.perf_counter()
            with transaction.atomic():
                found = due_documents(column, now=timezone.now(), limit=settings.PAC_CONCURRENCY)
                seconds = time.perf_counter() - began
                transaction.set_rollback(True)
            if len(found) != settings.PAC_CONCURRENCY:
                raise RuntimeError(f"{len(found)} documents were found due.")
            if turn >= WARM_UP:
                took.append(seconds)
        ms = median(took)
        figures.append(
            Figure(
                f"sweep for {name} over {PENDING:,} that are due",
                f"{ms:.1f} ms",
                f"{LIMIT} ms",
                ms / LIMIT,
                f"under {LIMIT} ms",
                ms < LIMIT,
            )
        )
    return figures, [
        f"Sweeps: {settings.PAC_CONCURRENCY} documents claimed, lines and files included, of "
        f"{TENANTS} tenants, one of whom has {shares[0]:,}."
    ]
