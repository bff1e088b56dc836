"""A person's decision about a doubtful match: our CUFE at the PAC, with another content."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from invoicing.models import Document, SubmissionState
from invoicing.models.history import Event
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from tenants.errors import Conflict


def adopt(document: Document, *, actor: str) -> None:
    """It is ours after all: the document takes the PAC's id and is followed from there.

    Raises `Conflict` (`not_doubted`) where no decision is waited for.
    """
    with transaction.atomic():
        current, error = _doubted(document)
        current.document_id = error["document_id"]
        current.submission_state = SubmissionState.DONE
        current.next_poll_at = timezone.now()
        current.doubtful_since = current.submission_error = None
        _decide(current, Event.RECOVERED, actor, document_id=current.document_id)


def disown(document: Document, *, actor: str) -> None:
    """It is not ours: nothing of ours is at the PAC, and `/retry` gives the document a new number.

    Raises `Conflict` (`not_doubted`) where no decision is waited for.
    """
    with transaction.atomic():
        current, error = _doubted(document)
        current.submission_state = SubmissionState.FAILED
        current.attempts, current.doubtful_since = 0, None
        message = "Somebody decided that the PAC's document is not this one. Retry: a new number."
        current.submission_error = error | {"code": "number_taken", "message": message}
        _decide(current, Event.FAILED, actor, error=current.submission_error)


def _doubted(document: Document) -> tuple[Document, dict[str, Any]]:
    current = locked_now(document).get()
    error = current.submission_error or {}
    if (
        current.submission_state != SubmissionState.UNCERTAIN
        or error.get("code") != "match_doubted"
    ):
        raise Conflict("not_doubted", "No decision about this document is waited for.")
    return current, error


def _decide(document: Document, event: Event, actor: str, **data: Any) -> None:
    document.save(
        update_fields=[
            "attempts",
            "document_id",
            "doubtful_since",
            "next_poll_at",
            "submission_error",
            "submission_state",
            "updated_at",
        ]
    )
    note(document, event, actor=actor, **data)
