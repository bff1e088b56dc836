"""The table of a document's lines, which repeats its headings on every page it needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import LongTable

from invoicing.models import DocumentLine
from invoicing.pdf import formats
from invoicing.pdf.typography import (
    BOLD,
    INK,
    MUTED,
    REGULAR,
    RULE,
    Command,
    cell,
    font,
    style,
    text_width,
)
from pac.dgi.codes import ITBMS_RATES

_GAP = 10.0  # between two columns
_LEADING = 1.3
_SIZES = (8.0, 7.0, 6.0, 5.0)
_DESCRIPTION_AT_LEAST = 130.0


@dataclass(frozen=True, slots=True)
class _Column:
    """`at_most` is the width, in points, at which a text breaks; figures never do."""

    heading: str
    text: Callable[[DocumentLine], str]
    at_most: float | None = None
    is_optional: bool = False

    @property
    def is_figure(self) -> bool:
        return self.at_most is None


_DESCRIPTION = _Column("Descripción", lambda line: line.description, at_most=0)
_COLUMNS = (
    _Column("Código", lambda line: line.code, at_most=58, is_optional=True),
    _DESCRIPTION,
    _Column("Cantidad", lambda line: formats.quantity(line.quantity)),
    _Column("Unidad", lambda line: line.unit, at_most=44),
    _Column("Precio\nunitario", lambda line: formats.price(line.unit_price)),
    _Column(
        "Descuento\nunitario",
        lambda line: formats.price(line.unit_discount) if line.unit_discount else "",
        is_optional=True,
    ),
    _Column("Tasa", lambda line: formats.percent(ITBMS_RATES[line.itbms_rate])),
    _Column("ITBMS", lambda line: formats.amount(line.itbms)),
    _Column("Total\n(B/.)", lambda line: formats.amount(line.total)),
)


def lines_table(lines: Sequence[DocumentLine], width: float) -> LongTable:
    """`width` points wide. A column that no line fills is left out; where figures are so long
    that little is left for the descriptions, the whole table is set smaller."""
    texts = {column: [column.text(line) for line in lines] for column in _COLUMNS}
    columns = [column for column in _COLUMNS if not column.is_optional or any(texts[column])]
    for size in _SIZES:
        body = style(REGULAR, size, size * _LEADING)
        widths = {column: _width(column, texts[column], body) for column in columns}
        widths[_DESCRIPTION] = width - sum(widths.values()) - _GAP * (len(columns) - 1)
        if widths[_DESCRIPTION] >= _DESCRIPTION_AT_LEAST:
            break
    cells = [
        texts[column]
        if column.is_figure
        else [cell(text, body, widths[column]) for text in texts[column]]
        for column in columns
    ]
    gaps = [_GAP / 2, *[_GAP] * (len(columns) - 2), _GAP / 2]
    return LongTable(
        [[column.heading for column in columns], *zip(*cells, strict=True)],
        colWidths=[widths[column] + gap for column, gap in zip(columns, gaps, strict=True)],
        repeatRows=1,
        style=_table_style(columns, body),
    )


def _width(column: _Column, texts: list[str], body: ParagraphStyle) -> float:
    """What the column's content takes, in points."""
    if column is _DESCRIPTION:
        return 0
    widest = text_width(set(texts), body)
    if column.at_most is not None:
        widest = min(widest, column.at_most)
    return max(widest, text_width(column.heading.split("\n"), _heading(body)))


def _heading(body: ParagraphStyle) -> ParagraphStyle:
    return style(BOLD, body.fontSize - 1, body.leading, MUTED)


def _table_style(columns: list[_Column], body: ParagraphStyle) -> list[Command]:
    last = len(columns) - 1
    figures = [
        ("ALIGN", (index, 0), (index, -1), "RIGHT")
        for index, column in enumerate(columns)
        if column.is_figure
    ]
    return [
        *font(_heading(body), (0, 0), (-1, 0)),
        ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.9, INK),
        *font(body, (0, 1), (-1, -1)),
        ("VALIGN", (0, 1), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, RULE),
        ("LEFTPADDING", (0, 0), (-1, -1), _GAP / 2),
        ("RIGHTPADDING", (0, 0), (-1, -1), _GAP / 2),
        ("LEFTPADDING", (0, 0), (0, -1), 0),
        ("RIGHTPADDING", (last, 0), (last, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 4),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 4),
        *figures,
    ]
