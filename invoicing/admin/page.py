"""What the page of one document shows, gathered in a fixed number of queries."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import zxingcpp
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext

from invoicing.admin import parts
from invoicing.admin.actions import ACTIONS, Action, Situation
from invoicing.admin.timeline import pretty, timeline_of
from invoicing.models import (
    CreditApplication,
    Document,
    File,
    FileKind,
    HistoryEntry,
    LegalStatus,
)
from invoicing.models.documents import PacDocumentType
from invoicing.models.history import Event
from invoicing.services import attention
from pac.dgi.codes import DOCUMENT_TYPES

MODELS = {
    PacDocumentType.INVOICE: "invoice",
    PacDocumentType.CREDIT_NOTE: "creditnote",
    PacDocumentType.DEBIT_NOTE: "debitnote",
}
AUTHORISED = (LegalStatus.PAC_AUTHORIZED, LegalStatus.DGI_AUTHORIZED)
LINES_AT_MOST = 500
RELATED_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Related:
    """Another document that this one has to do with."""

    role: str
    document: Document

    @property
    def link(self) -> str:
        return page_of(self.document)


def page_of(document: Document) -> str:
    """The address of a document's page, by its kind."""
    model = MODELS[PacDocumentType(document.document_type)]
    return reverse(f"admin:invoicing_{model}_change", args=[document.pk])


def context_of(request: HttpRequest, document: Document) -> dict[str, Any]:
    """Everything the template `admin/invoicing/document.html` shows of `document`."""
    reasons = attention.reasons_of(document)
    lines = list(document.lines.order_by("number")[: LINES_AT_MOST + 1])
    files = list(document.files.all())
    pdf = next((file for file in reversed(files) if file.kind == FileKind.PDF), None)
    return {
        "document": document,
        "reasons": [reason.label for reason in reasons],
        "actions": offered(request, Situation(document, reasons)),
        "legal": (
            parts.STANDING_COLOURS.get(document.legal_status or "", "default"),
            str(document.get_legal_status_display() or gettext("Sin veredicto")),
        ),
        "submission": (
            parts.STANDING_COLOURS[document.submission_state],
            str(document.get_submission_state_display()),
        ),
        "type_name": gettext(
            DOCUMENT_TYPES.get(document.dgi_document_type, document.dgi_document_type)
        ),
        "issuer": list(parts.issuer(document)),
        "receiver": list(parts.receiver(document)),
        "facts": list(parts.facts(document)),
        "fiscal": list(parts.fiscal(document)),
        "sending": list(parts.sending(document)),
        "lines": [parts.line_row(line) for line in lines[:LINES_AT_MOST]],
        "lines_are_cut": len(lines) > LINES_AT_MOST,
        "totals": list(parts.totals(document)),
        "terms": list(parts.terms(document)),
        "payments": [parts.payment_row(payment) for payment in document.payments.all()],
        "troubles": parts.troubles(document),
        "qr": _qr(document),
        "consultation": _web_address(document.qr_code_url),
        "pdf": pdf and _file(document, pdf),
        "files": [_file(document, file) for file in files],
        "related": related(document),
        "timeline": timeline_of(document),
        "sent": pretty(document.pac_input),
        "received": pretty(document.pac_response),
    }


def offered(request: HttpRequest, situation: Situation) -> list[Action]:
    """What this user may do about the document as it stands."""
    return [
        action
        for action in ACTIONS
        if action.is_offered(situation) and request.user.has_perm(action.permission)
    ]


def related(document: Document) -> list[Related]:
    """The invoice that it corrects, the notes on it, credits set against it, and what was issued in
    its place or it in the place of."""
    replaced, replacing = _reissues(document)
    notes = Document.unscoped.filter(invoice=document).order_by().values("pk")
    credits = CreditApplication.unscoped.order_by()
    keys = [
        Document.unscoped.filter(pk__in=[*replaced, *replacing]).order_by().values("pk"),
        credits.filter(credit_note=document).values("invoice"),
        credits.filter(invoice=document).values("credit_note"),
    ]
    if document.external_id:
        same_order = Document.unscoped.filter(
            external_id=document.external_id, document_type=document.document_type
        )
        keys.append(same_order.order_by().values("pk"))
    rows = (
        Document.unscoped.filter(pk__in=notes.union(*keys, all=True), tenant=document.tenant_id)
        .exclude(pk=document.pk)
        .select_related("office")
        .order_by("-pk")[:RELATED_AT_MOST]
    )
    found = [Related(gettext("Corrige a"), document.invoice)] if document.invoice else []
    return found + [Related(_role(document, row, replaced, replacing), row) for row in rows]


def _reissues(document: Document) -> tuple[list[str], list[str]]:
    """Ids of what it was issued in the place of, and of what was issued in its place."""
    told = HistoryEntry.unscoped.filter(owner=document, event__in=[Event.ISSUED, Event.HANDLED])
    entries = list(told.values_list("data", flat=True))
    return (
        [data["reissue_of"] for data in entries if "reissue_of" in data],
        [data["reissued_as"] for data in entries if "reissued_as" in data],
    )


def _role(document: Document, other: Document, replaced: list[str], replacing: list[str]) -> str:
    if str(other.pk) in replaced:
        return gettext("Emitido en lugar de")
    if str(other.pk) in replacing:
        return gettext("Emitido de nuevo como")
    if other.invoice_id == document.pk:
        return gettext("Corregido por")
    if other.document_type == document.document_type:
        return gettext("Mismo id externo")
    return gettext("Crédito aplicado")


def _file(document: Document, file: File) -> dict[str, Any]:
    model = MODELS[PacDocumentType(document.document_type)]
    link = reverse(f"admin:invoicing_{model}_file", args=[file.pk])
    return {"name": file.name, "link": link, "kind": file.kind}


def _qr(document: Document) -> str:
    """The QR to scan, as a picture in the page itself; empty while nothing is authorised."""
    if document.legal_status not in AUTHORISED or not document.qr_code_url:
        return ""
    try:
        code = zxingcpp.create_barcode(
            document.qr_code_url, zxingcpp.BarcodeFormat.QRCode, ec_level="M"
        )
    except ValueError:  # longer than any QR: its address is shown as text anyway
        return ""
    picture = b64encode(code.to_svg(add_quiet_zones=True).encode()).decode()
    return f"data:image/svg+xml;base64,{picture}"


def _web_address(text: str) -> str:
    """A link of the PAC's, which is followed only if it leads to the web."""
    return text if text.startswith(("https://", "http://")) else ""
