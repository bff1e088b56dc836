"""The PAC's deliveries: stored at once, followed by the pump.

A delivery says "look at this document". It is matched by the PAC's id, or by the CUFE that was
computed before sending, and then the document is followed exactly as by a poll: no word of the
delivery itself is believed. A kill anywhere leaves a row that is due, or a delivery that was never
answered, which the PAC repeats or the poll makes good.
"""

from __future__ import annotations

import hashlib
import json
import logging
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import DatabaseError
from django.db.models import F, Q
from django.utils import timezone

from invoicing.models import Document
from invoicing.services.identity import PAC_ID
from pac import wire
from tenants.base import new_id
from tenants.models import Tenant
from webhooks.models import InboxState, PacDelivery

log = logging.getLogger(__name__)

GIVE_UP = 12  # tries; the pauses double from one second, half an hour altogether
BATCH = 200
KEPT = timedelta(days=30)
FINISHED = Q(legal_status__in=["DGI_REJECTED", "PAC_REJECTED"])


def store(tenant: Tenant, body: bytes) -> None:
    """Keeps a delivery, in one statement. One that was seen before is due once more, as if new.

    Raises `ValueError` for what is not JSON.
    """
    read(body)
    now = timezone.now()
    PacDelivery.unscoped.bulk_create(
        [
            PacDelivery(
                id=new_id(),
                tenant=tenant,
                body=wire.storable_text(body.decode("utf-8-sig")),
                digest=hashlib.sha256(body).hexdigest(),
                next_try_at=now,
                updated_at=now,
            )
        ],
        update_conflicts=True,
        unique_fields=["tenant", "digest"],
        update_fields=["next_try_at", "state", "tries", "updated_at"],
    )


def attend() -> int:
    """Follows what waits in the inbox: a chore of the pump. How many deliveries it looked at."""
    now = timezone.now()
    due = list(PacDelivery.unscoped.filter(next_try_at__lte=now).order_by("next_try_at")[:BATCH])
    for delivery in due:
        if _found(delivery, now):
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


def _found(delivery: PacDelivery, now: datetime) -> bool:
    """`hint`, whose failure costs this delivery a try and no other delivery anything."""
    try:
        return hint(delivery, now)
    except (DatabaseError, ValueError):
        log.exception("The delivery %s could not be attended", delivery.pk)
        return False


def hint(delivery: PacDelivery, now: datetime) -> bool:
    """Makes the document that the delivery speaks of due for a look; False where there is none."""
    body = read(delivery.body.encode())
    document_id, cufe = _text(body, "id"), _text(body, "cufe")
    ours = Document.unscoped.filter(tenant_id=delivery.tenant_id)
    if document_id:
        known = ours.filter(document_id=document_id)
        if known.exclude(FINISHED).update(next_poll_at=now) or known.exists():
            return True
    if cufe and PAC_ID.fullmatch(document_id):
        # The answer to our POST is not here yet, or never will be: the PAC names the id.
        named = ours.filter(computed_cufe=cufe, document_id__isnull=True)
        return bool(named.update(hinted_document_id=document_id, next_poll_at=now))
    return False


def read(body: bytes) -> Any:
    """What the JSON text `body` says, but for its numbers, of which no hint is made: they become
    None, however long they are. Raises `ValueError` for what is not JSON or not UTF-8."""
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_int=_nothing,
            parse_float=_nothing,
            parse_constant=_refuse,
        )
    except RecursionError as error:
        raise ValueError("it nests too deeply") from error


def _nothing(number: str) -> None:
    return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _text(body: Any, key: str) -> str:
    value = body.get(key) if isinstance(body, dict) else None
    return wire.storable_text(value) if isinstance(value, str) else ""


def reap() -> int:
    """Forgets deliveries that were attended a month ago; how many there were."""
    old = PacDelivery.unscoped.filter(next_try_at=None, created_at__lt=timezone.now() - KEPT)
    count, _ = old.delete()
    return count
