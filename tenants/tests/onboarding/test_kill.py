"""A real kill -9 of a real process, after the PAC has created and before we know."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from pac.client import PacClient
from pac.sandbox import Options, Sandbox
from tenants.management.onboarding_input import flag

pytestmark = pytest.mark.processes


def environment(box: Sandbox, folder: Path) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "cifras.tests.settings",
        "TEST_DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "PAC_BASE_URL": box.url,
        "PAC_API_KEY": "t0ken",
    }


def test_a_killed_process_is_continued_by_the_next_one(options: dict[str, Any], tmp_path: Path):
    given = [f"{flag(name)}={value}" for name, value in options.items() if name != "yes"]
    manage = [sys.executable, "manage.py"]
    # Slow enough for this test to act between two calls.
    with Sandbox(Options(latency=200)) as box:
        shared: dict[str, Any] = {
            "cwd": django_settings.BASE_DIR,
            "env": environment(box, tmp_path),
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
        }
        subprocess.run([*manage, "migrate"], check=True, **shared)
        for call_before, times, call in KILLS:
            with subprocess.Popen([*manage, "onboard_tenant", *given], **shared) as process:
                try:
                    wait_until(box, call_before, times)
                    box.options.hang_next = 1
                    wait_until(box, call, 1)
                finally:
                    process.send_signal(signal.SIGKILL)
        done = subprocess.run([*manage, "onboard_tenant", *given], check=False, **shared)
        assert done.returncode == 0, done.stdout
        assert b"is ready to issue" in done.stdout
        client = PacClient(base_url=box.url, token="t0ken")
        [company] = client.list_companies()
        assert len(client.list_offices(company.id)) == 1
        client.close()


# The call after which the next POST hangs (and how often it was made by then), and that POST.
KILLS = [
    ("GET /pan/v1/companies", 1, "POST /pan/v1/companies"),
    ("GET /pan/v1/company-affiliate", 2, "POST /pan/v1/companies/{company}/offices"),
]


def wait_until(box: Sandbox, call: str, times: int) -> None:
    deadline = time.monotonic() + 30
    while box.routes[call] < times:
        assert time.monotonic() < deadline, f"{call} was not made"
        time.sleep(0.01)
