"""`?wait=SECONDS`: the answer comes when the verdict does, or as it stands when the time is up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import connection
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from invoicing.models import Document, FiscalEvent, SubmissionState, VoidState

LONGEST = 30  # seconds
GRAIN = 0.2  # seconds

# A waiter holds a thread of the web server. At most half of them may wait: the others go on
# answering, and who finds no free place is answered at once.
_places = threading.BoundedSemaphore(max(1, settings.WEB_THREADS // 2))


def wait_seconds(request: Request) -> int:
    """The seconds that the client is ready to wait, 0 without `?wait`."""
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= LONGEST):
        raise ValidationError({"wait": f"Whole seconds from 0 to {LONGEST}."}, code="invalid")
    return int(text)


def wait_for_verdict(document: Document, seconds: int) -> None:
    """Returns when `legal_status` is not null, when sending has FAILED, or after `seconds`."""
    wait_until(partial(_is_settled, document), seconds)


def wait_for_void(event: FiscalEvent, seconds: int) -> None:
    """Returns when the PAC has answered the void, or after `seconds`."""
    wait_until(
        lambda: not FiscalEvent.unscoped.filter(pk=event.pk, state=VoidState.REQUESTED).exists(),
        seconds,
    )


def wait_until(is_over: Callable[[], bool], seconds: int) -> None:
    """Looks each moment whether it is over. The database connection is given back in between."""
    if not seconds or not _places.acquire(blocking=False):
        return
    try:
        end = time.monotonic() + seconds
        while not is_over() and time.monotonic() < end:
            if not connection.in_atomic_block:
                connection.close()
            time.sleep(GRAIN)
    finally:
        _places.release()


def _is_settled(document: Document) -> bool:
    legal_status, state = (
        Document.unscoped.filter(pk=document.pk)
        .values_list("legal_status", "submission_state")
        .get()
    )
    return legal_status is not None or state in (SubmissionState.FAILED, SubmissionState.NONE)
