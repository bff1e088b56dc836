"""The roll of a receipt printer: 80 mm wide, as long as needed, black on white."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator, Sequence

from reportlab.lib.colors import Color, black, toColor, white
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, LongTable, Preformatted, Spacer, Table

from invoicing.models import DocumentLine
from invoicing.pdf import formats
from invoicing.pdf.page import SQUARE, Band, Sheet
from invoicing.pdf.typography import (
    BODY,
    BOLD,
    FOOT,
    INK,
    LABEL,
    REGULAR,
    block,
    cell,
    font,
    style,
    text_width,
)
from pac.dgi.codes import ITBMS_RATES

PAPER_WIDTH = 80 * mm
TAPE_WIDTH = 72 * mm  # what such printers print on

# Acrobat opens no page longer than 200 inches: some four hundred lines.
LONGEST = 14_400.0

_MARGIN = (PAPER_WIDTH - TAPE_WIDTH) / 2
_TOP, _BOTTOM = 4 * mm, 8 * mm
_GAP = 10.0  # between the two columns
_BAND_PADDING = 6.0
_BAND = style(BOLD, 9, 12)
_DETAIL = style(REGULAR, 7.5, 10)
_TOTAL_HEADING = "Total (B/.)"
_PALE = 0.86  # grounds are paler, rules are not


def build_tape(sheet: Sheet, story: Sequence[Flowable]) -> bytes:
    """The PDF: the sheet's bands, the story, the imprint. The same story gives the same bytes.

    One page of the height it needs. What would be longer than `LONGEST` points goes on on a
    further page, with the bands again: the printer feeds one after another.
    """
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=1, lang="es-PA", enforceColorSpace=_black_or_white)
    canvas.setTitle(sheet.title)
    canvas.setAuthor(sheet.author)
    canvas.setCreator("Cifras")
    imprint = [Spacer(0, 6), block(sheet.imprint, FOOT, TAPE_WIDTH)] if sheet.imprint else []
    for strip in _strips(sheet.bands, [*story, *imprint]):
        _draw(canvas, strip)
    canvas.save()
    return buffer.getvalue()


def centered(part: Flowable) -> Table:
    """A flowable that is narrower than the paper, in its middle."""
    return Table(
        [[part]], colWidths=[TAPE_WIDTH], style=[*SQUARE, ("ALIGN", (0, 0), (0, 0), "CENTER")]
    )


def lines_on_tape(lines: Sequence[DocumentLine]) -> LongTable:
    """Each line's description over the whole width, below it what it is made of and its total."""
    totals = [formats.amount(line.total) for line in lines]
    total_width = text_width([*totals, _TOTAL_HEADING], BODY)
    detail_width = TAPE_WIDTH - total_width - _GAP
    return LongTable(
        [
            ["Descripción", _TOTAL_HEADING],
            *(
                [
                    [
                        block(line.description, BODY, TAPE_WIDTH),
                        _detail(line, detail_width),
                    ],
                    total,
                ]
                for line, total in zip(lines, totals, strict=True)
            ),
        ],
        colWidths=[TAPE_WIDTH - total_width, total_width],
        repeatRows=1,
        style=[
            *SQUARE,
            *font(LABEL, (0, 0), (-1, 0)),
            *font(BODY, (0, 1), (-1, -1)),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("VALIGN", (1, 1), (1, -1), "BOTTOM"),
            ("TOPPADDING", (0, 1), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, 0), 3.5),
            ("LINEBELOW", (0, 0), (-1, 0), 0.9, INK),
        ],
    )


def _detail(line: DocumentLine, width: float) -> Preformatted:
    """``SRV-SOP-M · 2 und × 18.75 · desc. 1.875 · ITBMS 7 % 2.36``, broken between its parts."""
    parts = [
        line.code,
        f"{formats.quantity(line.quantity)} {line.unit} × {formats.price(line.unit_price)}",
        f"desc. {formats.price(line.unit_discount)}" if line.unit_discount else "",
        f"ITBMS {formats.percent(ITBMS_RATES[line.itbms_rate])} {formats.amount(line.itbms)}",
    ]
    rows: list[str] = []
    for part in filter(None, parts):
        joined = f"{rows[-1]} · {part}" if rows else part
        if rows and text_width([joined], _DETAIL) <= width:
            rows[-1] = joined
        else:
            rows.append(part)
    return Preformatted("\n".join(cell(row, _DETAIL, width) for row in rows), _DETAIL)


def _strips(bands: Sequence[Band], story: Sequence[Flowable]) -> Iterator[list[Flowable]]:
    """The story in pieces of at most `LONGEST` points, each under the bands."""
    rest = deque(story)
    while rest:
        strip = _head(bands)
        empty = len(strip)
        room = LONGEST - _TOP - _BOTTOM - sum(map(_height, strip))
        while rest:
            part = rest.popleft()
            pieces = [part] if _height(part) <= room else part.split(TAPE_WIDTH, room)
            if not pieces and len(strip) > empty:
                rest.appendleft(part)
                break
            # What cannot be cut and fits on no page is rather too long than never printed.
            first, *others = pieces or [part]
            strip.append(first)
            room -= _height(first)
            rest.extendleft(reversed(others))
        yield strip


def _head(bands: Sequence[Band]) -> list[Flowable]:
    return [part for band in bands for part in (_banner(band), Spacer(0, 5))]


def _banner(band: Band) -> Table:
    look = style(BOLD, _BAND.fontSize, _BAND.leading, band.tone.ink)
    return Table(
        [[cell(band.text, look, TAPE_WIDTH - 2 * _BAND_PADDING)]],
        colWidths=[TAPE_WIDTH],
        style=[
            *SQUARE,
            *font(look, (0, 0), (0, 0)),
            ("ALIGN", (0, 0), (0, 0), "CENTER"),
            ("TOPPADDING", (0, 0), (0, 0), _BAND_PADDING - 2),
            ("BOTTOMPADDING", (0, 0), (0, 0), _BAND_PADDING),
            ("BACKGROUND", (0, 0), (0, 0), band.tone.tint),
            ("BOX", (0, 0), (0, 0), 0.6, band.tone.rule),
        ],
    )


def _draw(canvas: Canvas, strip: Sequence[Flowable]) -> None:
    """One page, just as high as what is on it."""
    heights = [_height(part) for part in strip]
    y = sum(heights) + _BOTTOM
    canvas.setPageSize((PAPER_WIDTH, y + _TOP))
    for part, height in zip(strip, heights, strict=True):
        y -= height
        part.drawOn(canvas, _MARGIN, y)
    canvas.showPage()


def _height(part: Flowable) -> float:
    return part.wrap(TAPE_WIDTH, LONGEST)[1]


def _black_or_white(color: Color | str) -> Color:
    """A receipt printer has no greys: it would draw them as dots, small type illegibly."""
    return white if min(toColor(color).rgb()) > _PALE else black
