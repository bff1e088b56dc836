import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.models import DocumentLine
from invoicing.pdf.cafe import CafeFormat, ReferencedDocument, render_cafe
from invoicing.pdf.page import MARGIN, PAGE_WIDTH
from invoicing.tests.pdf.reading import pages_of, qr_codes, text_of
from invoicing.tests.pdf.samples import CUFE, QR_URL, authorized, line, tenant
from pac.dgi.codes import DOCUMENT_TYPES, PAYMENT_METHODS, Environment

TITLE = "DGI - COMPROBANTE AUXILIAR DE FACTURA ELECTRONICA"
NOTICE = "FE generada en ambiente de pruebas - sin valor comercial ni fiscal"
ORIGINAL = "FE0120000155711111-2-2022-0100002026101500000000900010118987654321"
WARNINGS = [
    "DOCUMENTO ANULADO",
    "RECHAZADO POR LA DGI - SIN VALIDEZ FISCAL",
    "AÚN NO AUTORIZADO POR LA DGI",
]

BOTH_FORMATS = pytest.mark.parametrize("format", CafeFormat)


def cafe(
    *lines: DocumentLine,
    format: CafeFormat = CafeFormat.LETTER,
    reference: ReferencedDocument | None = None,
    **changes: Any,
) -> bytes:
    printed = list(lines) or [line()]
    document = authorized(printed, **changes)
    return render_cafe(document, printed, format=format, reference=reference)


@BOTH_FORMATS
def test_it_says_what_it_is(format: CafeFormat) -> None:
    printed = text_of(cafe(format=format))
    assert TITLE in printed
    assert "Factura de operación interna N.º 0000000118" in printed


@BOTH_FORMATS
@pytest.mark.parametrize("code", DOCUMENT_TYPES)
def test_every_type_of_document_has_its_name(code: str, format: CafeFormat) -> None:
    assert DOCUMENT_TYPES[code] in text_of(cafe(format=format, dgi_document_type=code))


@BOTH_FORMATS
def test_it_names_issuer_and_receiver(format: CafeFormat) -> None:
    printed = text_of(cafe(format=format))
    assert "Canal Digital Servicios Digitales del Canal, S.A. RUC 155711111-2-2022 DV 01" in printed
    assert "Calle 50, Bella Vista Tel. 269-1234 · facturas@canal.test" in printed
    assert "Receptor · Contribuyente Distribuidora del Istmo, S.A." in printed
    assert "RUC 155999001-2-2030 DV 09 Vía España, Panamá" in printed


@BOTH_FORMATS
def test_it_tells_when_where_and_how_it_was_issued(format: CafeFormat) -> None:
    printed = text_of(cafe(format=format, issue_type="02"))
    assert "Fecha y hora 22/11/2026 10:15" in printed
    assert "Sucursal 0007" in printed
    assert "Punto de facturación 003" in printed
    assert "Autorización de uso previa, operación en contingencia" in printed


@BOTH_FORMATS
def test_it_tells_how_to_look_it_up_and_by_which_act_it_was_authorised(format: CafeFormat) -> None:
    printed = text_of(cafe(format=format))
    assert (
        "Consulte por la clave de acceso en "
        "https://dgi-fep.mef.gob.pa/Consultas/FacturasPorCUFE" in printed
    )
    assert CUFE in printed.replace(" ", "")
    assert "Protocolo de autorización: 20260000000000004711" in printed
    assert "Fecha de autorización: 22/11/2026 10:16" in printed


@pytest.mark.parametrize("scale", [2, 3, 4])
@BOTH_FORMATS
def test_a_phone_reads_the_link_of_the_pac(format: CafeFormat, scale: int) -> None:
    assert qr_codes(cafe(format=format), scale=scale) == [QR_URL]


@BOTH_FORMATS
def test_the_qr_stands_on_the_first_of_many_pages_only(format: CafeFormat) -> None:
    assert qr_codes(cafe(*[line()] * 100, format=format)) == [QR_URL]


@BOTH_FORMATS
def test_while_the_link_is_missing_the_page_says_so(format: CafeFormat) -> None:
    pdf = cafe(format=format, qr_code_url="", authorization_protocol="", authorized_at=None)
    printed = text_of(pdf)
    assert qr_codes(pdf) == []
    assert "El código QR aún no está disponible" in printed
    assert "Protocolo de autorización: pendiente Fecha de autorización: pendiente" in printed
    assert "El código QR" not in text_of(cafe(format=format))


@BOTH_FORMATS
def test_the_foot_names_the_pac_and_its_resolution(format: CafeFormat) -> None:
    printed = text_of(cafe(format=format))
    assert "Alanube, proveedor autorizado calificado (PAC)" in printed
    assert "resolución N.º 201-6113 de 2022-09-06" in printed


@BOTH_FORMATS
def test_what_another_pac_may_have_validated_names_none(format: CafeFormat) -> None:
    assert "Alanube" not in text_of(cafe(format=format, generation_mode="DGI_IMPORT"))


@BOTH_FORMATS
def test_a_note_names_the_document_that_it_is_about(format: CafeFormat) -> None:
    printed = text_of(
        cafe(
            format=format,
            document_type="02",
            dgi_document_type="04",
            reference=ReferencedDocument(ORIGINAL, date(2026, 10, 15)),
        )
    )
    assert "Nota de crédito referente a una FE" in printed
    assert ORIGINAL in printed.replace(" ", "")
    assert "Emitido el 15/10/2026" in printed


@BOTH_FORMATS
def test_in_the_test_environment_the_issuers_name_says_that_it_counts_for_nothing(
    format: CafeFormat,
) -> None:
    pdf = cafe(format=format, tenant=tenant(pac_environment=Environment.TEST))
    printed = text_of(pdf)
    assert f"{NOTICE} Canal Digital RUC 155711111-2-2022 DV 01" in printed
    assert "Servicios Digitales del Canal" not in printed
    assert NOTICE not in text_of(cafe(format=format))


@BOTH_FORMATS
@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, []),
        ({"status": "VOID"}, ["DOCUMENTO ANULADO"]),
        ({"legal_status": "PAC_AUTHORIZED"}, ["AÚN NO AUTORIZADO POR LA DGI"]),
        ({"legal_status": None}, ["AÚN NO AUTORIZADO POR LA DGI"]),
        ({"legal_status": "DGI_REJECTED"}, ["RECHAZADO POR LA DGI - SIN VALIDEZ FISCAL"]),
        (
            {"status": "VOID", "legal_status": "PAC_AUTHORIZED"},
            ["DOCUMENTO ANULADO", "AÚN NO AUTORIZADO POR LA DGI"],
        ),
    ],
    ids=["valid", "void", "accepted by the PAC", "imported", "rejected", "void and not authorised"],
)
def test_every_page_warns_of_what_it_is_not(
    changes: dict[str, Any], shown: list[str], format: CafeFormat
) -> None:
    pages = pages_of(cafe(*[line()] * 450, **changes, format=format))
    assert len(pages) > 1
    for page in pages:
        printed = " ".join(page.extract_text().split())
        assert [warning for warning in WARNINGS if warning in printed] == shown


@BOTH_FORMATS
def test_what_the_pac_has_not_authorised_has_no_cafe(format: CafeFormat) -> None:
    with pytest.raises(ValueError, match=r"0007-003-0000000118 has no CUFE"):
        cafe(format=format, invoice_number=None)


@BOTH_FORMATS
def test_all_amounts_are_there(format: CafeFormat) -> None:
    printed = text_of(
        cafe(
            line(
                isc_amount=Decimal("12.50"),
                other_taxes=[{"code": "01", "amount": "1.20"}],
            ),
            line(itbms_rate="00"),
            format=format,
            freight=Decimal("35.00"),
            retention_code="2",
            retention=Decimal("50.75"),
            payment_methods=[
                {"method": "01", "amount": "3000.00"},
                {"method": "02", "amount": "60.00"},
            ],
        )
    )
    for row in (
        "Exento (0 %) 1,450.00 0.00",
        "ITBMS 7 % 1,450.00 101.50",
        "ISC 12.50",
        "SUME 911 1.20",
        "Subtotal B/. 2,900.00",
        "Acarreo B/. 35.00",
        "Total B/. 3,050.20",
        "Retención de ITBMS -B/. 50.75",
        "Neto a pagar B/. 2,999.45",
        "Crédito B/. 3,000.00",
        "Efectivo B/. 60.00",
        "Recibido B/. 3,060.00",
        "Vuelto B/. 9.80",
    ):
        assert row in printed


@BOTH_FORMATS
def test_all_payment_methods_and_twenty_installments_are_listed(format: CafeFormat) -> None:
    methods = [{"method": code, "amount": "10.00"} for code in PAYMENT_METHODS]
    installments = [{"due_date": "2027-01-22", "amount": "7.75"}] * 20
    printed = text_of(cafe(format=format, payment_methods=methods, installments=installments))
    assert all(f"{name} B/. 10.00" in printed for name in PAYMENT_METHODS.values())
    assert "20. 22/01/2027 B/. 7.75" in printed


@BOTH_FORMATS
@pytest.mark.parametrize("word", ["Pago", "Recibido", "Vuelto", "Cuotas", "Retención", "Notas"])
def test_what_is_not_there_is_not_mentioned(word: str, format: CafeFormat) -> None:
    pdf = cafe(format=format, payment_time="", due_date=None)
    assert word not in text_of(pdf)


@BOTH_FORMATS
def test_optional_fields_may_be_empty(format: CafeFormat) -> None:
    printed = text_of(
        cafe(
            line(code=""),
            format=format,
            tenant=tenant(trade_name="", email="", pac_environment=Environment.PRODUCTION),
            receiver_type="CONSUMIDOR_FINAL",
            receiver_name="",
            receiver_ruc="",
            receiver_dv="",
            receiver_address="",
            receiver_emails=[],
            due_date=None,
            payment_time="",
            authorization_protocol="",
        )
    )
    assert "Receptor · Consumidor final Consumidor final" in printed


@BOTH_FORMATS
@pytest.mark.parametrize("markup", ["<b>Uno</b> & <img src='http://a.test/x.png'/>", "&lt;", "<"])
def test_markup_is_printed_as_it_was_written(markup: str, format: CafeFormat) -> None:
    printed = text_of(
        cafe(
            line(description=markup),
            format=format,
            tenant=tenant(name=markup, trade_name="", pac_environment=Environment.PRODUCTION),
            receiver_name=markup,
            notes=markup,
            authorization_protocol=markup,
        )
    )
    # Issuer, receiver, line, notes, protocol.
    assert printed.replace(" ", "").count(markup.replace(" ", "")) >= 5


@BOTH_FORMATS
def test_accents_and_names_of_two_hundred_letters_are_printed_whole(format: CafeFormat) -> None:
    name = ("Compañía Ñandú " * 14)[:200].strip()
    printed = text_of(
        cafe(line(description="Güira “Ágil” – 5 €"), receiver_name=name, format=format)
    )
    assert name in printed
    assert "Güira “Ágil” – 5 €" in printed


@BOTH_FORMATS
def test_words_too_long_for_their_place_are_cut_and_nothing_leaves_the_page(
    format: CafeFormat,
) -> None:
    word = "W" * 500
    pdf = cafe(
        line(description=word, code="W" * 20, unit="W" * 20),
        format=format,
        receiver_name="W" * 200,
        notes=word,
        tenant=tenant(name="W" * 200, trade_name="W" * 199, pac_environment=Environment.PRODUCTION),
    )
    letters = 0
    for page in pages_of(pdf):
        right = float(page.mediabox.right)
        starts: list[float] = []
        letters += page.extract_text(
            visitor_text=lambda _, __, matrix, *___, starts=starts: starts.append(matrix[4])
        ).count("W")
        assert max(starts) < right - (MARGIN if right == PAGE_WIDTH else 0)
    assert letters >= 500 + 20 + 20 + 200 + 500 + 200 + 199


@BOTH_FORMATS
def test_figures_as_long_as_they_may_be_are_printed_whole(format: CafeFormat) -> None:
    printed = text_of(
        cafe(
            line(quantity=Decimal("9999999.123456"), unit_price=Decimal("99999999.123456")),
            format=format,
        )
    )
    assert "9,999,999.123456" in printed
    assert "99,999,999.123456" in printed
    assert "B/. 1,069,999,896,830,772.02" in printed


@BOTH_FORMATS
def test_a_thousand_lines_are_printed_within_three_seconds(format: CafeFormat) -> None:
    lines = [line(description=f"Artículo número {number}") for number in range(1, 1001)]
    document = authorized(lines)
    started = time.process_time()
    pdf = render_cafe(document, lines, format=format)
    assert time.process_time() - started < 3

    pages = [page.extract_text() for page in pages_of(pdf)]
    assert all("Descripción" in page for page in pages[:-1])
    everything = "\n".join(pages)
    assert all(f"Artículo número {number}\n" in everything for number in range(1, 1001))


@BOTH_FORMATS
def test_a_document_without_lines_has_a_page(format: CafeFormat) -> None:
    document = authorized([])
    assert "Total B/. 0.00" in text_of(render_cafe(document, [], format=format))


@BOTH_FORMATS
def test_the_same_document_gives_the_same_bytes(format: CafeFormat) -> None:
    assert cafe(format=format) == cafe(format=format)
