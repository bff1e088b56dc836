import io

import pytest
from pypdf import PdfReader
from reportlab.pdfgen.canvas import Canvas

from invoicing.pdf.qr import QrCode, qr_code
from invoicing.tests.pdf.reading import qr_codes
from invoicing.tests.pdf.samples import QR_URL


def drawn(code: QrCode) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(code.width, code.height), invariant=1)
    code.drawOn(canvas, 0, 0)
    canvas.save()
    return buffer.getvalue()


def content(pdf: bytes) -> str:
    [page] = PdfReader(io.BytesIO(pdf)).pages
    return page.get_contents().get_data().decode()


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize(
    "url", ["https://a.test", QR_URL, QR_URL * 3], ids=["short", "usual", "long"]
)
def test_a_phone_reads_it(url: str, scale: int) -> None:
    assert qr_codes(drawn(QrCode(url, 112)), scale=scale) == [url]


def test_it_is_as_wide_as_asked_for_and_wider_where_the_squares_would_get_too_small() -> None:
    assert QrCode(QR_URL, 112).width == 112
    assert 112 < QrCode(QR_URL * 3, 112).width < 204


def test_it_is_one_path_of_vectors() -> None:
    page = content(drawn(QrCode(QR_URL, 112)))
    assert page.count(" re") > 1000
    assert page.count("n ") == 1
    assert "Do" not in page


def test_a_click_opens_the_link() -> None:
    [page] = PdfReader(io.BytesIO(drawn(QrCode(QR_URL, 112)))).pages
    [annotation] = page["/Annots"]
    assert annotation.get_object()["/A"]["/URI"] == QR_URL


def test_the_same_link_gives_the_same_bytes() -> None:
    assert drawn(QrCode(QR_URL, 112)) == drawn(QrCode(QR_URL, 112))


def test_without_a_link_there_is_none() -> None:
    assert qr_code("", 112) is None


def test_a_link_that_fits_into_no_qr_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert qr_code("https://a.test/" + "x" * 4000, 112) is None
    assert "A link of 4015 characters fits into no QR" in caplog.text
