"""Asking the PAC now, while somebody waits for the answer."""

from __future__ import annotations

from django.utils import timezone

from invoicing import bell
from invoicing.errors import PacUnavailable
from invoicing.models import Document, GenerationMode
from invoicing.models.history import Event
from invoicing.services.follow import Following
from invoicing.services.history import note
from invoicing.services.identity import has_our_code
from invoicing.services.import_refresh import refresh_import
from invoicing.services.look_up import look_up
from pac.errors import BadFile

DEADLINE = 5.0  # seconds for each of two calls: reading the document, and fetching its PDF
DEADLINE_IN_DOUBT = 3.3  # of three: before these, the list


def refresh(document: Document, *, actor: str = "") -> None:
    """Writes what the PAC says of `document` now, and fetches a missing PDF: ten seconds at most.

    One that was sent and whose answer was lost is looked for by its number and recognised by its
    CUFE. Nothing is sent here, since a POST takes longer than that: where the PAC does not show it,
    and where it was never sent, its submission is due at once. An import is looked for
    (`refresh_import`). Raises `PacUnavailable` where no answer came in time; nothing has changed
    then. Where a person asks (`actor`), the history says so.
    """
    if actor:
        note(document, Event.ASKED, actor=actor)
    if document.generation_mode == GenerationMode.DGI_IMPORT:
        refresh_import(document)
    elif document.document_id or document.hinted_document_id:
        _read(Following(document, deadline=DEADLINE))
    else:
        if document.doubtful_since:
            _recover(document)
        _hurry(document)


def _read(following: Following) -> None:
    reading = following.call()
    following.commit(reading)
    if reading.error and not isinstance(reading.error, BadFile):
        raise PacUnavailable(f"The PAC could not be asked: {reading.error.message}")


def _recover(document: Document) -> None:
    """Follows what the PAC has under our number, as if a webhook had named it: whoever is at the
    document meanwhile, `Following` settles it once and believes nothing but our CUFE."""
    found = look_up(document, has_our_code, deadline=DEADLINE_IN_DOUBT)
    if found:
        document.hinted_document_id = found
        _read(Following(document, deadline=DEADLINE_IN_DOUBT))


def _hurry(document: Document) -> None:
    Document.unscoped.filter(pk=document.pk, next_attempt_at__isnull=False).update(
        next_attempt_at=timezone.now()
    )
    bell.ring()
