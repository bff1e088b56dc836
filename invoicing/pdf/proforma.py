"""Our page for a proforma: what would be invoiced, without fiscal value."""

from collections.abc import Sequence

from reportlab.platypus import CondPageBreak, Flowable, HRFlowable, Spacer

from invoicing.models import Document, DocumentLine
from invoicing.pdf import formats
from invoicing.pdf.lines import lines_table
from invoicing.pdf.page import LEFT, RIGHT, WIDTH, Sheet, beside, build, columns
from invoicing.pdf.parts import (
    facts,
    issuer_block,
    payment_sections,
    receiver_block,
    taxes_table,
    title_block,
    totals_table,
)
from invoicing.pdf.typography import BODY, LABEL, RULE, block, long_block, printable

NO_FISCAL_VALUE = "PROFORMA - SIN VALOR FISCAL"

_HEADING_AND_TWO_LINES = 40.0


def render_proforma(document: Document, lines: Sequence[DocumentLine]) -> bytes:
    """The PDF, letter size, in Spanish; it carries no CUFE and no QR.

    Asks the database for nothing but `document.tenant` and `document.office`, where they are not
    loaded yet, and the storage for the tenant's logo. The same document gives the same bytes.
    """
    sheet = Sheet(
        title=f"Proforma {document.number}",
        author=printable(document.tenant.name),
        band=NO_FISCAL_VALUE,
    )
    return build(sheet, _story(document, lines))


def _story(document: Document, lines: Sequence[DocumentLine]) -> list[Flowable]:
    story = [
        columns(issuer_block(document, LEFT), [title_block("Proforma", document.number, RIGHT)]),
        HRFlowable(width="100%", thickness=0.5, color=RULE, spaceBefore=12, spaceAfter=12),
        columns(receiver_block(document, LEFT), [facts(_circumstances(document), RIGHT)]),
        Spacer(0, 18),
        lines_table(lines, WIDTH),
        Spacer(0, 14),
        *beside(
            [taxes_table(document, lines, LEFT), *payment_sections(document, LEFT)],
            totals_table(document, RIGHT),
        ),
    ]
    if document.notes:
        story += [
            CondPageBreak(_HEADING_AND_TWO_LINES),
            block("Notas", LABEL, WIDTH),
            Spacer(0, 2),
            long_block(document.notes, BODY, WIDTH),
        ]
    return story


def _circumstances(document: Document) -> list[tuple[str, str]]:
    rows = [("Fecha y hora", formats.moment(document.issued_at))]
    if document.due_date:
        rows.append(("Vence", formats.day(document.due_date)))
    rows.append(("Sucursal", document.office.code))
    rows.append(("Punto de facturación", document.billing_point))
    return rows
