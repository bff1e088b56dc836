"""The rows of a file for `import_documents`, CSV or JSON Lines, one at a time.

A row is what the body of `POST /invoices/import` is. In CSV the columns carry the names of its
fields, those of inner objects with a dot (`receiver.ruc`, `metadata.order`); empty cells are left
out, several e-mails or phones stand in one cell with `;` between them. Lines need JSON Lines.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from rest_framework.exceptions import ParseError

from invoicing.fiscal.draft import Fault
from tenants.api.parsers import StrictJSONParser

LONGEST_LINE = 2 * 1024 * 1024  # bytes, as the API takes in one body
LISTS = {"emails", "receiver.emails", "receiver.phones"}
WHOLE_NUMBERS = {"destination", "sale_type"}
COLUMNS = {
    "billing_point",
    "cufe",
    "customer",
    "dgi_document_type",
    "document_id",
    "due_date",
    "external_id",
    "issue_type",
    "issued_at",
    "nature",
    "notes",
    "number",
    "office",
    "payment_time",
    "qr_code_url",
    "receiver.address",
    "receiver.country",
    "receiver.dv",
    "receiver.foreign_id.country",
    "receiver.foreign_id.number",
    "receiver.location",
    "receiver.name",
    "receiver.other_country",
    "receiver.ruc",
    "receiver.ruc_type",
    "receiver.type",
    "total",
    *LISTS,
    *WHOLE_NUMBERS,
}
METADATA = "metadata."
DELIMITERS = ",;\t"

Advance = Callable[[int], object]


class UnusableFile(ValueError):
    """The file as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number (a CSV's header is row 1) and its body, or why it has none."""

    number: int
    body: Any = None
    fault: Fault | None = None


def rows_of(file: BinaryIO, advance: Advance) -> Iterator[Row]:
    """The rows of a CSV or JSON Lines file; `advance` hears of the bytes that were read.

    Raises `UnusableFile` for a CSV whose header is none; what is wrong with a row is the row's.
    """
    start = file.read(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    file.seek(0)
    lines = _lines(file, advance)
    return _of_json(lines) if start == b"{" else _of_csv(lines)


def _lines(file: BinaryIO, advance: Advance) -> Iterator[bytes]:
    """The lines, without a byte order mark. Of a line that is too long, so much that it shows."""
    prefix = b"\xef\xbb\xbf"
    while line := file.readline(LONGEST_LINE + 1):
        advance(len(line))
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = file.readline(LONGEST_LINE + 1)
            advance(len(rest))
        yield line.removeprefix(prefix)
        prefix = b""


def _of_json(lines: Iterator[bytes]) -> Iterator[Row]:
    parser = StrictJSONParser()
    for number, line in enumerate(lines, start=1):
        if len(line) > LONGEST_LINE:
            yield _refused(number, "line_too_long", f"A line has at most {LONGEST_LINE} bytes.")
        elif line.strip():
            try:
                yield Row(number, parser.parse(io.BytesIO(line)))
            except ParseError as error:
                yield _refused(number, "not_json", str(error.detail))


def _of_csv(lines: Iterator[bytes]) -> Iterator[Row]:
    # Bytes that are no UTF-8 come through as half surrogates, so that only their row is refused.
    texts = (line.decode("utf-8", "surrogateescape") for line in lines)
    first = next(texts, "")
    delimiter = max(DELIMITERS, key=first.count)
    columns = [name.strip() for name in next(csv.reader([first], delimiter=delimiter), [])]
    _refuse_header(columns)
    cells_of = csv.reader(texts, delimiter=delimiter)
    number = 1
    while True:
        number += 1
        try:
            cells = next(cells_of)
        except StopIteration:
            return
        except csv.Error as error:
            yield _refused(number, "not_csv", f"The row cannot be read: {error}.")
            continue
        if any(cell.strip() for cell in cells):
            yield _row(number, columns, cells)


def _refuse_header(columns: list[str]) -> None:
    if "cufe" not in columns:
        raise UnusableFile(
            "This is no JSON Lines, and as CSV its first row has no column `cufe`. Columns may be: "
            f"{', '.join(sorted(COLUMNS))}, {METADATA}*."
        )
    unknown = {name for name in columns if name not in COLUMNS and not name.startswith(METADATA)}
    if unknown:
        raise UnusableFile(
            f"These columns are unknown: {', '.join(sorted(map(repr, unknown)))}. Columns may be: "
            f"{', '.join(sorted(COLUMNS))}, {METADATA}*."
        )
    if len(set(columns)) != len(columns):
        raise UnusableFile("A column stands twice in the first row.")


def _row(number: int, columns: list[str], cells: list[str]) -> Row:
    if len(cells) > len(columns):
        return _refused(number, "too_many_cells", f"The row has more than {len(columns)} cells.")
    body: dict[str, Any] = {}
    for name, cell in zip(columns, cells, strict=False):
        text = cell.strip()
        if not text:
            continue
        if not text.isprintable() and any("\ud800" <= each <= "\udfff" for each in text):
            return _refused(number, "not_utf8", f"The cell of {name} is not UTF-8.")
        _put(body, name, text)
    return Row(number, body)


def _put(body: dict[str, Any], name: str, text: str) -> None:
    value: Any = text
    if name in LISTS:
        value = [part.strip() for part in text.split(";") if part.strip()]
    elif name in WHOLE_NUMBERS and text.isascii() and text.isdigit() and len(text) < 10:
        value = int(text)
    *path, last = [METADATA[:-1], name[len(METADATA) :]] if _is_metadata(name) else name.split(".")
    for part in path:
        body = body.setdefault(part, {})
    body[last] = value


def _is_metadata(name: str) -> bool:
    return name.startswith(METADATA)


def _refused(number: int, code: str, message: str) -> Row:
    return Row(number, fault=Fault("", code, message))
