"""`manage.py pac_sandbox`, as a process of its own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from django.core.management import CommandError, call_command

from pac.management.commands.pac_sandbox import Command

ROOT = Path(__file__).parents[3]


def test_it_serves_until_it_is_told_to_stop_and_needs_no_settings_of_cifras(tmp_path):
    program = (
        "from django.conf import settings; settings.configure();"
        "from pac.management.commands.pac_sandbox import Command;"
        "Command().run_from_argv(['manage.py', 'pac_sandbox', '--port', '0', '--seed', '7',"
        f" '--no-webhooks', '--dgi-delay', '0', '--state', r'{tmp_path / 'state.json'}'])"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().split()[3]
            options = requests.get(f"{url}/__sandbox__/faults", timeout=5).json()
            assert (options["seed"], options["no_webhooks"], options["dgi_delay"]) == (7, True, 0)
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "Sandbox PAC stopped.\n"
    assert process.returncode == 0


@pytest.mark.parametrize("rate", ["1.5", "-0.1", "often"])
def test_a_rate_is_a_share(rate):
    with pytest.raises(CommandError, match="is no number from 0 to 1"):
        call_command(Command(), f"--error-rate={rate}")


def test_a_wrong_number_is_told():
    with pytest.raises(CommandError, match="latency is out of range"):
        call_command(Command(), "--latency=-1")


def test_a_taken_port_is_told(box):
    port = box.url.rpartition(":")[2]
    with pytest.raises(CommandError, match=f"Cannot listen on 127.0.0.1:{port}"):
        call_command(Command(), f"--port={port}")
