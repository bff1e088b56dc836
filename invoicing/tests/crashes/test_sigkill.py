"""A real kill -9 of a real process, which waits for the answer to what the PAC has taken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings
from django.db import connection
from rest_framework.test import APIClient

from conftest import body
from invoicing import pump
from invoicing.models import Document, EmailDelivery, FiscalEvent
from invoicing.tests.crashes.life import REASON, time_passes
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

WORKER = [sys.executable, "manage.py", "poll_pac"]
SECONDS = 30


def database_url() -> str:
    """The test's own database, for another process."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    return urlunsplit(urlsplit(os.environ["TEST_DATABASE_URL"])._replace(path=f"/{name}"))


@pytest.fixture
def worker(box: Sandbox) -> Callable[[], subprocess.Popen[bytes]]:
    """Starts a worker of this database, as a process of its own."""
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "cifras.tests.settings",
        "TEST_DATABASE_URL": database_url(),
        "PAC_BASE_URL": box.url,
        "MEDIA_ROOT": str(settings.MEDIA_ROOT),
    }

    def start() -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            WORKER,
            cwd=settings.BASE_DIR,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    return start


@pytest.fixture
def kill_during(
    worker: Callable[[], subprocess.Popen[bytes]], box: Sandbox, alice: Tenant
) -> Callable[[str], None]:
    """Kills a worker while it waits for the answer to a call that the PAC has processed. When its
    leases have expired, another one does what there is to do."""

    def kill_during(call: str) -> None:
        before = box.routes[call]
        box.options.hang_next = 1
        with worker() as process:
            try:
                until = time.monotonic() + SECONDS
                while box.routes[call] == before:
                    assert time.monotonic() < until, f"{call} was not made"
                    time.sleep(0.01)
            finally:
                process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        while time_passes(alice):
            pump.drain()

    return kill_during


def test_a_killed_worker_is_continued_by_the_next_one(
    kill_during: Callable[[str], None], api: APIClient, box: Sandbox
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    kill_during("POST /pan/v1/invoices")
    document = Document.unscoped.get(pk=pk)
    (there,) = box.documents
    assert (document.submission_state, document.legal_status) == ("DONE", "DGI_AUTHORIZED")
    assert (document.document_id, document.lost_leases) == (there.id, 1)
    assert document.is_fiscally_valid()
    assert sum(box.posts.values()) == 1
    assert EmailDelivery.unscoped.get().state == "SENT"

    assert api.post(f"/api/v1/invoices/{pk}/void", REASON).status_code == 202
    kill_during("DELETE /pan/v1/invoices/{document}")
    assert FiscalEvent.unscoped.get().state == "ACCEPTED"
    assert Document.unscoped.get(pk=pk).status == "VOID"
    assert there.is_voided
