import io
from decimal import Decimal

import pypdfium2
import pytest
from pypdf import PageObject, PdfReader
from reportlab.platypus import Flowable, Spacer

from invoicing.models import DocumentLine
from invoicing.pdf.cafe import CafeFormat, render_cafe
from invoicing.pdf.page import Band, Sheet
from invoicing.pdf.tape import LONGEST, PAPER_WIDTH, TAPE_WIDTH, build_tape
from invoicing.pdf.typography import ALARM, CAUTION, NEUTRAL
from invoicing.tests.pdf.reading import pages_of, text_of
from invoicing.tests.pdf.samples import authorized, line

MILLIMETRE = 72 / 25.4


def tape(lines: list[DocumentLine]) -> bytes:
    return render_cafe(authorized(lines), lines, format=CafeFormat.TAPE)


def height(page: PageObject) -> float:
    return float(page.mediabox.height)


@pytest.mark.parametrize("count", [2, 10, 300])
def test_it_is_80_mm_wide_and_one_page_as_high_as_its_lines_need(count: int) -> None:
    [page] = pages_of(tape([line()] * count))
    [shorter] = pages_of(tape([line()] * (count - 1)))
    assert float(page.mediabox.width) == pytest.approx(80 * MILLIMETRE, abs=0.01)
    assert 20 < height(page) - height(shorter) < 50


def test_what_readers_would_refuse_to_open_goes_on_on_a_further_page() -> None:
    lines = [line(description=f"Artículo número {number}") for number in range(1, 1001)]
    pages = pages_of(tape(lines))
    assert len(pages) == 3
    assert all(height(page) <= LONGEST for page in pages)
    assert all("COMPROBANTE AUXILIAR" in page.extract_text() for page in pages)
    assert sum(page.extract_text().count("Artículo número ") for page in pages) == 1000


def test_what_cannot_be_cut_is_printed_however_long_it_is() -> None:
    story: list[Flowable] = [Spacer(0, 10), Block(LONGEST + 100), Spacer(0, 10)]
    pages = PdfReader(io.BytesIO(build_tape(Sheet("", "", []), story))).pages
    assert [height(page) > LONGEST for page in pages] == [False, True, False]


class Block(Flowable):
    """Something in one piece."""

    def __init__(self, height: float) -> None:
        super().__init__()
        self.width, self.height = TAPE_WIDTH, height

    def draw(self) -> None:
        self.canv.rect(0, 0, self.width, self.height)


def test_a_line_shows_what_it_is_and_what_it_comes_to() -> None:
    printed = text_of(
        tape(
            [
                line(
                    code="LIC-ERP-U",
                    description="Licencia de usuario",
                    quantity=Decimal("1025.500000"),
                    unit_price=Decimal("18.750000"),
                    unit_discount=Decimal("1.875000"),
                )
            ]
        )
    )
    assert "Licencia de usuario LIC-ERP-U · 1,025.5 und × 18.75 · desc. 1.875" in printed
    assert "ITBMS 7 % 1,211.37" in printed
    assert "18,516.68" in printed


def test_everything_is_black_on_white() -> None:
    """A receipt printer has no greys; what looks grey here is the edge of a letter."""
    bands = [Band("UNO", NEUTRAL), Band("DOS", CAUTION), Band("TRES", ALARM)]
    pdf = build_tape(Sheet("", "", bands), [Spacer(0, 1)])
    colors = {
        operands[:3]
        for operands in (
            tuple(row.split())
            for page in pages_of(pdf)
            for row in page.get_contents().get_data().decode().splitlines()
            if row.endswith((" rg", " RG"))
        )
    }
    assert colors == {("0", "0", "0"), ("1", "1", "1")}
    assert text_of(pdf) == "UNO DOS TRES"
    with pypdfium2.PdfDocument(pdf) as document:
        assert document[0].get_width() == pytest.approx(PAPER_WIDTH)
