"""Who is next: what is due, shared out fairly between tenants.

Every tenant with something due gets the same share, so that a backlog of one does not delay
another. Rows that another worker is claiming at this moment are passed over (PostgreSQL; SQLite has
one writer at a time anyway).
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import Q, QuerySet

from invoicing.models import Document
from invoicing.services import breaker
from tenants.base import TenantOwned
from tenants.models import Tenant

log = logging.getLogger(__name__)

UNREADABLE_FOR = timedelta(minutes=15)

Row = TypeVar("Row", bound=TenantOwned)


def due_documents(column: str, *, now: datetime, limit: int) -> list[Document]:
    """Up to `limit` documents whose `column` lies in the past, locked for the caller's transaction,
    with all that a claim needs to know of them. Promises what `due_keys` and `read` promise."""
    rows = Document.unscoped.select_related("tenant", "office").prefetch_related("lines", "files")
    return read(rows, due_keys(Document, column, now=now, limit=limit), column, now)


def due_keys(model: type[TenantOwned], column: str, *, now: datetime, limit: int) -> list[UUID]:
    """Keys of up to `limit` rows on their way to the PAC whose `column` lies in the past, locked.

    Behind a circuit that is not closed everything rests, but for one probe when the rest is over.
    While others wait, probes take half of the room at most: they may hang until their deadline.
    """
    circuits = breaker.open_circuits()
    waiting = waiting_tenants(model, column, now, limit, ~breaker.behind(circuits))
    ready = [circuit for circuit in circuits if circuit.retry_at and circuit.retry_at <= now]
    room = (limit + random.randint(0, 1)) // 2 if waiting else limit  # noqa: S311 (fairness)
    random.shuffle(ready)
    chosen: list[UUID] = []
    for circuit in sorted(ready[:room], key=lambda circuit: circuit.key):
        stopped = waiting_tenants(model, column, now, 1, breaker.behind([circuit]))
        probe = share_out(model, column, now, stopped, 1)
        if probe and breaker.claim_probe(circuit, probe[0], now):
            chosen += probe
    return chosen + share_out(model, column, now, waiting, limit - len(chosen))


def waiting_tenants(
    model: type[TenantOwned], column: str, now: datetime, limit: int, among: Q | None = None
) -> list[UUID]:
    """Up to `limit` of the tenants `among` all who have something due, drawn by lot.

    One partial index tells, by a probe per tenant or read as a whole, whichever is less.
    """
    due = model.unscoped.filter(**{f"{column}__lte": now}).order_by().values("tenant")
    tenants = Tenant.objects.filter(among or Q(), pk__in=due).order_by("?")
    return list(tenants.values_list("pk", flat=True)[:limit])


def share_out(
    model: type[TenantOwned], column: str, now: datetime, tenants: Sequence[UUID], limit: int
) -> list[UUID]:
    """Keys of up to `limit` rows of these tenants whose `column` lies in the past, locked: the same
    share for each, the oldest first. What some do not need goes to those who have more."""
    chosen: list[UUID] = []
    while tenants and len(chosen) < limit:
        have_more = []
        for position, tenant in enumerate(tenants):
            share = -(-(limit - len(chosen)) // (len(tenants) - position))
            if share <= 0:
                break
            rows = model.unscoped.filter(**{f"{column}__lte": now}, tenant=tenant)
            rows = rows.exclude(pk__in=chosen).order_by(column)
            taken = list(locked(rows).values_list("pk", flat=True)[:share])
            chosen += taken
            if len(taken) == share:
                have_more.append(tenant)
        tenants = have_more
    return chosen


def locked(rows: QuerySet[Any]) -> QuerySet[Any]:
    if connection.features.has_select_for_update_skip_locked:
        return rows.select_for_update(skip_locked=True, of=("self",))
    return rows


def read(rows: QuerySet[Row], keys: list[UUID], column: str, now: datetime) -> list[Row]:
    """The `rows` with these keys, those that wait longest first.

    One that cannot be read (its tenant's secrets open with no key) must not stop the others: it is
    put off for 15 minutes, with an error in the log.
    """
    found = _readable(rows, keys)
    unreadable = set(keys) - {row.pk for row in found}
    if unreadable:
        put_off = {column: now + UNREADABLE_FOR}
        rows.model.unscoped.filter(pk__in=unreadable).update(**put_off)
    return sorted(found, key=attrgetter(column))


def _readable(rows: QuerySet[Row], keys: list[UUID]) -> list[Row]:
    try:
        return list(rows.filter(pk__in=keys))
    except Exception:
        if len(keys) == 1:
            log.exception("%s %s cannot be read: it is put off", rows.model.__name__, keys[0])
            return []
    return [row for key in keys for row in _readable(rows, [key])]
