"""Our page for a proforma: what would be invoiced, without fiscal value."""

from collections.abc import Sequence

from reportlab.platypus import CondPageBreak, Flowable, HRFlowable, Spacer

from invoicing.models import Document, DocumentLine
from invoicing.pdf.lines import lines_table
from invoicing.pdf.page import (
    HEADING_AND_TWO_LINES,
    LEFT,
    RIGHT,
    WIDTH,
    Band,
    Sheet,
    beside,
    build,
    columns,
)
from invoicing.pdf.parts import (
    circumstances,
    facts,
    issuer_block,
    notes_block,
    payment_sections,
    receiver_block,
    taxes_table,
    title_block,
    totals_table,
)
from invoicing.pdf.typography import CAUTION, RULE, printable

NO_FISCAL_VALUE = "PROFORMA - SIN VALOR FISCAL"


def render_proforma(document: Document, lines: Sequence[DocumentLine]) -> bytes:
    """The PDF, letter size, in Spanish; it carries no CUFE and no QR.

    Asks the database for nothing but `document.tenant` and `document.office`, where they are not
    loaded yet, and the storage for the tenant's logo. The same document gives the same bytes.
    """
    sheet = Sheet(
        title=f"Proforma {document.number}",
        author=printable(document.tenant.name),
        bands=[Band(NO_FISCAL_VALUE, CAUTION)],
    )
    return build(sheet, _story(document, lines))


def _story(document: Document, lines: Sequence[DocumentLine]) -> list[Flowable]:
    story = [
        columns(issuer_block(document, LEFT), [title_block("Proforma", document.number, RIGHT)]),
        HRFlowable(width="100%", thickness=0.5, color=RULE, spaceBefore=12, spaceAfter=12),
        columns(receiver_block(document, LEFT), [facts(circumstances(document), RIGHT)]),
        Spacer(0, 18),
        lines_table(lines, WIDTH),
        Spacer(0, 14),
        *beside(
            [taxes_table(document, lines, LEFT), *payment_sections(document, LEFT)],
            [totals_table(document, RIGHT)],
        ),
    ]
    if document.notes:
        story += [CondPageBreak(HEADING_AND_TWO_LINES), *notes_block(document, WIDTH)]
    return story
