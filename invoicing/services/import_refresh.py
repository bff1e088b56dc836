"""Asking the PAC about an import, while somebody waits.

An import may have been issued through another PAC, or under another id than the client named, so
that nothing is believed but the CUFE: what the PAC shows is adopted if, and only if, it carries it.
From then on the import is followed like any other document. What nobody told of it, its receiver or
its total, is the PAC's, where that tells it. A kill leaves it as it was.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.utils import timezone

from invoicing.errors import PacUnavailable
from invoicing.fiscal import rules
from invoicing.models import Document
from invoicing.models.history import Event
from invoicing.services.follow import Following
from invoicing.services.history import note
from invoicing.services.identity import contradiction, is_ours
from invoicing.services.locks import locked_now
from invoicing.services.look_up import look_up
from invoicing.services.settle import settle, settle_invoices_of
from pac.answers import DocumentAnswer
from pac.dgi.amounts import cents
from pac.dgi.calendar import panama_date
from pac.errors import BadFile, NotFound, Rejected
from tenants.errors import Conflict

# Seconds for each of at most four calls: the id that was named, the list, what it names, the PDF.
DEADLINE = 2.5
NOT_FOUND = "not_at_the_pac"
DIFFERS = "differs_at_the_pac"
TOTAL_UNKNOWN = "total_unknown"
RUC_AT_MOST, NAME_AT_MOST = 20, 200


def refresh_import(document: Document) -> None:
    """Writes what the PAC says of an import now, and fetches its PDF: ten seconds at most.

    Without an id, or under another document's, it is looked for by its number and recognised by its
    CUFE. Where the PAC does not know it, or tells another receiver or total, a warning on the
    document says so. Raises `PacUnavailable` where no answer came in time, and `Conflict`
    (`tenant_not_ready`) while the PAC does not know the company.
    """
    if not document.tenant.pac_company_id:
        raise Conflict(
            "tenant_not_ready",
            f"{document.tenant.name} is not onboarded at the PAC, which can say nothing of it.",
        )
    for document_id in _candidates(document):
        answer = _read(document, document_id)
        if answer:
            _complete(document, answer)
            _warn(document, DIFFERS, _difference(document, answer))
            return
    _warn(
        document,
        NOT_FOUND,
        "The PAC did not know this CUFE when it was last asked. It may have been issued through "
        "another PAC; if not, give its document_id when you import it.",
    )


def _candidates(document: Document) -> Iterator[str]:
    """Ids at the PAC under which the document may be; the list is asked only if it is needed."""
    known = document.document_id or document.hinted_document_id
    if known:
        yield known
    if not document.document_id:
        found = look_up(document, is_ours, deadline=DEADLINE)
        if found and found != known:
            yield found


def _read(document: Document, document_id: str) -> DocumentAnswer | None:
    """What the PAC has under that id, adopted; None where that is not this import."""
    document.hinted_document_id = document_id
    following = Following(document, deadline=DEADLINE)
    reading = following.call()
    following.commit(reading)
    if reading.error and not isinstance(reading.error, (BadFile, NotFound, Rejected)):
        raise PacUnavailable(f"The PAC could not be asked: {reading.error.message}")
    if reading.answer and (document.document_id or is_ours(document, reading.answer)):
        return reading.answer
    return None


def _difference(document: Document, answer: DocumentAnswer) -> str:
    """What we were told otherwise than the PAC, in a sentence; what we were not told is none."""
    known = {
        name: sides
        for name, sides in contradiction(document, answer).items()
        if sides["ours"] and not (name == "total" and _is_total_unknown(document))
    }
    return " ".join(
        f"The PAC's {name} is {sides['pac']}, the import's {sides['ours']}."
        for name, sides in known.items()
    )


def _complete(document: Document, answer: DocumentAnswer) -> None:
    """Takes from the PAC the receiver's RUC and name, and the total, where nobody told us any.

    Such a total is owed until a payment is recorded: how it was paid, the PAC does not say.
    """
    today = panama_date(timezone.now())
    with transaction.atomic():
        current = locked_now(document).get()
        taken = _receiver_to_take(current, answer) | _total_to_take(current, answer)
        if not taken:
            return
        for name, value in taken.items():
            setattr(current, name, value)
        current.save(update_fields=[*taken, "updated_at"])
        note(current, Event.EDITED, receiver=current.receiver_ruc, total=str(current.total))
        settle(current, today=today)
        settle_invoices_of(current, today=today)


def _receiver_to_take(document: Document, answer: DocumentAnswer) -> dict[str, Any]:
    if any((document.receiver_type, document.receiver_ruc, document.receiver_name)):
        return {}
    ruc = answer.receiver_ruc or ""
    taken = {
        "receiver_ruc": ruc if len(ruc) <= RUC_AT_MOST else "",
        "receiver_name": (answer.receiver_name or "")[:NAME_AT_MOST],
    }
    return taken if any(taken.values()) else {}


def _total_to_take(document: Document, answer: DocumentAnswer) -> dict[str, Any]:
    if not _is_total_unknown(document) or answer.total is None:
        return {}
    if not 0 <= answer.total <= rules.MOST:
        return {}
    others = [each for each in document.warnings if each["code"] != TOTAL_UNKNOWN]
    return {"total": cents(answer.total), "warnings": others}


def _is_total_unknown(document: Document) -> bool:
    return any(warning["code"] == TOTAL_UNKNOWN for warning in document.warnings)


def _warn(document: Document, code: str, message: str) -> None:
    """Puts this warning in the place of an earlier refresh's; no message, no warning."""
    with transaction.atomic():
        current = locked_now(document).get()
        kept = [each for each in current.warnings if each["code"] not in (NOT_FOUND, DIFFERS)]
        current.warnings = [*kept, *([{"code": code, "message": message}] if message else [])]
        current.save(update_fields=["warnings", "updated_at"])
