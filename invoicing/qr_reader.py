"""Reading the QR codes of a file: bytes in, texts out (pure).

The file comes from outside and may be made to hurt. Size, pages and pixels are counted before
anything is drawn; for the rest (pdfium is not safe with threads, and neither it nor a decoder can
be told to stop) `python -m invoicing.qr_reader` reads in a process of its own: the file on its
standard input, `{"texts": [...]}` or `{"code", "message"}` on its standard output.
"""

from __future__ import annotations

import contextlib
import io
import json
import math
import resource
import sys
from collections.abc import Callable, Iterator

import pypdfium2
import zxingcpp
from PIL import Image

from pac.dgi.qr import cufe_in

MIB = 1024 * 1024
MAX_BYTES = 10 * MIB
MAX_PAGES = 20
MAX_PICTURE = 50_000_000  # pixels; the largest cameras of telephones make that many
MAX_RENDERING = 20_000_000  # pixels of one page
MAX_SIDE = 20_000  # points, seven metres; PDF itself ends at 14,400
SCALES = (2, 3, 4)  # times 72 dpi
PICTURES = ("PNG", "JPEG", "WEBP")
QR_CODES = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
PDF_HEADER_WITHIN = 1024  # bytes, as the readers of PDF have it

MEMORY = 1024 * MIB
CPU_SECONDS = 30


class UnreadableFile(ValueError):
    """No QR can be looked for in this file.

    `code` is `unreadable_file`, `file_too_large` or `unsupported_file_type`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def is_pdf(content: bytes) -> bool:
    return b"%PDF-" in content[:PDF_HEADER_WITHIN]


def read_texts(content: bytes, *, enough: Callable[[str], bool]) -> list[str]:
    """The texts of the QR codes of a PDF, PNG, JPEG or WEBP, each once, in the order of the pages.

    The pages of a PDF are drawn larger and larger until one of the texts is `enough`: small codes
    show up late. Raises `UnreadableFile`, and nothing else for whatever bytes.
    """
    if len(content) > MAX_BYTES:
        raise UnreadableFile("file_too_large", f"At most {MAX_BYTES // MIB} MiB are read.")
    texts: dict[str, None] = {}
    try:
        for images in _passes(content):
            for image in images:
                texts |= dict.fromkeys(_codes_of(image))
            if any(map(enough, texts)):
                break
    except pypdfium2.PdfiumError as error:
        raise UnreadableFile(
            "unreadable_file", f"The PDF is damaged or has a password: {error}"
        ) from error
    return list(texts)


def _codes_of(image: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(image, formats=QR_CODES)
    return [code.text for code in found if code.text]


def _passes(content: bytes) -> Iterator[Iterator[Image.Image]]:
    """The file's pages as pictures, as often as it is worth looking."""
    if not is_pdf(content):
        yield iter([_picture(content)])
        return
    with pypdfium2.PdfDocument(content) as pdf:
        pages = len(pdf)
        if not pages:
            raise UnreadableFile("unreadable_file", "The PDF has no page.")
        if pages > MAX_PAGES:
            raise UnreadableFile(
                "file_too_large", f"The PDF has {pages} pages; at most {MAX_PAGES} are read."
            )
        for scale in SCALES:
            yield (_drawn(pdf, number, scale) for number in range(pages))


def _drawn(pdf: pypdfium2.PdfDocument, number: int, scale: float) -> Image.Image:
    page = pdf[number]
    width, height = page.get_size()
    if not (0 < width < MAX_SIDE and 0 < height < MAX_SIDE):
        raise UnreadableFile("unreadable_file", f"Page {number + 1} of the PDF has no usual size.")
    fitting = min(scale, math.sqrt(MAX_RENDERING / (width * height)))
    return page.render(scale=fitting, grayscale=True).to_pil()


def _picture(content: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(content), formats=PICTURES)
        if picture.width * picture.height > MAX_PICTURE:
            raise Image.DecompressionBombError  # noqa: TRY301 (Pillow's own limit is told below too)
        if not picture.has_transparency_data:
            return picture.convert("L")
        # What is transparent is paper, not the black that it would become.
        paper = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(paper, picture.convert("RGBA")).convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise UnreadableFile(
            "file_too_large", f"The picture has more than {MAX_PICTURE} pixels."
        ) from error
    except Image.UnidentifiedImageError as error:
        raise UnreadableFile(
            "unsupported_file_type", f"Send a PDF, {', '.join(PICTURES[:-1])} or {PICTURES[-1]}."
        ) from error
    # Pillow's decoders raise whatever a damaged file makes them stumble over.
    except Exception as error:
        raise UnreadableFile("unreadable_file", "The picture is damaged.") from error


def _bound() -> None:
    """Limits what the file can make this process take."""
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_AS, MEMORY),
    ):
        # macOS knows no limit of memory; the time-out is left.
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(limit, (most, most))


def main() -> None:
    _bound()
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        answer: dict[str, object] = {
            "texts": read_texts(content, enough=lambda text: cufe_in(text) is not None)
        }
    except UnreadableFile as error:
        answer = {"code": error.code, "message": error.message}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
