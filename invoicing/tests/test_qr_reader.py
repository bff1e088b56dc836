"""Reading QR codes: whatever the bytes, texts or one of three refusals."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption

from invoicing import qr_reader
from invoicing.qr_reader import UnreadableFile, read_texts
from invoicing.tests.elsewhere import a_cufe, link_of, pdf_of, qr_picture
from pac.tests.dgi.vectors import load

LINK = link_of(a_cufe())


def read(content: bytes) -> list[str]:
    return read_texts(content, enough=lambda text: text.startswith("https://dgi-fep"))


def refused(content: bytes) -> str:
    with pytest.raises(UnreadableFile) as refusal:
        read(content)
    assert refusal.value.message
    return refusal.value.code


def as_picture(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture = Image.open(io.BytesIO(qr_picture(LINK, scale=4))).convert("RGB")
    picture.save(buffer, form, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("vector", load("cufe")["cufe"], ids=lambda vector: vector["dRuc"])
def test_a_published_cufe_is_read_from_a_page(vector: dict[str, str]) -> None:
    assert read(pdf_of(link_of(vector["cufe"]))) == [link_of(vector["cufe"])]


@pytest.mark.parametrize("side", [45, 60, 80, 110, 200], ids="{} points".format)
def test_small_and_large_codes_are_read(side: float) -> None:
    assert read(pdf_of(LINK, side=side)) == [LINK]


def test_the_code_may_stand_on_the_last_of_twenty_pages() -> None:
    assert read(pdf_of(LINK, empty_pages=19)) == [LINK]


def test_a_page_is_drawn_larger_until_the_wanted_code_shows_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A payment's QR is large and seen at once; the DGI's beside it is not."""
    scales = []

    def too_small_at_first(pdf: object, number: int, scale: float) -> Image.Image:
        scales.append(scale)
        content = qr_picture("https://yappy.example/pay" if scale < 4 else LINK)
        return Image.open(io.BytesIO(content)).convert("L")

    monkeypatch.setattr(qr_reader, "_drawn", too_small_at_first)
    assert read(pdf_of()) == ["https://yappy.example/pay", LINK]
    assert scales == [2, 3, 4]


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP"])
def test_pictures_are_read(form: str) -> None:
    assert read(as_picture(form)) == [LINK]


def test_a_picture_taken_askew_is_read() -> None:
    picture = Image.open(io.BytesIO(qr_picture(LINK, scale=6))).convert("RGB")
    buffer = io.BytesIO()
    picture.rotate(23, expand=True, fillcolor="white").save(buffer, "JPEG", quality=60)
    assert read(buffer.getvalue()) == [LINK]


def test_transparent_paper_is_white() -> None:
    picture = Image.open(io.BytesIO(qr_picture(LINK))).convert("L")
    see_through = Image.new("RGBA", picture.size, (0, 0, 0, 0))
    see_through.paste((0, 0, 0, 255), mask=picture.point(lambda value: 255 - value))
    buffer = io.BytesIO()
    see_through.save(buffer, "PNG")
    assert read(buffer.getvalue()) == [LINK]


def test_every_code_of_a_page_is_read_once() -> None:
    other = link_of(a_cufe(2))
    assert sorted(read(pdf_of(LINK, other, LINK, side=150))) == sorted([LINK, other])


def test_no_code_is_no_error() -> None:
    assert read(pdf_of()) == []
    assert read(pdf_of(size=(10, 10))) == []


# --- hostile and broken files -------------------------------------------------------------------


def test_a_file_of_another_kind_is_named_so() -> None:
    for content in (b"", b"hello", b"PK\x03\x04" + b"\0" * 100, b"<html>", as_picture("GIF")):
        assert refused(content) == "unsupported_file_type"


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n",
        b"%PDF-1.7\n" + b"\xff" * 5000,
        pdf_of(LINK)[:300],
        as_picture("PNG")[:500],
        as_picture("JPEG")[:200],
        as_picture("WEBP")[:120],
        as_picture("PNG")[:60] + b"\xff" * 500,
    ],
    ids=range(7),
)
def test_a_damaged_file_is_unreadable(content: bytes) -> None:
    assert refused(content) == "unreadable_file"


def test_a_pdf_with_a_password_is_unreadable() -> None:
    locked = pdf_of(LINK, encrypt=StandardEncryption("secret", ownerPassword="other"))
    assert refused(locked) == "unreadable_file"


def test_too_many_bytes_are_too_large() -> None:
    assert refused(b"%PDF-" + b"\0" * qr_reader.MAX_BYTES) == "file_too_large"


def test_too_many_pages_are_too_large() -> None:
    assert refused(pdf_of(LINK, empty_pages=20)) == "file_too_large"


@pytest.mark.parametrize("side", [8_000, 11_000, 15_000])
def test_a_picture_of_too_many_pixels_is_never_decoded(side: int) -> None:
    buffer = io.BytesIO()
    Image.new("1", (side, side)).save(buffer, "PNG")
    assert len(buffer.getvalue()) < 100_000
    assert refused(buffer.getvalue()) == "file_too_large"


def test_a_page_of_any_size_is_drawn_small(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    codes_of = qr_reader._codes_of

    def note_size(image: Image.Image) -> list[str]:
        sizes.append(image.size)
        return codes_of(image)

    monkeypatch.setattr(qr_reader, "_codes_of", note_size)
    read(pdf_of(size=(14_000, 14_000)))
    read(pdf_of(size=(14_000, 1)))
    assert max(width * height for width, height in sizes) < qr_reader.MAX_RENDERING * 1.01


A_PDF, A_PICTURE = pdf_of(LINK), as_picture("PNG")


@given(st.binary(max_size=200), st.integers(0, 5000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_bytes_changed_anywhere_make_texts_or_a_refusal(
    damage: bytes, position: int, in_pdf: bool
) -> None:
    whole = A_PDF if in_pdf else A_PICTURE
    content = whole[:position] + damage + whole[position + len(damage) :]
    with contextlib.suppress(UnreadableFile):
        assert all(isinstance(text, str) for text in read(content))


# --- the process --------------------------------------------------------------------------------


def in_process(content: bytes) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "invoicing.qr_reader"],
        input=content,
        capture_output=True,
        check=True,
        timeout=30,
    )
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def test_the_process_reads_as_the_function_does() -> None:
    assert in_process(pdf_of(LINK)) == {"texts": [LINK]}
    refusal = in_process(b"hello")
    assert refusal["code"] == "unsupported_file_type"
    assert refusal["message"]
