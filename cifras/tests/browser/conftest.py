"""A real browser at the real pages: Debian's Chromium, driven by Playwright.

Where there is no browser these tests are skipped, unless `BROWSER_REQUIRED` is set. What a browser
shows does not depend on the database: `make test` runs them once, on PostgreSQL where there is one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, sync_playwright
from pytest_django.live_server_helper import LiveServer

from cifras.tests.browser.visitor import DESK, Visitor
from conftest import sign_in
from tenants.models import User
from tenants.tests.staff.conftest import recovery, rosa  # noqa: F401 (fixtures)

HERE = Path(__file__).parent
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        told = "There is no browser (Debian and Ubuntu: apt-get install chromium)."
        if os.environ.get("BROWSER_REQUIRED"):
            pytest.fail(told)
        pytest.skip(told)
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread, so that Django takes it for asynchronous.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu"]
            )
            yield browser
            browser.close()


@pytest.fixture
def new_visitor(
    chromium: Browser, live_server: LiveServer
) -> Iterator[Callable[[User | None], Visitor]]:
    """Makes a browser without a past, for somebody who is signed in already, or for nobody. At the
    end of the test it must have met no trouble."""
    contexts, visitors = [], []

    def make(user: User | None = None) -> Visitor:
        context = chromium.new_context(
            locale="es-PA",
            timezone_id="America/Panama",
            viewport={"width": DESK[0], "height": DESK[1]},
        )
        context.set_default_timeout(10_000)  # milliseconds
        contexts.append(context)
        if user:
            name = settings.SESSION_COOKIE_NAME
            value = sign_in(Client(), user).cookies[name].value
            context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        visitors.append(Visitor(context.new_page(), live_server.url))
        return visitors[-1]

    yield make
    for context in contexts:
        context.close()
    assert [visitor.troubles for visitor in visitors if visitor.troubles] == []
