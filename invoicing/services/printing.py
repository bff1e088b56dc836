"""The printed form of a document: the PAC's own, or ours where that is late or not wanted."""

from __future__ import annotations

from invoicing.models import Document
from invoicing.pdf.cafe import CafeFormat, ReferencedDocument, render_cafe
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict


def our_cafe(document: Document, paper: CafeFormat) -> bytes:
    """The CAFE as Cifras draws it. Raises `Conflict` (`not_authorized`) before there is a CUFE."""
    if not document.invoice_number:
        raise Conflict("not_authorized", "There is a CAFE once the PAC has authorised, not before.")
    original = document.invoice
    reference = None
    if original and original.invoice_number:
        reference = ReferencedDocument(original.invoice_number, panama_date(original.issued_at))
    return render_cafe(document, list(document.lines.all()), reference=reference, format=paper)
