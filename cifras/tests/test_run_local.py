"""`manage.py run_local`, as far as it can be tried in a second; `make demo` is the rest."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cifras.local_processes import free_port, is_taken

pytestmark = pytest.mark.any_database  # they bring their own

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, str(ROOT / "manage.py"), "run_local"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "DEBUG": "true"}


def test_a_taken_port_is_told_in_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        ports = ["--port", str(free_port()), "--pac-port", str(port)]
        done = subprocess.run(
            [*COMMAND, *ports, "--once", "--data", str(tmp_path)],
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken by another program." in done.stderr
    assert f"make run PAC_PORT={port + 1}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.processes
@pytest.mark.parametrize("signals", [1, 5])
def test_ctrl_c_leaves_nothing_running(tmp_path: Path, signals: int) -> None:
    port, pac_port = free_port(), free_port()
    with subprocess.Popen(
        [*COMMAND, "--port", str(port), "--pac-port", str(pac_port), "--data", str(tmp_path)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout
        said = iter(process.stdout.readline, "")
        assert any("sandbox PAC" in line for line in said)
        assert is_taken(pac_port)
        for _ in range(signals):
            os.killpg(process.pid, signal.SIGINT)
            time.sleep(0.05)  # or the kernel makes one signal of them
        rest = process.stdout.read()
    assert process.returncode == 0
    assert "Everything is stopped." in rest
    assert "Traceback" not in rest
    assert not is_taken(pac_port)
    assert left_behind(tmp_path) == []


def left_behind(data: Path) -> list[str]:
    """The processes that work on `data`, where the system tells of them (Linux)."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # ended meanwhile, or somebody else's
            if str(data).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    return found
