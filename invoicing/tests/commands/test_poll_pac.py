"""`manage.py poll_pac`: the pump without a worker."""

from __future__ import annotations

import io
import os
import signal

import pytest
from django.core import mail
from django.core.management import call_command
from rest_framework.test import APIClient

from conftest import body
from invoicing import pump
from invoicing.models import Document
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def make_due() -> None:
    Document.unscoped.filter(next_poll_at__isnull=False).update(next_poll_at="2000-01-01T00:00:00Z")


def test_once_does_all_that_is_due_and_ends(api: APIClient, box: Sandbox) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    out = io.StringIO()
    call_command("poll_pac", "--once", stdout=out)
    assert out.getvalue() == "1 carried out; nothing else is due now.\n"
    make_due()
    call_command("poll_pac", "--once", stdout=io.StringIO())
    assert Document.unscoped.get(pk=pk).legal_status == "DGI_AUTHORIZED"
    assert len(mail.outbox) == 1


def test_it_goes_on_until_ctrl_c_and_says_what_it_did(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post("/api/v1/invoices", body())
    drain, turns = pump.drain, []

    def drain_then_ctrl_c(*roles: str) -> int:
        turns.append(roles)
        if len(turns) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return drain(*roles)

    monkeypatch.setattr(pump, "drain", drain_then_ctrl_c)
    monkeypatch.setattr(pump, "IDLE", 0)
    out = io.StringIO()
    before = signal.getsignal(signal.SIGINT)
    call_command("poll_pac", stdout=out)
    assert turns == [("pac", "mail")] * 2
    assert "1 carried out." in out.getvalue().splitlines()
    assert out.getvalue().endswith("Stopped. 1 carried out.\n")
    assert signal.getsignal(signal.SIGINT) is before
