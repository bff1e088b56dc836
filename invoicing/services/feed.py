"""The feed: the histories of all of a tenant's documents as one list that a program follows.

An entry's id is given before its commit, so that one that commits late would appear behind others
that were read already. Entries get their place in the feed afterwards, by one hand at a time for
each tenant: what is read in the order of places misses none.
"""

from __future__ import annotations

import time
from uuid import UUID

from django.db import transaction

from invoicing.models import FeedEnd, HistoryEntry

BATCH = 500
BUDGET = 0.5  # seconds after which nobody gets a second batch


def give_places() -> int:
    """Gives a place to the entries that have none, each tenant's oldest first; how many got one.

    A chore of the pump. A kill leaves entries without a place, which the next one finds.
    """
    began, done = time.monotonic(), 0
    waiting = HistoryEntry.unscoped.filter(place=None).order_by()
    tenants = list(waiting.values_list("tenant_id", flat=True).distinct())
    while tenants:
        given = {tenant_id: _give_places_of(tenant_id) for tenant_id in tenants}
        done += sum(given.values())
        # Who has many waits for those who have few, and nobody for more than his share.
        late = time.monotonic() - began > BUDGET
        tenants = [] if late else [each for each, count in given.items() if count == BATCH]
    return done


def _give_places_of(tenant_id: UUID) -> int:
    with transaction.atomic():
        FeedEnd.unscoped.bulk_create([FeedEnd(tenant_id=tenant_id)], ignore_conflicts=True)
        end = FeedEnd.unscoped.select_for_update().get(tenant_id=tenant_id)
        # Read under the lock: what another worker has placed meanwhile is not placed again.
        waiting = HistoryEntry.unscoped.filter(tenant_id=tenant_id, place=None)
        entries = list(waiting.only("id").order_by("id")[:BATCH])
        for place, entry in enumerate(entries, end.last + 1):
            entry.place = place
        HistoryEntry.unscoped.bulk_update(entries, ["place"], batch_size=250)
        end.last += len(entries)
        end.save(update_fields=["last"])
    return len(entries)
