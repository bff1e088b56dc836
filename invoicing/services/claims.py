"""Who is next: what is due, shared out fairly between tenants."""

from __future__ import annotations

import random
from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q, QuerySet

from invoicing.models import Document
from invoicing.services import breaker
from tenants.models import Tenant


def due_documents(column: str, *, now: datetime, limit: int) -> list[Document]:
    """Up to `limit` documents whose `column` lies in the past, locked for the caller's transaction.

    Every tenant with something due gets the same share, so that a backlog of one does not delay
    another. Behind an open circuit everything rests, but for one probe when the rest is over. Rows
    that another worker is claiming at this moment are passed over (PostgreSQL; SQLite has one
    writer at a time anyway).
    """
    due = Q(**{f"{column}__lte": now})
    circuits = breaker.open_circuits()
    chosen: list[UUID] = []
    for circuit in circuits:
        if circuit.retry_at and circuit.retry_at <= now:
            probe = _share(due, column, 1, Q(pk__in=breaker.tenants_of([circuit])))
            if probe and breaker.claim_probe(circuit, now):
                chosen += probe
    chosen += _share(due, column, limit - len(chosen), ~Q(pk__in=breaker.tenants_of(circuits)))
    documents = (
        Document.unscoped.filter(pk__in=chosen)
        .select_related("tenant", "office")
        .prefetch_related("lines", "files")
    )
    return sorted(documents, key=lambda document: getattr(document, column))


def _share(due: Q, column: str, limit: int, tenants: Q) -> list[UUID]:
    """Keys of up to `limit` due documents, shared out between those `tenants` who are waiting.

    One probe of a partial index per tenant finds who is, whatever the backlog.
    """
    waiting = list(
        Tenant.objects.filter(tenants, Exists(Document.unscoped.filter(due, tenant=OuterRef("pk"))))
        .order_by()
        .values_list("pk", flat=True)
    )
    random.shuffle(waiting)
    chosen: list[UUID] = []
    for position, tenant in enumerate(waiting):
        share = -(-(limit - len(chosen)) // (len(waiting) - position))
        if share <= 0:
            break
        rows = Document.unscoped.filter(due, tenant=tenant).order_by(column)
        chosen += locked(rows).values_list("pk", flat=True)[:share]
    return chosen


def locked(rows: QuerySet[Document]) -> QuerySet[Document]:
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows
