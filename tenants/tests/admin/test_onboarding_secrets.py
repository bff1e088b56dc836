"""Certificates and passwords pass through the browser's forms and stay nowhere."""

import base64
import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.urls import reverse

from pac.client import PacClient
from pac.errors import Ambiguous, Rejected
from tenants.models import Tenant
from tenants.tests.admin.wizard import (
    BEGIN,
    as_far_as,
    begin,
    certificates,
    company,
    p12,
    press,
    said,
)
from tenants.tests.onboarding.material import PASSWORD, make_p12

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

CONTENT = make_p12()


@pytest.fixture(autouse=True)
def _webhook(settings: Any) -> None:
    settings.PAC_WEBHOOK_URL = "https://cifras.test/webhooks/pac"


def everything(browser: Any, caplog: Any, capsys: Any, *pages: Any) -> str:
    """Whatever anybody could read afterwards: rows (sessions, tasks), logs, cookies, pages."""
    rows = [
        list(model._base_manager.values_list())
        for model in apps.get_models()
        if model._meta.managed
    ]
    out, err = capsys.readouterr()
    shown = [page.content.decode() for page in pages]
    session = repr(dict(browser.session))
    return "\n".join([repr(rows), caplog.text, out, err, session, str(browser.cookies), *shown])


def assert_absent(everywhere: str) -> None:
    assert PASSWORD not in everywhere
    for trace in (base64.b64encode(CONTENT).decode()[:40], repr(CONTENT[:20])[2:-1]):
        assert trace not in everywhere


def test_what_was_sent_is_nowhere_and_no_file_was_written(box, root, caplog, capsys, monkeypatch):
    caplog.set_level(logging.DEBUG)
    monkeypatch.setattr(TemporaryUploadedFile, "__init__", lambda *_: 1 / 0)
    before = set(Path(tempfile.gettempdir()).iterdir())
    answer = begin(root, **certificates(CONTENT))
    page = root.get(reverse("admin:tenants_tenant_changelist"))
    assert Tenant.objects.get().pac_company_id
    assert not [
        each
        for each in set(Path(tempfile.gettempdir()).iterdir()) - before
        if each.is_file() and CONTENT[:40] in each.read_bytes()
    ]
    assert_absent(everything(root, caplog, capsys, answer, page))


@pytest.mark.parametrize("changes", [{"email": "x"}, {"name": ""}])
def test_a_form_that_is_refused_does_not_bring_them_back(box, root, caplog, capsys, changes):
    answer = begin(root, **certificates(CONTENT), **changes)
    assert "elíjalos otra vez" in answer.content.decode()
    assert_absent(everything(root, caplog, capsys, answer))


@pytest.mark.parametrize("kind", [Rejected, Ambiguous])
def test_a_pac_that_echoes_them_does_not_spread_them(box, root, caplog, capsys, monkeypatch, kind):
    caplog.set_level(logging.DEBUG)

    def echo(self: PacClient, *given: Any) -> None:
        signature = given[-1]["certificates"]["signature"]
        raise kind(f"bad: {signature['password']} {signature['content'][:400]}", status=400)

    with monkeypatch.context() as patch:
        patch.setattr(PacClient, "create_company", echo)
        first = begin(root, **certificates(CONTENT))
    assert "bad: *** ***" in said(first)
    press(root, "company", **company())
    monkeypatch.setattr(PacClient, "update_company", echo)
    renew = reverse("admin:tenants_tenant_renew", args=[Tenant.objects.get().pk])
    second = root.post(renew, certificates(CONTENT))
    assert "bad: *** ***" in said(second)
    assert_absent(everything(root, caplog, capsys, first, second))


@pytest.mark.parametrize(
    ("page", "debug"), [("begin", True), ("wizard", True), ("renew", True), ("begin", False)]
)
def test_an_error_page_shows_neither_file_nor_password(
    box, root, caplog, capsys, monkeypatch, settings, debug, page
):
    """Not even Django's own, which shows every variable of every frame."""

    def broken(self: Any, *args: Any, **options: Any) -> None:
        raise RuntimeError("something nobody thought of")

    if page != "begin":
        box.options.down = "503" if page == "wizard" else ""
        begin(root)
        box.options.down = ""
    url = {
        "begin": lambda: BEGIN,
        "wizard": lambda: reverse("admin:tenants_tenant_onboarding", args=[_only()]),
        "renew": lambda: reverse("admin:tenants_tenant_renew", args=[_only()]),
    }[page]()
    settings.DEBUG = debug
    # As deep as the bytes that leave the process.
    monkeypatch.setattr("pac.transport.send", broken)
    root.raise_request_exception = False
    data = company(**certificates(CONTENT)) | {"step": "company"}
    answer = root.post(url, data, HTTP_ACCEPT="text/html")
    assert answer.status_code == 500
    assert ("something nobody thought of" in answer.content.decode()) is debug
    assert_absent(everything(root, caplog, capsys, answer))


def _only() -> Any:
    return Tenant.objects.get().pk


def test_the_first_key_is_in_one_answer_and_nowhere_else(box, root, caplog, capsys):
    caplog.set_level(logging.DEBUG)
    as_far_as(root, "key")
    answer = press(root, "key")
    text = answer.context["api_key"]
    assert "no-store" in answer.headers["Cache-Control"]
    again = press(root, "key")
    assert text not in everything(root, caplog, capsys, again)


def test_a_file_that_is_too_large_is_a_fault(box, root):
    answer = begin(root, signature_certificate=p12(b"0" * (1024 * 1024 + 1)))
    assert "pasa de 1 MiB" in str(answer.context["form"].errors["signature_certificate"])
