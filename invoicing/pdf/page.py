"""The sheet that printed documents share: letter size, bands on top, a foot with page numbers."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from reportlab.lib.pagesizes import LETTER
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import BaseDocTemplate, Flowable, Frame, PageTemplate, Spacer, Table

from invoicing.pdf.typography import (
    BOLD,
    FOOT,
    RULE,
    Command,
    Tone,
    wrap,
)

PAGE_WIDTH, PAGE_HEIGHT = LETTER
MARGIN = 16 * mm
WIDTH = PAGE_WIDTH - 2 * MARGIN
GUTTER = 30.0
RIGHT = 204.0
LEFT = WIDTH - RIGHT - GUTTER
HEADING_AND_TWO_LINES = 40.0

_BAND_HEIGHT = 20.0
_BAND_STEP = _BAND_HEIGHT + 5
_BAND_BOTTOM = PAGE_HEIGHT - 13 * mm - _BAND_HEIGHT
_FOOT_LINE = 15 * mm
_FOOT_TEXT = _FOOT_LINE - 11
_PAGE_NUMBER_WIDTH = 90.0
_FRAME_BOTTOM = _FOOT_LINE + 10
_FRAME_TOP = _BAND_BOTTOM - 18
FRAME_HEIGHT = _FRAME_TOP - _FRAME_BOTTOM
_BETWEEN_DETAILS = 12.0

# Table commands: no padding, everything at the top.
SQUARE: list[Command] = [
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
]


@dataclass(frozen=True, slots=True)
class Band:
    """A line of text that nobody overlooks."""

    text: str
    tone: Tone


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on every page, and in the file's own properties."""

    title: str
    author: str
    bands: Sequence[Band]
    imprint: str = ""


def build(sheet: Sheet, story: Sequence[Flowable]) -> bytes:
    """The PDF. The same story gives the same bytes: no clock and no chance in it."""
    buffer = io.BytesIO()
    template = BaseDocTemplate(
        buffer,
        pagesize=LETTER,
        title=sheet.title,
        author=sheet.author,
        creator="Cifras",
        lang="es-PA",
        invariant=1,
    )
    height = FRAME_HEIGHT - _BAND_STEP * (len(sheet.bands) - 1)
    frame = Frame(MARGIN, _FRAME_BOTTOM, WIDTH, height, 0, 0, 0, 0)
    template.addPageTemplates(
        PageTemplate(frames=[frame], onPage=lambda canvas, _: _furnish(canvas, sheet))
    )
    template.build(list(story), canvasmaker=_NumberedCanvas)
    return buffer.getvalue()


def columns(left: Sequence[Flowable], right: Sequence[Flowable]) -> Table:
    """`left` and `right` side by side, in columns LEFT and RIGHT points wide."""
    return Table([[left, "", right]], colWidths=[LEFT, GUTTER, RIGHT], style=SQUARE)


def beside(details: Sequence[Flowable], right: Sequence[Flowable]) -> list[Flowable]:
    """As many `details` as fit into half a page beside `right`; the others below, where they may
    go over pages."""
    fitting = FRAME_HEIGHT / 2
    heights = accumulate(detail.wrap(LEFT, FRAME_HEIGHT)[1] for detail in details)
    count = sum(height <= fitting for height in heights)
    spaced = [part for detail in details for part in (detail, Spacer(0, _BETWEEN_DETAILS))]
    return [columns(spaced[: 2 * count], right), *spaced[2 * count :]]


def _furnish(canvas: Canvas, sheet: Sheet) -> None:
    canvas.saveState()
    for position, band in enumerate(sheet.bands):
        bottom = _BAND_BOTTOM - _BAND_STEP * position
        canvas.setFillColor(band.tone.tint)
        canvas.setStrokeColor(band.tone.rule)
        canvas.setLineWidth(0.6)
        canvas.roundRect(MARGIN, bottom, WIDTH, _BAND_HEIGHT, 3, stroke=1, fill=1)
        canvas.setFillColor(band.tone.ink)
        canvas.setFont(BOLD, 9)
        canvas.drawCentredString(PAGE_WIDTH / 2, bottom + 7, band.text)
    canvas.setStrokeColor(RULE)
    canvas.setLineWidth(0.5)
    canvas.line(MARGIN, _FOOT_LINE, MARGIN + WIDTH, _FOOT_LINE)
    canvas.setFillColor(FOOT.textColor)
    canvas.setFont(FOOT.fontName, FOOT.fontSize)
    foot = wrap(f"{sheet.title} · {sheet.author}", FOOT, WIDTH - _PAGE_NUMBER_WIDTH)[0]
    canvas.drawString(MARGIN, _FOOT_TEXT, foot)
    if sheet.imprint:
        canvas.drawString(MARGIN, _FOOT_TEXT - FOOT.leading, sheet.imprint)
    canvas.restoreState()


class _NumberedCanvas(Canvas):
    """Holds the pages back until it is known how many there are."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 (reportlab's name)
        self._pages.append(dict(self.__dict__))
        self._startPage()  # type: ignore[attr-defined]

    def save(self) -> None:
        pages = self._pages
        for number, page in enumerate(pages, start=1):
            self.__dict__.update(page)
            self.setFillColor(FOOT.textColor)
            self.setFont(FOOT.fontName, FOOT.fontSize)
            self.drawRightString(MARGIN + WIDTH, _FOOT_TEXT, f"Página {number} de {len(pages)}")
            super().showPage()
        super().save()
