"""A person at the admin's pages: finds things by their labels and roles, and looks at every page.

Looking at a page demands what holds for all of them: no error of a script or of a request, no
broken picture, nothing cut off or wider than the screen of a desk or of a phone, accents as they
should be.
"""

from __future__ import annotations

import io
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

DESK, PHONE = (1280, 800), (390, 844)  # pixels
AT_REST_WITHIN = 3.0  # seconds
MARGIN = 8  # pixels, below what a picture ends with
WIDTHS = "() => [document.documentElement.scrollWidth, window.innerWidth]"
HEIGHT = "() => document.documentElement.scrollHeight"
TOO_WIDE = """() => [...document.querySelectorAll('body *')]
    .filter(each => each.getBoundingClientRect().right > window.innerWidth + 1)
    .slice(-3).map(each => each.outerHTML.slice(0, 120))"""
# Texts that stand beyond the edge of a box that neither shows them nor scrolls.
CUT_OFF = """() => [...document.querySelectorAll('body *')].filter(each => {
    const hasText = [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim())
    if (!hasText || each.offsetParent === null || each.closest('.sr-only')) return false
    const own = each.getBoundingClientRect()
    for (let box = each.parentElement; box; box = box.parentElement) {
        const edges = box.getBoundingClientRect(), overflow = getComputedStyle(box).overflowX
        if (overflow === 'auto' || overflow === 'scroll') return false
        if (overflow === 'visible') continue
        return own.right > edges.right + 1 || own.left < edges.left - 1
    }
    return false
}).map(each => each.outerHTML.slice(0, 120))"""
BROKEN_PICTURES = """async () => {
    await document.fonts.ready
    const shown = [...document.images].filter(each => each.offsetParent !== null)
    await Promise.allSettled(shown.map(each => each.decode()))
    return shown.filter(each => each.naturalWidth === 0).map(each => each.outerHTML.slice(0, 120))
}"""
# UTF-8 that was read as Latin-1, what could not be read, and an entity that was escaped twice.
GARBLED = ("Ã", "Â¿", "\N{REPLACEMENT CHARACTER}", "&aacute;", "&amp;", "&#x27;")


class Visitor:
    """One person's browser, of which every page is looked at."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.troubles: list[str] = []
        self._expected = 0
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("console", self._on_console)
        page.on("requestfailed", self._on_failed_request)
        page.on("response", self._on_response)

    # --- going from page to page ------------------------------------------------------------------

    def open(self, path: str) -> None:
        """Goes to an address."""
        self.page.goto(self.address + path)
        self.look()

    def press(self, name: str, within: Locator | None = None) -> None:
        """Presses a button that leads to another page."""
        with self.page.expect_navigation():
            (within or self.page).get_by_role("button", name=_named(name)).click()
        self.look()

    def follow(self, name: str, within: Locator | None = None) -> None:
        """Follows a link."""
        with self.page.expect_navigation():
            (within or self.page).get_by_role("link", name=_named(name)).click()
        self.look()

    def reload(self) -> None:
        self.page.reload()
        self.look()

    def write(self, texts: Mapping[str, str]) -> None:
        """Fills in the fields of a form, by their labels."""
        for label, text in texts.items():
            self.field(label).fill(text)

    def field(self, label: str) -> Locator:
        """The field with a label; where it is required, that ends in a star."""
        return self.page.get_by_label(re.compile(rf"^\s*{re.escape(label)}\s*\*?\s*$"))

    # --- what is on a page ------------------------------------------------------------------------

    def sees(self, *texts: str) -> None:
        """The page says all of these, within five seconds."""
        for text in texts:
            expect(self.page.get_by_text(text).locator("visible=true").first).to_be_visible()

    def look(self) -> None:
        """Demands of the page what holds for all of them, on a desk and on a phone."""
        self.page.wait_for_load_state("load")
        faults = [f"broken picture: {each}" for each in self.page.evaluate(BROKEN_PICTURES)]
        text = self.page.inner_text("body")
        faults += [f"garbled: {each}" for each in GARBLED if each in text]
        for size in (PHONE, DESK):
            self.resize(size)
            faults += self.misplaced()
        faults += self.troubles
        assert not faults, f"{self.page.url}: {faults}"

    def misplaced(self) -> list[str]:
        """What does not fit, once the page has come to rest: after a new size its scripts and
        transitions move things about for a moment."""
        ends = time.monotonic() + AT_REST_WITHIN
        while (found := self._misplaced_now()) and time.monotonic() < ends:
            self.page.wait_for_timeout(100)
        return found

    def _misplaced_now(self) -> list[str]:
        needed, there = self.page.evaluate(WIDTHS)
        cut = self.page.evaluate(CUT_OFF)
        found = [f"cut off at {there} pixels: {each}" for each in cut]
        if needed > there:
            found.append(f"{needed} of {there} pixels: {self.page.evaluate(TOO_WIDE)}")
        return found

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    @contextmanager
    def refused(self, status: int) -> Iterator[None]:
        """What is done inside is answered with this status, which is then no trouble."""
        self._expected = status
        yield
        self._expected = 0

    def picture(
        self, name: str, *, size: tuple[int, int] = DESK, until: Locator | None = None
    ) -> None:
        """Takes a picture for docs/admin.md, where `PICTURES` names a folder for them: of the page
        from its top to its end, or to the end of an element."""
        folder = os.environ.get("PICTURES")
        if not folder:
            return
        self.resize(size)
        if until:
            box = until.bounding_box()
            assert box
            height = int(box["y"] + box["height"]) + MARGIN
        else:
            height = max(self.page.evaluate(HEIGHT), size[1])
        self.resize((size[0], height))
        self.page.mouse.move(0, 0)
        shot = Image.open(io.BytesIO(self.page.screenshot(animations="disabled"))).convert("RGB")
        _with_fewer_colours(shot).save(Path(folder) / f"{name}.png", optimize=True)
        self.resize(DESK)

    # --- what goes wrong --------------------------------------------------------------------------

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        if self._expected and f"status of {self._expected}" in message.text:
            return
        self.troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def _on_failed_request(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before it was there
            self.troubles.append(f"request: {request.url} {request.failure}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400 and response.status != self._expected:
            self.troubles.append(f"response: {response.status} {response.url}")


def _named(name: str) -> re.Pattern[str]:
    """The library's icons are letters, and so their names stand beside the link's own."""
    return re.compile(rf"^([a-z_]+\s+)?{re.escape(name)}(\s+[a-z_]+)?$")


def _with_fewer_colours(picture: Image.Image) -> Image.Image:
    """A third of the size: 256 colours, each the most frequent of those that it stands for."""
    small = picture.quantize(method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    channels = (channel.tobytes() for channel in picture.split())
    palette = {
        place: colour
        for (place, *colour), _ in reversed(
            Counter(zip(small.tobytes(), *channels, strict=True)).most_common()
        )
    }
    small.putpalette([channel for place in range(256) for channel in palette.get(place, [0] * 3)])
    return small
