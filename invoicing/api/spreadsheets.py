"""CSV for people who open it in a spreadsheet."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence

from django.http import HttpResponse

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def csv_response(name: str, rows: Iterable[Sequence[object]]) -> HttpResponse:
    """A file of these rows to download. UTF-8 without a byte order mark, which programs would take
    for a part of the first column's name."""
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    csv.writer(response).writerows([cell(value) for value in row] for row in rows)
    return response


def cell(value: object) -> str:
    """The value as text, empty for None. A text that a spreadsheet would run as a formula gets an
    apostrophe in front; numbers stay numbers, negative ones too."""
    text = "" if value is None else str(value)
    is_formula = isinstance(value, str) and text.startswith(FORMULA_STARTS)
    return f"'{text}" if is_formula else text
