"""Printed documents as people and their phones read them."""

import io

import pypdfium2
import zxingcpp
from pypdf import PageObject, PdfReader


def pages_of(pdf: bytes) -> list[PageObject]:
    return list(PdfReader(io.BytesIO(pdf)).pages)


def text_of(pdf: bytes) -> str:
    """Everything that is printed, each run of blanks and line breaks as one space."""
    return " ".join(" ".join(page.extract_text() for page in pages_of(pdf)).split())


def qr_codes(pdf: bytes, *, scale: int = 2) -> list[str]:
    """What the QR codes say, over all pages; `scale` pixels per point."""
    with pypdfium2.PdfDocument(pdf) as document:
        pictures = [page.render(scale=scale).to_pil() for page in document]
    return [code.text for picture in pictures for code in zxingcpp.read_barcodes(picture)]
