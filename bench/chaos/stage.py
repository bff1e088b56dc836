"""Where it happens: a database of its own, the processes of a deployment, the tenants."""

from __future__ import annotations

import json
import secrets
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg
import requests
from psycopg.rows import dict_row

from bench.chaos.plan import Plan
from cifras.demo import DEMO_TENANT, demo_certificate
from cifras.local_processes import Machine, Program, is_taken, stop_all, wait_until

SETTINGS = {
    "DEBUG": "false",
    "HTTPS": "false",
    "PAC_TIMEOUT": "1,2",  # seconds; what hangs is given up soon, and leases are short
    "EMAIL_TIMEOUT": "2",
    "API_RATE": "1000000/min",
}
PAC_GRACE = 20.0  # seconds; late calls come home, and the state is written
START = 60.0  # seconds


def lasting_port() -> int:
    """A free port of those that no outgoing connection is given: it is still free when the process
    that listens there comes back."""
    while is_taken(port := 15_000 + secrets.randbelow(15_000)):
        pass
    return port


@dataclass
class Stage:
    """A running Cifras with its PAC. Stops all its processes at the end of the `with`."""

    plan: Plan
    database: str
    folder: Path
    keys: list[str] = field(default_factory=list)
    """The API key of each tenant."""

    def __post_init__(self) -> None:
        self.machine = Machine(
            self.folder,
            port=lasting_port(),
            pac_port=lasting_port(),
            extra={"DATABASE_URL": self.database} | SETTINGS,
        )
        self._killing = threading.Lock()
        self._pac_lives = 0
        self.pac = self._next_pac()
        self.web = self.machine.web()
        self.worker = self.machine.worker()

    def __enter__(self) -> Self:
        self.machine.run("migrate", "--no-input")
        try:
            self.start_pac()
            self.start_web()
            self.worker.start()
            self.keys = [self._onboard(number) for number in range(self.plan.tenants)]
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        stop_all([self.pac, self.web, self.worker])

    def _next_pac(self) -> Program:
        self._pac_lives += 1
        pac = self.machine.pac(*self.plan.pac_options(self._pac_lives))
        pac.grace = PAC_GRACE
        return pac

    def start_pac(self) -> None:
        """The PAC begins, or comes back with all that it knew."""
        self._start(self.pac, self.machine.pac_port)

    def replace_pac(self) -> None:
        """The PAC comes back after `pac.stop()`."""
        self.pac = self._next_pac()
        self.start_pac()

    def start_web(self) -> None:
        self._start(self.web, self.machine.port)

    def kill(self, program: Program) -> None:
        """A process dies with all its children, as by `kill -9`, and a new one is started."""
        with self._killing:
            program.kill()
            program.start()

    def require_running(self) -> None:
        """Raises `LocalError` where web server or worker has ended by itself."""
        with self._killing:
            self.web.require_running()
            self.worker.require_running()

    @staticmethod
    def _start(program: Program, port: int) -> None:
        program.start()
        wait_until(
            lambda: is_taken(port),
            what=f"The {program.name} was to listen",
            seconds=START,
            programs=[program],
        )

    def connect(self) -> psycopg.Connection[dict[str, Any]]:
        """A look at the database from outside."""
        return psycopg.connect(self.database, autocommit=True, row_factory=dict_row)

    def ask_pac(self, what: str) -> dict[str, Any]:
        """What the sandbox says at its control door."""
        answer = requests.get(f"{self.machine.pac_url}/__sandbox__/{what}", timeout=60)
        answer.raise_for_status()
        return dict(answer.json())

    def tell_pac(self, **options: object) -> None:
        """Changes the sandbox's options."""
        url = f"{self.machine.pac_url}/__sandbox__/faults"
        requests.post(url, json=options, timeout=60).raise_for_status()

    def _onboard(self, number: int) -> str:
        certificate, password = self.folder / "chaos.p12", self.folder / "password"
        if not certificate.exists():
            password.write_text(secrets.token_urlsafe(16))
            certificate.write_bytes(demo_certificate(password.read_text()))
        tenant = DEMO_TENANT | {
            "ruc": f"15570000{number}-2-2021",
            "name": f"Comercial Caos {number}, S.A.",
            "trade-name": f"Caos {number}",
        }
        printed = self.machine.run(
            "onboard_tenant",
            *(f"--{name}={value}" for name, value in tenant.items()),
            f"--signature-certificate={certificate}",
            f"--certificate-password-file={password}",
            "--yes",
            "--json",
        )
        return str(json.loads(printed)["api_key"])
