"""How long a CAFE takes, and what drawing the QR ourselves is worth. `python -m bench.bench_pdf`

Needs no database and writes no file. Times are of the processor, not of the clock on the wall, and
each round times every contestant once, in turn: what else the machine does falls on all alike.
"""

import io
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cifras.tests.settings")
django.setup()

from reportlab.graphics import renderPDF  # noqa: E402 (Django has to be set up first)
from reportlab.graphics.barcode.qr import QrCodeWidget  # noqa: E402
from reportlab.graphics.shapes import Drawing  # noqa: E402
from reportlab.pdfgen.canvas import Canvas  # noqa: E402

from invoicing.pdf.cafe import CafeFormat, render_cafe  # noqa: E402
from invoicing.pdf.qr import QrCode  # noqa: E402
from invoicing.tests.pdf.samples import QR_URL, authorized, line  # noqa: E402

_SIDE = 112.0
_WARM_UP = 3

Contestants = dict[str, Callable[[], object]]


def main() -> None:
    links = _new_links()
    _write(f"A QR on a page, a new link of {len(QR_URL) + 8} characters each time")
    widget, ours = "reportlab's QrCodeWidget", "ours, by zxing-cpp"
    medians = _compare(
        {ours: lambda: _ours(next(links)), widget: lambda: _widget(next(links))}, rounds=30
    )
    _write(f"  {'ratio':<42}{medians[widget] / medians[ours]:>9.1f} x\n")

    _write("A CAFE of 10 lines (to be kept: 10 ms, with a new QR too)")
    _compare(
        {
            f"{format}, {kind}": _cafe(10, format, source)
            for format in CafeFormat
            for kind, source in (("QR known", _same_link()), ("new QR", links))
        },
        rounds=60,
    )
    _write("\nA CAFE of 1000 lines (to be kept: 3000 ms)")
    _compare({str(format): _cafe(1000, format, _same_link()) for format in CafeFormat}, rounds=5)


def _compare(contestants: Contestants, *, rounds: int) -> dict[str, float]:
    """The median of each, in milliseconds."""
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(_WARM_UP + rounds):
        for name, run in contestants.items():
            started = time.process_time()
            run()
            if turn >= _WARM_UP:
                took[name].append((time.process_time() - started) * 1000)
    medians = {name: statistics.median(times) for name, times in took.items()}
    for name, times in took.items():
        _write(f"  {name:<42}{medians[name]:>9.2f} ms   (best {min(times):.2f})")
    return medians


def _ours(link: str) -> bytes:
    return _on_a_page(lambda canvas: QrCode(link, _SIDE).drawOn(canvas, 0, 0))


def _widget(link: str) -> bytes:
    widget = QrCodeWidget(link, barLevel="M", barWidth=_SIDE, barHeight=_SIDE)
    drawing = Drawing(_SIDE, _SIDE)
    drawing.add(widget)
    return _on_a_page(lambda canvas: renderPDF.draw(drawing, canvas, 0, 0))


def _on_a_page(draw: Callable[[Canvas], None]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(_SIDE, _SIDE))
    draw(canvas)
    canvas.save()
    return buffer.getvalue()


def _cafe(lines: int, format: CafeFormat, links: Iterator[str]) -> Callable[[], bytes]:
    printed = [line(description=f"Artículo número {number}") for number in range(lines)]
    document = authorized(printed)

    def run() -> bytes:
        document.qr_code_url = next(links)
        return render_cafe(document, printed, format=format)

    return run


def _new_links() -> Iterator[str]:
    return (f"{QR_URL}{number:08}" for number in count())


def _same_link() -> Iterator[str]:
    while True:
        yield QR_URL


def _write(row: str) -> None:
    sys.stdout.write(f"{row}\n")


if __name__ == "__main__":
    main()
