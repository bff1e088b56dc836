"""The signed XML: fetched from the PAC when somebody wants it, then kept."""

from __future__ import annotations

from django.db import transaction

from invoicing.errors import PacUnavailable
from invoicing.models import Document, File, FileKind
from invoicing.models.history import Event
from invoicing.services.errands import keep_exchanges, kind_of
from invoicing.services.files import attach, new_file
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from pac.client import Exchange
from pac.errors import PacError
from tenants.pac import pac_client

DEADLINE = 5.0  # seconds for each of two calls: where the XML is, and the XML
BOTH = "xml,pdf"
DECLARATION = b"<"


def xml_of(document: Document) -> File | None:
    """The document's signed XML, None while the PAC has none.

    Raises `PacUnavailable` where the PAC gives no answer in time. A kill before the commit
    leaves a stored file that no row names, and the next request fetches it again.
    """
    kept = document.files.filter(kind=FileKind.XML).first()
    if kept or not document.document_id:
        return kept
    exchanges: list[Exchange] = []
    pac = pac_client(document.tenant, exchanges.append, deadline=DEADLINE)
    try:
        company_id = document.tenant.pac_company_id or ""
        answer = pac.read(kind_of(document), company_id, document.document_id, BOTH)
        content = pac.download(answer.xml, expect=DECLARATION) if answer.xml else None
    except PacError as error:
        raise PacUnavailable(f"The PAC could not be asked: {error.message}") from error
    if content is None:
        return None
    file = new_file(document, FileKind.XML, f"{document.invoice_number}.xml", content)
    with transaction.atomic():
        current = locked_now(document).get()
        keep_exchanges(current, exchanges)
        if attach(file):
            note(current, Event.FILE_STORED, name=file.name, size=file.size)
    return document.files.filter(kind=FileKind.XML).get()
