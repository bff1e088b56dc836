"""Asking the PAC now, while somebody waits for the answer."""

from __future__ import annotations

from django.utils import timezone

from invoicing import bell
from invoicing.errors import PacUnavailable
from invoicing.models import Document, GenerationMode
from invoicing.models.history import Event
from invoicing.services.follow import Following
from invoicing.services.history import note
from invoicing.services.import_refresh import refresh_import
from pac.errors import BadFile

DEADLINE = 5.0  # seconds for each of two calls: reading the document, and fetching its PDF


def refresh(document: Document, *, actor: str = "") -> None:
    """Writes what the PAC says of `document` now, and fetches a missing PDF: ten seconds at most.

    What has no id at the PAC yet is only hurried along: its submission is due at once; an import is
    looked for (`refresh_import`). Raises `PacUnavailable` where no answer came in time; nothing has
    changed then. Where a person asks (`actor`), the history says so.
    """
    if actor:
        note(document, Event.ASKED, actor=actor)
    if document.generation_mode == GenerationMode.DGI_IMPORT:
        refresh_import(document)
        return
    if not (document.document_id or document.hinted_document_id):
        Document.unscoped.filter(pk=document.pk, next_attempt_at__isnull=False).update(
            next_attempt_at=timezone.now()
        )
        bell.ring()
        return
    following = Following(document, deadline=DEADLINE)
    reading = following.call()
    following.commit(reading)
    if reading.error and not isinstance(reading.error, BadFile):
        raise PacUnavailable(f"The PAC could not be asked: {reading.error.message}")
