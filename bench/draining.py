"""How near the worker comes to what its concurrency allows, at a PAC that takes its time."""

from __future__ import annotations

import time
from dataclasses import replace

from django.conf import settings
from django.test import Client
from django.utils import timezone

from bench import posting, world
from bench.figures import Figure
from cifras.local_processes import Machine
from invoicing.models import Document
from invoicing.pump import ROLES, Pump, Source
from invoicing.services import follow, submit
from tenants.models import ApiKey, Tenant

DOCUMENTS = 1000
LATENCY = 200  # milliseconds
OF_A_POLL = 2  # calls: the document, and its PDF


def run(machine: Machine) -> tuple[list[Figure], list[str]]:
    with world.Pac.running(machine, latency=LATENCY):
        world.onboarded(machine)
        tenant = Tenant.objects.get()
        _, key = ApiKey.objects.issue(tenant=tenant, name="drain")
        Document.unscoped.update(next_attempt_at=None, next_poll_at=None)
        client = Client(SERVER_NAME="localhost", HTTP_AUTHORIZATION=f"Bearer {key}")
        for _ in range(DOCUMENTS + 1):
            posting.post(client, "/api/v1/invoices", posting.ours(2))
        # The first also verifies the receiver's RUC, which the others then need not.
        due = Document.unscoped.filter(next_attempt_at__isnull=False)
        last = due.order_by("id").values_list("pk", flat=True)[0]
        rest = list(due.exclude(pk=last).values_list("pk", flat=True))
        Document.unscoped.filter(pk__in=rest).update(next_attempt_at=None)
        drain(submit.claim_due)
        Document.unscoped.filter(pk__in=rest).update(next_attempt_at=timezone.now())
        submitted = drain(submit.claim_due)
        waiting = Document.unscoped.filter(pk__in=rest, submission_state="DONE")
        if waiting.count() != DOCUMENTS:
            raise RuntimeError("Not every invoice reached the PAC.")
        waiting.update(next_poll_at=timezone.now())
        polled = drain(follow.claim_due)
    figures = [
        figure(f"{DOCUMENTS} queued invoices submitted", submitted, calls=1),
        figure(f"{DOCUMENTS} invoices polled, PDFs stored", polled, calls=OF_A_POLL),
    ]
    return figures, [
        f"Draining: one worker, `PAC_CONCURRENCY={settings.PAC_CONCURRENCY}`, a PAC that takes "
        f"{LATENCY} ms for each call; the most there can be is concurrency / latency."
    ]


def figure(name: str, seconds: float, *, calls: int) -> Figure:
    rate = DOCUMENTS / seconds
    most = settings.PAC_CONCURRENCY / (calls * LATENCY / 1000)
    ratio = rate / most
    return Figure(
        name, f"{rate:.1f}/s", f"{most:.0f}/s can be", ratio, "at least 0.80", ratio >= 0.8
    )


def drain(source: Source) -> float:
    """Seconds until nothing of this source is due."""
    began = time.perf_counter()
    Pump(replace(ROLES["pac"], sources=[source], chores=[])).drain()
    return time.perf_counter() - began
