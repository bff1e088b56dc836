"""The PAC's deliveries: stored at once, followed by the pump.

A delivery says "look at this document". It is matched by the PAC's id, or by the CUFE that was
computed before sending, and then the document is followed exactly as by a poll: no word of the
delivery itself is believed. A kill anywhere leaves a row that is due, or a delivery that was never
answered, which the PAC repeats or the poll makes good.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from invoicing.models import Document
from pac import wire
from tenants.base import new_id
from tenants.models import Tenant
from webhooks.models import InboxState, PacDelivery

GIVE_UP = 12  # tries; the pauses double from one second, an hour altogether
BATCH = 200
FINISHED = Q(legal_status__in=["DGI_REJECTED", "PAC_REJECTED"])


def store(tenant: Tenant, body: bytes) -> None:
    """Keeps a delivery, in one statement. One that was seen before is due once more.

    Raises `ValueError` for what is not JSON.
    """
    wire.decode(body)
    now = timezone.now()
    PacDelivery.unscoped.bulk_create(
        [
            PacDelivery(
                id=new_id(),
                tenant=tenant,
                body=wire.storable_text(body.decode("utf-8-sig")),
                digest=hashlib.sha256(body).hexdigest(),
                next_try_at=now,
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant", "digest"],
        update_fields=["next_try_at"],
    )


def attend() -> int:
    """Follows what waits in the inbox: a chore of the pump. How many deliveries it looked at."""
    now = timezone.now()
    due = list(PacDelivery.unscoped.filter(next_try_at__lte=now).order_by("next_try_at")[:BATCH])
    for delivery in due:
        if hint(delivery, now):
            changes: dict[str, Any] = {"state": InboxState.MATCHED, "next_try_at": None}
        elif delivery.tries + 1 >= GIVE_UP:
            changes = {"state": InboxState.UNMATCHED, "next_try_at": None}
        else:
            # The document may be about to commit: the webhook can be faster than the answer.
            changes = {"next_try_at": now + timedelta(seconds=2**delivery.tries)}
        PacDelivery.unscoped.filter(pk=delivery.pk, next_try_at=delivery.next_try_at).update(
            tries=F("tries") + 1, updated_at=now, **changes
        )
    return len(due)


def hint(delivery: PacDelivery, now: datetime) -> bool:
    """Makes the document that the delivery speaks of due for a look; False where there is none."""
    body = wire.decode(delivery.body.encode())
    document_id, cufe = _text(body, "id"), _text(body, "cufe")
    ours = Document.unscoped.filter(tenant_id=delivery.tenant_id)
    if document_id:
        known = ours.filter(document_id=document_id)
        if known.exclude(FINISHED).update(next_poll_at=now) or known.exists():
            return True
    if document_id and cufe and len(document_id) <= 26:
        # The answer to our POST is not here yet, or never will be: the PAC names the id.
        named = ours.filter(computed_cufe=cufe, document_id__isnull=True)
        return bool(named.update(hinted_document_id=document_id, next_poll_at=now))
    return False


def _text(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, dict) else None
    return value if isinstance(value, str) else ""
