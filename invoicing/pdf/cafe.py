"""The CAFE (comprobante auxiliar de factura electrónica): the printed form of what the PAC has
authorised, for while the PAC's own PDF is late and for who asks for it.

What it has to say is in section 7 of the DGI's rules; this page says all of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from math import ceil

from reportlab.platypus import CondPageBreak, Flowable, HRFlowable, Preformatted, Spacer, Table

from invoicing.models import Document, DocumentLine, GenerationMode, LegalStatus, Status
from invoicing.pdf import formats
from invoicing.pdf.lines import lines_table
from invoicing.pdf.page import (
    HEADING_AND_TWO_LINES,
    LEFT,
    RIGHT,
    SQUARE,
    WIDTH,
    Band,
    Sheet,
    beside,
    build,
    columns,
)
from invoicing.pdf.parts import (
    Row,
    circumstances,
    facts,
    issuer_block,
    notes_block,
    payment_sections,
    receipt_table,
    receiver_block,
    taxes_table,
    title_block,
    totals_table,
)
from invoicing.pdf.qr import qr_code
from invoicing.pdf.tape import TAPE_WIDTH, build_tape, centered, lines_on_tape
from invoicing.pdf.typography import (
    ALARM,
    BODY,
    CAUTION,
    CODE,
    FOOT,
    HEADLINE,
    LABEL,
    MUTED,
    NAME,
    NEUTRAL,
    QUIET,
    RULE,
    block,
    cell,
    font,
    printable,
    text_width,
)
from pac.dgi.codes import DOCUMENT_TYPES, ISSUE_TYPES, Environment

TITLE = "DGI - COMPROBANTE AUXILIAR DE FACTURA ELECTRONICA"
CONSULT = "Consulte por la clave de acceso en https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE"
TEST_ISSUER = "FE generada en ambiente de pruebas - sin valor comercial ni fiscal"
NO_QR_YET = "El código QR aún no está disponible"
PAC_NAME = "Alanube"
PAC_RESOLUTION = "201-6113 de 2022-09-06"

VOID = "DOCUMENTO ANULADO"
REJECTED = "RECHAZADO POR LA DGI - SIN VALIDEZ FISCAL"
NOT_YET_AUTHORIZED = "AÚN NO AUTORIZADO POR LA DGI"

_PENDING = "pendiente"
_QR_SIDE = 112.0
_QR_SIDE_ON_TAPE = 150.0
_NO_QR_SIDE = 90.0
_PANEL_GAP = 12.0


class CafeFormat(StrEnum):
    """The paper: a letter sheet, or a receipt printer's roll of 80 mm."""

    LETTER = "letter"
    TAPE = "tape"


@dataclass(frozen=True, slots=True)
class ReferencedDocument:
    """What a note is about: the CUFE of the e-invoice, and its date in Panama."""

    cufe: str
    issued_on: date


def render_cafe(
    document: Document,
    lines: Sequence[DocumentLine],
    *,
    reference: ReferencedDocument | None = None,
    format: CafeFormat = CafeFormat.LETTER,
) -> bytes:
    """The PDF, in Spanish. `reference` belongs to a note about an e-invoice.

    Says on every page where the document is void, refused, or not authorised by the DGI yet. The
    QR is the PAC's link, never one of ours; while there is none, the page says so.

    Asks the database for nothing but `document.tenant` and `document.office`, where they are not
    loaded yet, and the storage for the tenant's logo. The same document gives the same bytes.

    Raises ValueError for what the PAC has not authorised: there is no CUFE to print.
    """
    if not document.invoice_number:
        raise ValueError(f"{document} has no CUFE: a CAFE is of what the PAC has authorised.")
    sheet = Sheet(
        title=f"{_kind(document)} {document.number}",
        author=printable(_stand_in(document) or document.tenant.name),
        bands=[Band(TITLE, NEUTRAL), *_warnings(document)],
        imprint=_imprint(document),
    )
    if format is CafeFormat.TAPE:
        return build_tape(sheet, _tape(document, lines, reference))
    return build(sheet, _letter(document, lines, reference))


def _letter(
    document: Document, lines: Sequence[DocumentLine], reference: ReferencedDocument | None
) -> list[Flowable]:
    title = title_block(_kind(document), document.number, RIGHT, HEADLINE)
    story = [
        columns(issuer_block(document, LEFT, name=_stand_in(document)), [title]),
        *_rule(10),
        columns(receiver_block(document, LEFT), [facts(_circumstances(document), RIGHT)]),
        Spacer(0, 10),
        *_referenced(reference, WIDTH),
        _authorization_panel(document),
        Spacer(0, 12),
        lines_table(lines, WIDTH),
        Spacer(0, 14),
        *beside(
            [taxes_table(document, lines, LEFT), *payment_sections(document, LEFT)],
            [totals_table(document, RIGHT), Spacer(0, 12), *receipt_table(document, RIGHT)],
        ),
    ]
    if document.notes:
        story += [CondPageBreak(HEADING_AND_TWO_LINES), *notes_block(document, WIDTH)]
    return story


def _authorization_panel(document: Document) -> Table:
    """The QR, and beside it what the document is looked up by."""
    qr = qr_code(document.qr_code_url, _QR_SIDE)
    side = qr.width if qr else _QR_SIDE
    padding = 0 if qr else (_QR_SIDE - _NO_QR_SIDE) / 2
    width = WIDTH - side - _PANEL_GAP
    return Table(
        [[qr or _missing_qr(), "", _authorization(document, width)]],
        colWidths=[side, _PANEL_GAP, width],
        style=[
            *SQUARE,
            ("ALIGN", (0, 0), (0, 0), "CENTER"),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (0, 0), padding),
            ("BOTTOMPADDING", (0, 0), (0, 0), padding),
            ("BOX", (0, 0), (-1, -1), 0.5, RULE),
        ],
    )


def _tape(
    document: Document, lines: Sequence[DocumentLine], reference: ReferencedDocument | None
) -> list[Flowable]:
    ledgers = [
        totals_table(document, TAPE_WIDTH),
        *receipt_table(document, TAPE_WIDTH),
        *payment_sections(document, TAPE_WIDTH),
        taxes_table(document, lines, TAPE_WIDTH),
    ]
    return [
        Spacer(0, 5),
        *issuer_block(document, TAPE_WIDTH, name=_stand_in(document)),
        *_rule(8),
        block(_kind(document), NAME, TAPE_WIDTH),
        block(f"N.º {document.number}", NAME, TAPE_WIDTH),
        Spacer(0, 4),
        facts(_circumstances(document), TAPE_WIDTH),
        *_rule(8),
        *_referenced(reference, TAPE_WIDTH),
        *receiver_block(document, TAPE_WIDTH),
        Spacer(0, 14),
        lines_on_tape(lines),
        *(part for ledger in ledgers for part in (Spacer(0, 12), ledger)),
        Spacer(0, 12),
        *notes_block(document, TAPE_WIDTH),
        Spacer(0, 12),
        *_authorization(document, TAPE_WIDTH),
        Spacer(0, 6),
        centered(qr_code(document.qr_code_url, _QR_SIDE_ON_TAPE) or _missing_qr()),
    ]


def _authorization(document: Document, width: float) -> list[Flowable]:
    """What the document is looked up by, and by which act it was authorised."""
    authorized_at = document.authorized_at and formats.moment(document.authorized_at)
    return [
        block("Clave de acceso (CUFE)", LABEL, width),
        Spacer(0, 2),
        _cufe(document.invoice_number or "", width),
        Spacer(0, 3),
        block(CONSULT, FOOT, width),
        Spacer(0, 8),
        block(
            f"Protocolo de autorización: {document.authorization_protocol or _PENDING}", BODY, width
        ),
        block(f"Fecha de autorización: {authorized_at or _PENDING}", BODY, width),
    ]


def _referenced(reference: ReferencedDocument | None, width: float) -> list[Flowable]:
    if reference is None:
        return []
    return [
        block("Documento de referencia (CUFE)", LABEL, width),
        Spacer(0, 2),
        _cufe(reference.cufe, width),
        block(f"Emitido el {formats.day(reference.issued_on)}", BODY, width),
        Spacer(0, 12),
    ]


def _cufe(cufe: str, width: float) -> Flowable:
    """In one line or, where it is too long, in lines of the same length."""
    count = max(1, ceil(text_width([cufe], CODE) / width))
    length = max(1, ceil(len(cufe) / count))
    pieces = (cufe[start : start + length] for start in range(0, len(cufe), length))
    return Preformatted("\n".join(pieces), CODE)


def _missing_qr() -> Table:
    """A square where the QR will be."""
    return Table(
        [[cell(NO_QR_YET, QUIET, _NO_QR_SIDE - 16)]],
        colWidths=[_NO_QR_SIDE],
        rowHeights=[_NO_QR_SIDE],
        style=[
            *font(QUIET, (0, 0), (0, 0)),
            ("ALIGN", (0, 0), (0, 0), "CENTER"),
            ("VALIGN", (0, 0), (0, 0), "MIDDLE"),
            ("BOX", (0, 0), (0, 0), 0.5, MUTED, None, (2, 2)),
        ],
    )


def _rule(gap: float) -> list[Flowable]:
    line = HRFlowable(width="100%", thickness=0.5, color=RULE, spaceBefore=0, spaceAfter=0)
    return [Spacer(0, gap), line, Spacer(0, gap)]


def _kind(document: Document) -> str:
    return DOCUMENT_TYPES[document.dgi_document_type]


def _stand_in(document: Document) -> str:
    """What is printed instead of the issuer's name, where the document counts for nothing."""
    return TEST_ISSUER if document.tenant.environment == Environment.TEST else ""


def _circumstances(document: Document) -> list[Row]:
    return [*circumstances(document), ("Tipo de emisión", ISSUE_TYPES[document.issue_type])]


def _imprint(document: Document) -> str:
    """The PAC and its resolution; nothing for what was issued elsewhere, through a PAC that only
    its issuer knows."""
    if document.generation_mode == GenerationMode.DGI_IMPORT:
        return ""
    return (
        f"Documento validado por {PAC_NAME}, proveedor autorizado calificado (PAC), "
        f"resolución N.º {PAC_RESOLUTION}"
    )


def _warnings(document: Document) -> list[Band]:
    """Why nobody should rely on it, or not yet."""
    warnings = []
    if document.status == Status.VOID:
        warnings.append(Band(VOID, ALARM))
    if document.is_rejected:
        warnings.append(Band(REJECTED, ALARM))
    elif document.legal_status != LegalStatus.DGI_AUTHORIZED:
        warnings.append(Band(NOT_YET_AUTHORIZED, CAUTION))
    return warnings
