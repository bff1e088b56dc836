import io
import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image
from pypdf import PageObject, PdfReader

from invoicing.models import DocumentLine
from invoicing.pdf.page import MARGIN, PAGE_WIDTH
from invoicing.pdf.proforma import render_proforma
from invoicing.tests.pdf.samples import document, line, tenant

BAND = "PROFORMA - SIN VALOR FISCAL"


def pages(lines: list[DocumentLine], **changes: Any) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(render_proforma(document(lines, **changes), lines))).pages)


def text(*lines: DocumentLine, **changes: Any) -> str:
    """Everything that is printed, each run of blanks and line breaks as one space."""
    printed = pages(list(lines), **changes)
    return " ".join(" ".join(page.extract_text() for page in printed).split())


def stored_logo(name: str, content: bytes) -> str:
    return default_storage.save(f"logos/{name}", ContentFile(content))


def png(size: tuple[int, int] = (900, 300)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGBA", size, (0, 110, 140, 128)).save(buffer, "PNG")
    return buffer.getvalue()


def test_it_names_issuer_and_receiver() -> None:
    printed = text(line())
    assert "Canal Digital Servicios Digitales del Canal, S.A. RUC 155711111-2-2022 DV 01" in printed
    assert "Calle 50, Bella Vista Tel. 269-1234 · facturas@canal.test" in printed
    assert "Receptor · Contribuyente Distribuidora del Istmo, S.A." in printed
    assert "RUC 155999001-2-2030 DV 09 Vía España, Panamá pagos@istmo.test" in printed


def test_it_tells_number_panama_time_due_date_branch_and_billing_point() -> None:
    printed = text(line())
    assert "Proforma N.º 0000000118" in printed
    assert "Fecha y hora 22/11/2026 10:15" in printed
    assert "Vence 22/12/2026" in printed
    assert "Sucursal 0007" in printed
    assert "Punto de facturación 003" in printed


def test_a_foreigner_is_known_by_a_foreign_identity_and_country() -> None:
    printed = text(
        line(itbms_rate="00"),
        receiver_type="EXTRANJERO",
        receiver_ruc="",
        receiver_foreign_number="900123456-7",
        receiver_foreign_country="CO",
        receiver_country="CO",
        receiver_address="Bogotá",
        exportation={
            "incoterm": "FOB",
            "currency": "USD",
            "exchange_rate": "1",
            "amount": "1450.00",
            "port": "Puerto de Balboa",
        },
    )
    assert "Receptor · Extranjero" in printed
    assert "Identificación 900123456-7 (Colombia)" in printed
    assert "Bogotá, Colombia" in printed
    assert "FOB · Franco a bordo" in printed
    assert "Puerto de Balboa" in printed


def test_a_consumer_without_a_name_is_a_consumer() -> None:
    printed = text(line(), receiver_type="CONSUMIDOR_FINAL", receiver_name="", receiver_ruc="")
    assert "Receptor · Consumidor final Consumidor final" in printed


def test_every_page_says_that_it_has_no_fiscal_value_and_none_has_a_cufe_or_a_picture() -> None:
    printed = pages([line()] * 100)
    assert len(printed) > 2
    assert all(BAND in page.extract_text() for page in printed)
    assert not any("CUFE" in page.extract_text() for page in printed)
    assert not any(page.images for page in printed)


def test_a_line_shows_what_it_is_and_what_it_comes_to() -> None:
    printed = text(
        line(
            code="LIC-ERP-U",
            description="Licencia de usuario",
            quantity=Decimal("1025.500000"),
            unit_price=Decimal("18.750000"),
            unit_discount=Decimal("1.875000"),
        )
    )
    assert "LIC-ERP-U Licencia de usuario 1,025.5 und 18.75 1.875 7 %" in printed
    assert "1,211.37 18,516.68" in printed


def test_columns_that_no_line_fills_are_left_out() -> None:
    assert "Código" in text(line())
    assert "Código" not in text(line(code=""))
    assert "Descuento unitario" in text(line(unit_discount=Decimal(1)))
    assert "Descuento unitario" not in text(line())


def test_itbms_is_broken_down_by_rate() -> None:
    printed = text(line(), line(), line(itbms_rate="00"), line(itbms_rate="03"))
    assert "Exento (0 %) 1,450.00 0.00" in printed
    assert "ITBMS 7 % 2,900.00 203.00" in printed
    assert "ITBMS 15 % 1,450.00 217.50" in printed
    assert "ITBMS 10 %" not in printed


def test_what_raises_or_lowers_the_total_is_shown() -> None:
    printed = text(
        line(
            isc_amount=Decimal("12.50"),
            other_taxes=[{"code": "01", "amount": "1.20"}, {"code": "10", "amount": "3.00"}],
        ),
        discounts=[{"description": "Pronto pago", "amount": "50.00"}],
        freight=Decimal("35.00"),
        insurance=Decimal("12.00"),
        other_expenses=Decimal("5.00"),
        retention_code="2",
        retention=Decimal("50.75"),
    )
    assert "ISC 12.50" in printed
    assert "SUME 911 1.20" in printed
    assert "FECI 3.00" in printed
    assert "Pronto pago B/. 50.00" in printed
    for row in (
        "Subtotal B/. 1,450.00",
        "ITBMS B/. 101.50",
        "ISC B/. 12.50",
        "Otras tasas B/. 4.20",
        "Descuentos -B/. 50.00",
        "Acarreo B/. 35.00",
        "Seguro B/. 12.00",
        "Otros gastos B/. 5.00",
        "Total B/. 1,570.20",
        "Retención de ITBMS -B/. 50.75",
        "Neto a pagar B/. 1,519.45",
    ):
        assert row in printed
    assert "Pago por venta de bienes o servicios al Estado" in printed


@pytest.mark.parametrize(
    "word",
    [
        "Vence",
        " ISC ",
        "Otras tasas",
        "Descuento",
        "Acarreo",
        "Seguro",
        "Otros gastos",
        "Retención",
        "Neto",
        "Condiciones de pago",
        "Cuotas",
        "Exportación",
        "Notas",
    ],
)
def test_what_is_not_there_is_not_mentioned(word: str) -> None:
    assert word not in text(line(), due_date=None, payment_time="")


@pytest.mark.parametrize("stored", [True, False], ids=["as stored", "as issued"])
def test_payment_terms_and_installments_are_listed(stored: bool) -> None:
    def kept(value: Any) -> Any:
        return str(value) if stored else value

    printed = text(
        line(),
        payment_time="MIXED",
        payment_methods=[
            {"method": "01", "amount": kept(Decimal("1500.50")), "description": ""},
            {"method": "99", "amount": kept(Decimal("51.00")), "description": "Criptomoneda local"},
        ],
        installments=[
            {"due_date": kept(date(2026, 12, 22)), "amount": kept(Decimal("750.25"))},
            {"due_date": kept(date(2027, 1, 22)), "amount": kept(Decimal("750.25"))},
        ],
    )
    assert "Tiempo de pago Mixto Crédito B/. 1,500.50 Criptomoneda local B/. 51.00" in printed
    assert "1. 22/12/2026 B/. 750.25 2. 22/01/2027 B/. 750.25" in printed


def test_notes_keep_their_line_breaks() -> None:
    [page] = pages([line()], notes="Entregar en el almacén.\r\nDe 8 a 15 horas.")
    assert "Entregar en el almacén.\nDe 8 a 15 horas." in page.extract_text()


@pytest.mark.parametrize("markup", ["<b>Uno</b> & <img src='http://a.test/x.png'/>", "&lt;", "<"])
def test_markup_is_printed_as_it_was_written(markup: str) -> None:
    printed = text(
        line(description=markup),
        tenant=tenant(name=markup, trade_name=""),
        receiver_name=markup,
        notes=markup,
        discounts=[{"description": markup, "amount": "1.00"}],
    )
    # Issuer, foot, receiver, line, discount, notes.
    assert printed.replace(" ", "").count(markup.replace(" ", "")) >= 6


def test_a_thousand_lines_go_over_pages_that_repeat_the_headings_within_three_seconds() -> None:
    lines = [line(description=f"Artículo número {number}") for number in range(1, 1001)]
    proforma = document(lines)
    started = time.process_time()
    pdf = render_proforma(proforma, lines)
    assert time.process_time() - started < 3

    printed = [page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages]
    for number, page in enumerate(printed, start=1):
        assert f"Página {number} de {len(printed)}" in page
    assert all("Descripción" in page for page in printed[:-1])
    everything = "\n".join(printed)
    assert all(f"Artículo número {number}\n" in everything for number in range(1, 1001))


def test_two_hundred_installments_go_over_pages() -> None:
    installments = [{"due_date": "2027-01-22", "amount": "7.75"}] * 200
    printed = pages([line()], installments=installments)
    assert len(printed) > 1
    assert "200. 22/01/2027" in " ".join(printed[-1].extract_text().split())


def test_words_too_long_for_their_column_are_cut_and_nothing_leaves_the_page() -> None:
    word = "W" * 500
    printed = pages(
        [line(description=word, code="W" * 20, unit="W" * 20)],
        receiver_name="W" * 200,
        receiver_emails=[f"{'w' * 60}@{'w' * 30}.test"] * 10,
        notes=word,
        tenant=tenant(name="W" * 200, trade_name="W" * 200),
    )
    starts: list[float] = []
    for page in printed:
        page.extract_text(visitor_text=lambda _, __, matrix, *___: starts.append(matrix[4]))
    assert max(starts) < PAGE_WIDTH - MARGIN
    letters = "".join(page.extract_text() for page in printed).count("W")
    assert letters >= 500 + 20 + 20 + 200 + 500 + 200


def test_a_name_of_two_hundred_letters_is_printed_whole() -> None:
    name = "Compañía Ñandú " * 13
    assert name.strip() in text(line(), receiver_name=name)


def test_figures_as_long_as_they_may_be_are_printed_whole() -> None:
    printed = text(
        line(
            code="X" * 20,
            unit="X" * 20,
            quantity=Decimal("9999999.123456"),
            unit_price=Decimal("99999999.123456"),
            unit_discount=Decimal("12345678.123456"),
        )
    )
    assert "9,999,999.123456" in printed
    assert "99,999,999.123456 12,345,678.123456 7 %" in printed
    assert "Total B/. 937,901,152,488,830.01" in printed


@pytest.mark.parametrize(
    ("written", "drawn"),
    [
        ("Peñalolén, güira y ÁÉÍÓÚ", "Peñalolén, güira y ÁÉÍÓÚ"),
        ("Pen\u0303a", "Peña"),
        ("“Café” – 5 € · ½ kg", "“Café” – 5 € · ½ kg"),
        ("Feliz 🎉 día 👩🏽\u200d💻 del café", "Feliz día del café"),
        ("Dvořák y Łódź", "Dvorák y Lódz"),
        ("北京", "??"),
        ("PTY → BOG ≤ 5 kg", "PTY -> BOG <= 5 kg"),
        ("uno\u0007dos\u200btres\ud83d", "unodostres"),
        ("uno\ndos", "uno dos"),
    ],
)
def test_text_is_drawn_as_well_as_the_typeface_can(written: str, drawn: str) -> None:
    assert f"SRV-SOP-M {drawn} 1 und" in text(line(description=written))


def test_the_logo_is_printed() -> None:
    [page] = pages([line()], tenant=tenant(logo=stored_logo("canal.png", png())))
    assert len(page.images) == 1


@pytest.mark.parametrize("content", [b"", b"<svg/>", png()[:40]])
def test_a_logo_that_cannot_be_read_is_left_out(
    content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    [page] = pages([line()], tenant=tenant(logo=stored_logo("broken.png", content)))
    assert not page.images
    assert "cannot be read" in caplog.text


def test_a_logo_that_is_lost_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    [page] = pages([line()], tenant=tenant(logo="logos/lost.png"))
    assert not page.images
    assert "logos/lost.png cannot be read" in caplog.text


def test_a_document_without_lines_has_a_page() -> None:
    assert "Total B/. 0.00" in text()


def test_the_same_document_gives_the_same_bytes() -> None:
    lines = [line(), line()]
    assert render_proforma(document(lines), lines) == render_proforma(document(lines), lines)


def test_the_file_says_what_it_is() -> None:
    reader = PdfReader(io.BytesIO(render_proforma(document([line()]), [line()])))
    assert reader.metadata is not None
    assert reader.metadata.title == "Proforma 0000000118"
    assert reader.metadata.author == "Servicios Digitales del Canal, S.A."
