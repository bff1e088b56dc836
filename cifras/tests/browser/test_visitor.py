"""Looking at a page finds what is wrong with it: the other tests rest on that."""

from __future__ import annotations

import pytest

WIDE = "<p style='width: 1400px'>ancha</p>"
CUT = "<div style='width: 9rem; overflow: hidden'><p style='width: 20rem'>cortada</p></div>"
FAULTS = {
    "1408 of 1280 pixels": WIDE,
    "cut off at 390 pixels: <p": CUT,
    "broken picture: <img": "<img src='data:image/png;base64,AAAA' alt='' width='9' height='9'>",
    "script: nothing is not defined": "<script>nothing()</script>",
    "console: oh": "<script>console.error('oh')</script>",
    "response: 404": "<script src='/static/missing.js'></script>",
    "garbled: Ã": "<p>FacturaciÃ³n</p>",
}


def serve(visitor, html):
    page = f"<!DOCTYPE html><meta charset=utf-8><link rel=icon href='data:,'>{html}"
    visitor.page.route("**/page/", lambda route: route.fulfill(body=page, content_type="text/html"))


@pytest.mark.parametrize("told", FAULTS)
def test_it_finds(told, new_visitor, db):
    visitor = new_visitor()
    serve(visitor, FAULTS[told])
    with pytest.raises(AssertionError, match=told):
        visitor.open("/page/")
    visitor.troubles.clear()  # so that the end of the test does not find it once more


def test_it_has_nothing_against_a_page_that_is_in_order(new_visitor, db):
    visitor = new_visitor()
    serve(visitor, f"<p>Facturación</p><div style='overflow: auto'>{WIDE}</div>")
    visitor.open("/page/")
