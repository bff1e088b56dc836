"""What a person decides or brings where nobody else can: of a doubtful match (our CUFE at the PAC,
with another content) whether it is ours, and of a lost answer the PAC's id."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from invoicing import bell
from invoicing.models import Document, SubmissionState
from invoicing.models.history import Event
from invoicing.services.history import note
from invoicing.services.identity import PAC_ID
from invoicing.services.locks import locked_now
from tenants.errors import Conflict


def adopt(document: Document, *, actor: str, reason: str = "") -> None:
    """It is ours after all: the document takes the PAC's id and is followed from there.

    Raises `Conflict` (`not_doubted`) where no decision is waited for.
    """
    with transaction.atomic():
        current, error = _doubted(document)
        current.document_id = error["document_id"]
        current.submission_state = SubmissionState.DONE
        current.attempts = max(current.attempts, 1)  # it is there, so it was sent
        current.next_poll_at = timezone.now()
        current.doubtful_since = current.submission_error = None
        _decide(current, Event.RECOVERED, actor, reason, document_id=current.document_id)


def disown(document: Document, *, actor: str, reason: str = "") -> None:
    """It is not ours: nothing of ours is at the PAC, and `/retry` gives the document a new number.

    Raises `Conflict` (`not_doubted`) where no decision is waited for.
    """
    with transaction.atomic():
        current, error = _doubted(document)
        current.submission_state = SubmissionState.FAILED
        current.attempts, current.doubtful_since = 0, None
        message = "Somebody decided that the PAC's document is not this one. Retry: a new number."
        current.submission_error = error | {"code": "number_taken", "message": message}
        _decide(current, Event.FAILED, actor, reason, error=current.submission_error)


def identify(document: Document, document_id: str, *, actor: str, reason: str = "") -> None:
    """Somebody has found it at the PAC, under this id: the PAC is asked for it at once, and it is
    adopted where the PAC shows our CUFE there. Nothing is believed without.

    For a PAC without a list whose webhook never came. Raises `Conflict`: `malformed_id`, and
    `not_doubted` for a document of which the PAC's answer is not waited for.
    """
    if not PAC_ID.fullmatch(document_id):
        raise Conflict("malformed_id", "The PAC's ids are ULIDs: 26 letters and digits.")
    with transaction.atomic():
        current = locked_now(document).get()
        if current.submission_state not in (SubmissionState.UNCERTAIN, SubmissionState.FAILED):
            raise Conflict("not_doubted", f"The document is {current.submission_state}.")
        current.hinted_document_id = document_id
        current.next_poll_at = timezone.now()
        current.save(update_fields=["hinted_document_id", "next_poll_at", "updated_at"])
        said = {"reason": reason} if reason else {}
        note(current, Event.ASKED, actor=actor, document_id=document_id, **said)
        transaction.on_commit(bell.ring)


def _doubted(document: Document) -> tuple[Document, dict[str, Any]]:
    current = locked_now(document).get()
    error = current.submission_error or {}
    if (
        current.submission_state != SubmissionState.UNCERTAIN
        or error.get("code") != "match_doubted"
    ):
        raise Conflict("not_doubted", "No decision about this document is waited for.")
    return current, error


def _decide(document: Document, event: Event, actor: str, reason: str, **data: Any) -> None:
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
    note(document, event, actor=actor, **({"reason": reason} if reason else {}), **data)
