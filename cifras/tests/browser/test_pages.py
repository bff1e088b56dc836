"""Every page that the sidebar leads to."""

from __future__ import annotations

from cifras.tests.browser.test_documents import issued
from invoicing.models import PacExchange

LINKS = "all => [...new Set(all.map(each => each.getAttribute('href')))]"


def test_each_page_of_the_sidebar_is_in_order_on_a_desk_and_on_a_phone(new_visitor, rosa, api, box):
    issued(api)
    PacExchange.unscoped.update(elapsed_ms=35_000)  # as long as a call may take
    visitor = new_visitor(rosa)
    visitor.open("/admin/")
    pages = visitor.page.locator("#nav-sidebar a[href]").evaluate_all(LINKS)
    assert len(pages) >= 29
    for page in pages:
        visitor.open(page)
