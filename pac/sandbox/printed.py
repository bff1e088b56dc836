"""The signed PDF that the PAC offers: a CAFE of the test environment, in Spanish."""

import io
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import LETTER
from reportlab.lib.units import mm
from reportlab.lib.utils import simpleSplit
from reportlab.pdfgen.canvas import Canvas

from pac.dgi.codes import DOCUMENT_TYPES, ITBMS_RATES, PAYMENT_METHODS
from pac.sandbox.records import Company, Document
from pac.sandbox.rules.money import amounts_of

TITLE = "DGI - COMPROBANTE AUXILIAR DE FACTURA ELECTRONICA"
TEST_NOTICE = "FE generada en ambiente de pruebas - sin valor comercial ni fiscal"

WIDTH, HEIGHT = LETTER
LEFT, RIGHT = 16 * mm, WIDTH - 16 * mm
BOTTOM = 24 * mm
INK, FAINT, RULE = HexColor("#1b2a3a"), HexColor("#5d6b79"), HexColor("#c9d2da")
BAND = HexColor("#eef2f5")

# The right edge of each column of figures.
QUANTITY, PRICE, RATE, LINE_TOTAL = (
    RIGHT - 78 * mm,
    RIGHT - 48 * mm,
    RIGHT - 28 * mm,
    RIGHT - 2 * mm,
)
DESCRIPTION_WIDTH = 82 * mm


def printed(company: Company, document: Document) -> bytes:
    """The PDF. The text of a document is drawn as it is, never read as markup."""
    return _Page(company, document).render()


class _Page:
    """Draws from the top down; `y` is where the next thing goes."""

    def __init__(self, company: Company, document: Document) -> None:
        self._company = company
        self._document = document
        self._payload = document.payload
        self._buffer = io.BytesIO()
        self._canvas = Canvas(self._buffer, pagesize=LETTER)
        self._canvas.setTitle(f"{document.cufe}.pdf")
        self._canvas.setAuthor("Sandbox PAC")
        self._y = HEIGHT

    def render(self) -> bytes:
        self._head()
        self._parties()
        self._lines()
        self._totals()
        self._foot()
        self._canvas.save()
        return self._buffer.getvalue()

    def _text(
        self, x: float, words: object, size: float = 8, *, bold: bool = False, color: Color = INK
    ) -> None:
        self._canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self._canvas.setFillColor(color)
        self._canvas.drawString(x, self._y, _drawable(words))

    def _right(self, x: float, words: object, size: float = 8, *, bold: bool = False) -> None:
        self._canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self._canvas.setFillColor(INK)
        self._canvas.drawRightString(x, self._y, _drawable(words))

    def _rule(self) -> None:
        self._canvas.setStrokeColor(RULE)
        self._canvas.line(LEFT, self._y, RIGHT, self._y)

    def _down(self, distance: float) -> None:
        self._y -= distance

    def _head(self) -> None:
        self._canvas.setFillColor(INK)
        self._canvas.rect(0, HEIGHT - 22 * mm, WIDTH, 22 * mm, stroke=0, fill=1)
        white = HexColor("#ffffff")
        self._y = HEIGHT - 11 * mm
        self._text(LEFT, TITLE, 13, bold=True, color=white)
        self._down(6 * mm)
        self._text(LEFT, DOCUMENT_TYPES[self._document.number.document_type], 9, color=white)
        self._y = HEIGHT - 30 * mm
        header = self._payload["information"]
        self._text(LEFT, f"N.º {header['numeration']}", 12, bold=True)
        for label, value in (
            ("Punto de facturación", header["billingPoint"]),
            ("Fecha de emisión", header["issueDate"].replace("T", " ").removesuffix("-05:00")),
            ("CUFE", self._document.cufe),
            ("Protocolo de autorización", self._document.authorization_protocol or "pendiente"),
        ):
            self._down(5 * mm)
            self._text(LEFT, label, color=FAINT)
            self._text(LEFT + 40 * mm, value)
        self._down(5 * mm)
        self._rule()

    def _parties(self) -> None:
        receiver = self._payload["receiver"]
        middle = WIDTH / 2
        dv = self._company.details["checkDigit"]
        ruc = receiver.get("ruc", {}).get("ruc") or receiver.get("foreign", {}).get("number", "")
        rows = (
            ("EMISOR", "RECEPTOR"),
            (TEST_NOTICE, receiver.get("name", "Consumidor final")),
            (f"RUC {self._company.ruc}   DV {dv}", f"RUC o identificación {ruc}" if ruc else ""),
            (self._address(), receiver.get("address", "")),
        )
        for position, (issuer, other) in enumerate(rows):
            self._down(5 * mm)
            color = FAINT if position == 0 else INK
            size, bold = (7, True) if position == 1 else (8, False)
            self._text(LEFT, _fitting(issuer), size, bold=bold, color=color)
            self._text(middle, _fitting(other), size, bold=bold, color=color)
        self._down(10 * mm)

    def _address(self) -> str:
        office = self._company.offices.get(self._document.number.office_id)
        return str(office.details["address"]) if office else ""

    def _lines_head(self) -> None:
        self._canvas.setFillColor(BAND)
        self._canvas.rect(LEFT, self._y - 2 * mm, RIGHT - LEFT, 7 * mm, stroke=0, fill=1)
        self._text(LEFT + 2 * mm, "DESCRIPCIÓN", 7, bold=True)
        for x, label in (
            (QUANTITY, "CANTIDAD"),
            (PRICE, "PRECIO"),
            (RATE, "ITBMS"),
            (LINE_TOTAL, "TOTAL B/."),
        ):
            self._right(x, label, 7, bold=True)
        self._down(7 * mm)

    def _lines(self) -> None:
        self._lines_head()
        for item in self._payload["items"]:
            words = simpleSplit(_drawable(item["description"]), "Helvetica", 8, DESCRIPTION_WIDTH)
            if self._y - len(words) * 4 * mm < BOTTOM:
                self._next_page()
                self._lines_head()
            prices = item["prices"]
            price = Decimal(prices["transfer"]) - Decimal(prices.get("discount", 0))
            self._right(QUANTITY, f"{Decimal(item['quantity']).normalize():f}")
            self._right(PRICE, f"{price:.2f}")
            self._right(RATE, f"{ITBMS_RATES[item['itbms']['rate']]:.0%}")
            self._right(LINE_TOTAL, f"{_line_total(item):.2f}")
            for row in words:
                self._text(LEFT + 2 * mm, row)
                self._down(4 * mm)
            self._down(1 * mm)

    def _totals(self) -> None:
        if self._y < BOTTOM + 50 * mm:
            self._next_page()
        self._rule()
        for label, value, strong in self._total_rows():
            self._down(5 * mm)
            self._right(RATE, label, 10 if strong else 8, bold=strong)
            self._right(LINE_TOTAL, value, 10 if strong else 8, bold=strong)

    def _total_rows(self) -> Iterator[tuple[str, str, bool]]:
        amounts = amounts_of(self._payload)
        yield "Subtotal", f"{amounts.net:.2f}", False
        yield "ITBMS", f"{amounts.itbms:.2f}", False
        if amounts.isc or amounts.other_taxes:
            yield "ISC y otros impuestos", f"{amounts.isc + amounts.other_taxes:.2f}", False
        if amounts.discount:
            yield "Descuento", f"-{amounts.discount:.2f}", False
        yield "TOTAL", f"{amounts.total:.2f}", True
        totals = self._payload["totals"]
        for method in totals["paymentMethods"]:
            name = PAYMENT_METHODS[method["type"]]
            yield name, f"{Decimal(method['amount']):.2f}", False
        if "retention" in totals:
            yield "Retención", f"{Decimal(totals['retention']['amount']):.2f}", False

    def _foot(self) -> None:
        self._y = 16 * mm
        self._rule()
        self._down(4 * mm)
        consult = "Consulte por la clave de acceso en https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE"
        self._text(LEFT, consult, 7, color=FAINT)
        self._down(4 * mm)
        self._text(LEFT, "Documento generado por el simulador del PAC", 7, color=FAINT)

    def _next_page(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._y = HEIGHT - 20 * mm


def _line_total(item: dict[str, Any]) -> Decimal:
    """What one line comes to, taxes included."""
    return amounts_of({"items": [item], "totals": {}}).total


def _drawable(words: object) -> str:
    """The standard fonts hold the letters of Western Europe; others become question marks."""
    return str(words).encode("cp1252", "replace").decode("cp1252")


def _fitting(words: str) -> str:
    """As much as fits on one row of half a page."""
    rows = simpleSplit(_drawable(words), "Helvetica", 8, 88 * mm)
    return rows[0] if rows else ""
