"""Invoices that another system issued: their CUFEs, what a client tells of them, how they look."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import segno
from django.db import transaction
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from conftest import body
from invoicing.api.imports import ImportReader
from invoicing.api.inputs import InvoiceInput, to_draft
from invoicing.api.thorough import read
from invoicing.fiscal.payload import build_payload
from invoicing.models import Document
from invoicing.services.import_documents import import_invoice
from invoicing.services.issue import issue
from pac.answers import DocumentAnswer
from pac.client import Kind
from pac.dgi import cufe
from pac.dgi.ruc import RucType
from tenants.models import Tenant
from tenants.pac import pac_client

URL = "/api/v1/invoices/import"
ISSUED_ON = date(2026, 3, 1)


def a_cufe(nth: int = 18580, /, **changes: Any) -> str:
    """The CUFE of an invoice of Alice's."""
    parts: dict[str, Any] = {
        "document_type": "01",
        "ruc_type": RucType.JURIDICO,
        "ruc": "155596713-2-2015",
        "dv": "59",
        "branch": "0001",
        "issued_on": ISSUED_ON,
        "number": f"{nth:010d}",
        "billing_point": "001",
        "issue_type": "01",
        "environment": 2,
        "security_code": "412159637",
    }
    return cufe.build(**parts | changes)


def told(nth: int = 18580, /, **changes: Any) -> dict[str, Any]:
    """An import as a client posts it: a CUFE, a receiver and a total."""
    return {
        "cufe": a_cufe(nth),
        "receiver": body()["receiver"],
        "total": "203.30",
        "due_date": "2099-12-22",
    } | changes


def told_with_lines(nth: int = 18580, /, **changes: Any) -> dict[str, Any]:
    shown = told(nth, lines=body()["lines"])
    del shown["total"]
    return shown | changes


def link_of(text: str, host: str = "dgi-fep-test.mef.gob.pa") -> str:
    """The link that a PAC prints, token and all."""
    token = f"{'eyJhbGciOiJIUzI1NiJ9'}.{'A' * 240}.{'b' * 43}"
    digest = "LQcHn5%2BqzXQ0123456789abcdefghijklmnopqr%3D"
    return (
        f"https://{host}/Consultas/FacturasPorQR?chFE={text}&iAmb=2"
        f"&digestValue={digest}&jwt={token}"
    )


def qr_picture(text: str, kind: str = "png", scale: int = 3) -> bytes:
    buffer = io.BytesIO()
    segno.make(text, error="m").save(buffer, kind=kind, scale=scale, border=4)
    return buffer.getvalue()


def pdf_of(
    *texts: str,
    side: float = 110,
    empty_pages: int = 0,
    size: tuple[float, float] = LETTER,
    **options: Any,
) -> bytes:
    """A PDF: empty pages, then one with these QR codes, each `side` points (1/72 inch) wide."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=size, **options)
    for _ in range(empty_pages):
        canvas.drawString(40, 40, "Otra hoja")
        canvas.showPage()
    for position, text in enumerate(texts):
        picture = ImageReader(io.BytesIO(qr_picture(text)))
        canvas.drawImage(picture, 30 + position * (side + 30), 30, side, side)
    canvas.drawString(40, 700, "Comprobante auxiliar de factura electrónica")
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def pdf_that_never_ends() -> bytes:
    """A page whose form draws another form ten times, which draws another ten times, and so on."""
    depth, boxed = 9, b"/Type/XObject/Subtype/Form/BBox[0 0 600 600]"
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R"
        b"/Resources<</XObject<</F 5 0 R>>>>>>",
        _stream(b"/F Do"),
        *(
            _stream(b"/F Do " * 10, boxed + b"/Resources<</XObject<</F %d 0 R>>>>" % inner)
            for inner in range(6, 6 + depth)
        ),
        _stream(b"0 0 m 100 100 l S", boxed),
    ]
    pdf, offsets = b"%PDF-1.5\n", []
    for number, part in enumerate(parts, start=1):
        offsets.append(len(pdf))
        pdf += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return (
        pdf
        + b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1)
        + table
        + b"trailer<</Size %d/Root 1 0 R>>\n" % (len(parts) + 1)
        + b"startxref\n%d\n%%%%EOF" % len(pdf)
    )


def _stream(content: bytes, about: bytes = b"") -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (about, len(content), content)


def issued_elsewhere(tenant: Tenant, **changes: Any) -> DocumentAnswer:
    """An invoice that the tenant's other system posted to the same PAC: we know nothing of it."""
    found, _ = read(InvoiceInput(), body(**changes))
    with transaction.atomic():
        document = issue(
            tenant=tenant, draft=to_draft(found, []), render=lambda document: None
        ).document
        assert document
        payload = build_payload(document, document.lines.all())
        transaction.set_rollback(True)
    return pac_client(tenant).issue(Kind.INVOICE, tenant.pac_company_id or "", payload)


def record(tenant: Tenant, shown: dict[str, Any] | None = None, **options: Any) -> Document:
    """The import of `shown`, a dictionary like `told()`; sound, or this raises."""
    wanted, faults = ImportReader().read(told() if shown is None else shown)
    imported = import_invoice(
        tenant=tenant, wanted=wanted, faults=faults, render=lambda document: None, **options
    )
    assert imported.document
    return Document.unscoped.select_related("tenant", "office").get(pk=imported.document.pk)
