from typing import Any

from invoicing.models import Document, HistoryEntry
from invoicing.models.history import Event


def note(document: Document, event: Event, actor: str = "", **data: Any) -> None:
    """Writes what happened to `document`; belongs in the commit that made it happen."""
    HistoryEntry(
        tenant_id=document.tenant_id, owner=document, event=event, actor=actor, data=data
    ).save(force_insert=True)
