"""The QR of a document: the PAC's link, in dark squares."""

import logging
import re
from functools import lru_cache

import zxingcpp
from reportlab.lib.colors import black
from reportlab.pdfgen.pathobject import PDFPathObject
from reportlab.platypus import Flowable

log = logging.getLogger(__name__)

_ERROR_LEVEL = "M"
_DARK = re.compile(b"\x00+")
_QUIET_ZONE = 4  # modules; ISO 18004 asks for four

# Points. About three dots of a receipt printer, and what a phone's camera still tells apart.
_MODULE_AT_LEAST = 1.1


class QrCode(Flowable):
    """A square that a phone reads and a click opens: vectors, one path, quiet zone included."""

    def __init__(self, url: str, at_least: float) -> None:
        """`at_least` points wide; more where the link is so long that it asks for more modules.

        Raises ValueError where the link is longer than any QR.
        """
        super().__init__()
        self._url = url
        self._modules, self._path = _dark_squares(url)
        self.width = self.height = max(at_least, self._modules * _MODULE_AT_LEAST)

    def draw(self) -> None:
        canvas = self.canv
        canvas.linkURL(self._url, (0, 0, self.width, self.height), relative=1)
        scale = self.width / self._modules
        canvas.saveState()
        canvas.scale(scale, scale)
        canvas.setFillColor(black)
        canvas.drawPath(PDFPathObject([self._path]), stroke=0, fill=1)
        canvas.restoreState()


def qr_code(url: str, at_least: float) -> QrCode | None:
    """The QR of `url`, `at_least` points wide; None where there is no link yet.

    A link that fits into no QR is a warning in the log, never a document without its page.
    """
    if not url:
        return None
    try:
        return QrCode(url, at_least)
    except ValueError as error:
        log.warning("A link of %d characters fits into no QR: %s", len(url), error)
        return None


@lru_cache(maxsize=256)
def _dark_squares(url: str) -> tuple[int, str]:
    """How many modules wide with the quiet zone, and a PDF path of what is dark, one unit a module.

    Written as PDF operators at once: reportlab's own path formats each number anew, which takes
    ten times as long. One path, because squares filled one by one leave hairlines between them.
    """
    code = zxingcpp.create_barcode(url, zxingcpp.BarcodeFormat.QRCode, ec_level=_ERROR_LEVEL)
    image = code.to_image(scale=1, add_quiet_zones=False)
    picture = memoryview(image)  # type: ignore[arg-type]  # the stubs forget its buffer
    modules = picture.shape[0] if picture.shape else 0
    dark = picture.tobytes()
    size = modules + 2 * _QUIET_ZONE
    bars = (
        f"{_QUIET_ZONE + run.start()} {size - _QUIET_ZONE - row} {run.end() - run.start()} -1 re"
        for row in range(modules)
        for run in _DARK.finditer(dark[row * modules : (row + 1) * modules])
    )
    return size, " ".join(("n", *bars))
