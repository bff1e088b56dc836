"""Where the benchmarks run: a PostgreSQL database of their own, a PAC in a process of its own."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cifras.demo import DEMO_TENANT, demo_certificate
from cifras.local_processes import Machine, Program, free_port, is_taken, wait_until
from cifras.tests.both_databases import new_database, postgres_url

SETTINGS = {
    "DEBUG": "false",
    "HTTPS": "false",
    "API_RATE": "1000000/min",
    "LOG_FORMAT": "line",
}


class NoPostgresError(Exception):
    """The benchmarks need PostgreSQL, and there is none."""


@contextmanager
def machine() -> Iterator[Machine]:
    """A machine with an empty, migrated database, which goes when the block ends. This process has
    its environment too, so that Django can be set up in it."""
    url = postgres_url()
    if not url:
        raise NoPostgresError(
            "No PostgreSQL: set TEST_DATABASE_URL, or start one that lets `postgres` in on "
            "127.0.0.1:5432."
        )
    with (
        tempfile.TemporaryDirectory(prefix="cifras-bench-") as folder,
        new_database(url, f"cifras_bench_{os.getpid()}") as database,
    ):
        here = Machine(
            Path(folder),
            port=free_port(),
            pac_port=free_port(),
            extra={"DATABASE_URL": database, **SETTINGS},
        )
        here.run("migrate", "--no-input")
        here.run("collectstatic", "--no-input")
        os.environ.update(here.environment())
        yield here


def log_to(file: Path) -> None:
    """Lets this process write its log there: it is part of the cost, but no part of the table."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler):
            handler.setStream(file.open("a"))


@dataclass(frozen=True, slots=True)
class Pac:
    """The sandbox with a latency, a process of its own."""

    program: Program

    @classmethod
    @contextmanager
    def running(
        cls, machine: Machine, *, latency: float = 0, dgi_delay: float = 0
    ) -> Iterator[Pac]:
        """`latency` in milliseconds for each call, `dgi_delay` in seconds to the verdict."""
        program = machine.pac()
        program.command = [
            *program.command,
            *("--latency", str(latency), "--dgi-delay", str(dgi_delay), "--no-webhooks"),
        ]
        program.start()
        try:
            wait_until(
                lambda: is_taken(machine.pac_port), what="the PAC", seconds=30, programs=[program]
            )
            yield cls(program)
        finally:
            program.stop()  # it writes its state file when it ends


def onboarded(machine: Machine) -> str:
    """The API key of a tenant that the PAC knows, empty where it was made before; needs a running
    PAC."""
    certificate, password = machine.data / "demo.p12", machine.data / "password"
    certificate.write_bytes(demo_certificate("demo"))
    password.write_text("demo")
    options = DEMO_TENANT | {
        "signature-certificate": str(certificate),
        "certificate-password-file": str(password),
    }
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    printed = machine.run("onboard_tenant", *arguments, "--yes", "--json")
    return str(json.loads(printed).get("api_key", ""))
