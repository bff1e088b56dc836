"""Asking the PAC about an import, while somebody waits.

An import may have been issued through another PAC, or under another id than the client named, so
that nothing is believed but the CUFE: what the PAC shows is adopted if, and only if, it carries it.
From then on the import is followed like any other document. A kill leaves it as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.utils import timezone

from invoicing.errors import PacUnavailable
from invoicing.models import Document
from invoicing.services import breaker
from invoicing.services.errands import keep_exchanges, kind_of
from invoicing.services.follow import Following
from invoicing.services.identity import contradiction, is_ours
from invoicing.services.locks import locked_now
from pac.answers import DocumentAnswer
from pac.client import Exchange
from pac.errors import BadFile, NotFound, PacError, Rejected
from tenants.errors import Conflict
from tenants.pac import pac_client

# Seconds for each of at most four calls: the id that was named, the list, what it names, the PDF.
DEADLINE = 2.5
NOT_FOUND = "not_at_the_pac"
DIFFERS = "differs_at_the_pac"


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
        found = _look_up(document)
        if found and found != known:
            yield found


def _look_up(document: Document) -> str | None:
    """The id of the list's entry that has our CUFE, else of one that shows none; None without."""
    exchanges: list[Exchange] = []
    client = pac_client(document.tenant, exchanges.append, deadline=DEADLINE)
    company = document.tenant.pac_company_id or ""
    try:
        entries = client.find(kind_of(document), company, document.number, document.billing_point)
    except PacError as error:
        with transaction.atomic():
            keep_exchanges(document, exchanges)
        breaker.failed(
            document.tenant, error.message, now=timezone.now(), retry_after=error.retry_after
        )
        raise PacUnavailable(f"The PAC could not be asked: {error.message}") from error
    with transaction.atomic():
        keep_exchanges(document, exchanges)
    ours = [entry.id for entry in entries or [] if is_ours(document, entry)]
    silent = [entry.id for entry in entries or [] if entry.cufe is None]
    return next(iter(ours or silent), None)


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


def _is_total_unknown(document: Document) -> bool:
    return any(warning["code"] == "total_unknown" for warning in document.warnings)


def _warn(document: Document, code: str, message: str) -> None:
    """Puts this warning in the place of an earlier refresh's; no message, no warning."""
    with transaction.atomic():
        current = locked_now(document).get()
        kept = [each for each in current.warnings if each["code"] not in (NOT_FOUND, DIFFERS)]
        current.warnings = [*kept, *([{"code": code, "message": message}] if message else [])]
        current.save(update_fields=["warnings", "updated_at"])
