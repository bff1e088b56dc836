"""`manage.py issue_demo`, against a live server whose pump is this test's."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer

from invoicing import pump
from invoicing.management.commands import issue_demo
from invoicing.models import Document
from pac.sandbox import Sandbox
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(alice: Tenant) -> str:
    return ApiKey.objects.issue(tenant=alice, name="demo")[1]


@pytest.fixture
def worker(box: Sandbox) -> Iterator[None]:
    """Pumps in a thread, as if every pause had passed, until the test ends."""
    stop = threading.Event()

    def work() -> None:
        try:
            while not stop.wait(0.05):
                Document.unscoped.filter(next_poll_at__isnull=False).update(
                    next_poll_at="2000-01-01T00:00:00Z"
                )
                pump.drain("pac", "mail")
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def run(url: str, key: str, *more: str) -> str:
    out = io.StringIO()
    call_command("issue_demo", f"--base-url={url}", f"--api-key={key}", *more, stdout=out)
    return out.getvalue()


def test_it_prints_the_way_to_the_authorisation(
    live_server: LiveServer,
    key: str,
    worker: None,
    settings: SettingsWrapper,
    tmp_path: Path,
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    said = run(live_server.url, key)
    document = Document.unscoped.get()
    places = dict(line.split(maxsplit=1) for line in said.splitlines())
    assert places["CUFE"] == document.invoice_number == document.computed_cufe
    assert Path(places["PDF"]).read_bytes().startswith(b"%PDF-")
    assert document.invoice_number in Path(places["E-mail"]).read_text()
    for word in ("issued", "PAC_AUTHORIZED", "DGI_AUTHORIZED", "file_stored", "email_sent"):
        assert word in said
    assert said.endswith("is DGI_AUTHORIZED and has fiscal force.\n")


def test_each_run_issues_another_invoice(live_server: LiveServer, key: str, worker: None) -> None:
    run(live_server.url, key)
    run(live_server.url, key)
    assert Document.unscoped.filter(legal_status="DGI_AUTHORIZED").count() == 2


def test_a_rejection_ends_it_with_the_pacs_words(
    live_server: LiveServer,
    key: str,
    worker: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted = issue_demo.demo_body(external_id="refused")
    wanted["lines"][0]["description"] = "REJECT-DGI"
    monkeypatch.setattr(issue_demo, "demo_body", lambda **_: wanted)
    with pytest.raises(CommandError, match=r"ended as DGI_REJECTED\. ."):
        run(live_server.url, key)


def test_without_a_worker_it_says_how_far_the_invoice_got(
    live_server: LiveServer, key: str
) -> None:
    with pytest.raises(CommandError, match="After 0 seconds the invoice is None, QUEUED"):
        run(live_server.url, key, "--seconds=0")


def test_a_wrong_key_is_told(live_server: LiveServer, key: str) -> None:
    with pytest.raises(CommandError, match="POST /invoices: 401"):
        run(live_server.url, "wrong.key")


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(CommandError, match=r"does not answer at http://127.0.0.1:9"):
        run("http://127.0.0.1:9", "any")
