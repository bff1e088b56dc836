"""What waits for its turn at the worker, and for how long: one definition for lists and dashboard.

The worker takes rows whose time in a column has come. A floor above brings its own queue:
`add_queue`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, DateTimeField, F, Min, Model, QuerySet
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from invoicing.models import Document, EmailDelivery, FiscalEvent
from tenants.models import Tenant

QUEUED = Coalesce("queued_at", "created_at", output_field=DateTimeField())


@dataclass(frozen=True, slots=True)
class Queue:
    """Rows of `model` that wait while `column` is set, and have waited since `since`.

    A partial index over `column` has to stand behind it: nothing else keeps this cheap.
    """

    name: str
    label: str | Promise
    model: type[Model]
    column: str
    since: Combinable

    def rows(self, tenant: Tenant | None = None) -> QuerySet[Any]:
        rows = self.model._default_manager.filter(**{f"{self.column}__isnull": False})
        return rows.filter(tenant=tenant) if tenant else rows


@dataclass(frozen=True, slots=True)
class Standing:
    """How many wait in a queue, and since when the oldest of them."""

    queue: Queue
    count: int
    oldest: datetime | None


_queues = [
    Queue("submission", _("Envío al PAC"), Document, "next_attempt_at", QUEUED),
    Queue("poll", _("Veredicto o PDF del PAC"), Document, "next_poll_at", QUEUED),
    Queue("void", _("Anulación"), FiscalEvent, "next_attempt_at", F("requested_at")),
    Queue("email", _("Correo"), EmailDelivery, "next_attempt_at", F("created_at")),
]


def add_queue(queue: Queue) -> None:
    """Lets an app above this one show what waits there."""
    _queues.append(queue)


def queues() -> Sequence[Queue]:
    return tuple(_queues)


def standing(tenant: Tenant | None = None) -> list[Standing]:
    """Each queue as it stands, of every tenant where none is given; one query each, which reads
    what waits and nothing else."""
    return [
        Standing(
            queue,
            **queue.rows(tenant).order_by().aggregate(count=Count("pk"), oldest=Min(queue.since)),
        )
        for queue in queues()
    ]
