"""How long a CAFE takes, and what drawing the QR ourselves is worth.

Each round times every contestant once, in turn: what else the machine does falls on all alike.
"""

import io
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count

from reportlab.graphics import renderPDF
from reportlab.graphics.barcode.qr import QrCodeWidget
from reportlab.graphics.shapes import Drawing
from reportlab.pdfgen.canvas import Canvas

from bench.figures import Figure
from invoicing.pdf.cafe import CafeFormat, render_cafe
from invoicing.pdf.qr import QrCode
from invoicing.tests.pdf.samples import QR_URL, authorized, line

_SIDE = 112.0
_WARM_UP = 3

Contestants = dict[str, Callable[[], object]]


def run() -> tuple[list[Figure], list[str]]:
    links = _new_links()
    widget, ours = "reportlab's QrCodeWidget", "ours, by zxing-cpp"
    medians = _compare(
        {ours: lambda: _ours(next(links)), widget: lambda: _widget(next(links))}, rounds=30
    )
    ratio = medians[widget] / medians[ours]
    figures = [
        Figure(
            "a new QR on a page",
            f"{medians[ours]:.1f} ms",
            f"{widget}: {medians[widget]:.1f} ms",
            ratio,
            "faster",
            ratio > 1,
        )
    ]
    for lines, wanted, rounds in ((10, 10, 60), (1000, 3000, 5)):
        contestants = {str(paper): _cafe(lines, paper, links) for paper in CafeFormat}
        for paper, ms in _compare(contestants, rounds=rounds).items():
            figures.append(
                Figure(
                    f"CAFE of {lines} lines, {paper}, new QR",
                    f"{ms:.1f} ms",
                    f"{wanted} ms",
                    ms / wanted,
                    f"under {wanted} ms",
                    ms < wanted,
                )
            )
    return figures, ["PDF: time of the processor, contestants in turn."]


def _compare(contestants: Contestants, *, rounds: int) -> dict[str, float]:
    """The median of each, in milliseconds."""
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(_WARM_UP + rounds):
        for name, run in contestants.items():
            started = time.process_time()
            run()
            if turn >= _WARM_UP:
                took[name].append((time.process_time() - started) * 1000)
    return {name: statistics.median(times) for name, times in took.items()}


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
