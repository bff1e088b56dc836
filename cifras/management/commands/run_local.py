"""`manage.py run_local`: the whole of Cifras on this machine, with a first invoice."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import requests
from django.core.management.base import BaseCommand, CommandError

from cifras.demo import DEMO_TENANT, LocalNotes, demo_certificate
from cifras.local_processes import (
    LOOPBACK,
    ROOT,
    LocalError,
    Machine,
    Program,
    is_taken,
    stop_all,
    tail,
    wait_until,
)

STOPS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
ADMIN = "admin"


class Command(BaseCommand):
    """Works on a closed environment: SQLite and files under `var/`, the sandbox as PAC."""

    help = (
        "Starts database, sandbox PAC, worker and web server, onboards a demo tenant, issues an "
        "invoice through the REST API and serves until Ctrl-C."
    )
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--once", action="store_true", help="stop after the invoice: exit code 0 or 1")
        add("--code", action="store_true", help="only print a code to sign in to the admin with")
        add("--port", type=int, default=8000, help="of the web server")
        add("--pac-port", type=int, default=8010, help="of the sandbox PAC")
        add("--data", type=Path, default=ROOT / "var", metavar="DIR", help="where all is kept")

    def handle(self, *args: Any, **options: Any) -> None:
        self.machine = Machine(
            options["data"].resolve(), port=options["port"], pac_port=options["pac_port"]
        )
        if options["code"]:
            self.print_code()
            return
        self.notes = LocalNotes(self.machine.data / "local.json")
        self.programs: list[Program] = []
        self.signals = 0
        self.starting = False
        for number in STOPS:
            signal.signal(number, self.interrupt)
        failure: LocalError | None = None
        try:
            self.start()
            self.issue()
            if not options["once"]:
                self.show_where()
                self.serve()
        except KeyboardInterrupt:
            self.say("\nStopping ...")
        except LocalError as error:
            failure = error
            self.explain(error)
        finally:
            stop_all(self.programs)
            for number in STOPS:
                signal.signal(number, signal.SIG_IGN)  # nothing is left to stop
        if failure:
            raise CommandError(str(failure))
        self.say("Everything is stopped. The data stay in " + _shown(self.machine.data) + ".")

    def print_code(self) -> None:
        """For the admin of a `make run` that is going on in another terminal."""
        try:
            self.say(self.code())
        except LocalError as error:
            reason = tail(error.log)[-1:] if error.log else []
            raise CommandError(" ".join([str(error), *reason])) from None

    def words_on_codes(self) -> str:
        try:
            return f"code {self.code()}, good for a minute; another one: make code"
        except LocalError:
            return "and a code: make code"  # the last was used just now

    def code(self) -> str:
        return self.machine.run("admin_code", ADMIN).strip()

    def interrupt(self, number: int, frame: Any) -> None:
        """The first signal ends the serving, the second the patience; more change nothing."""
        self.signals += 1
        if self.signals <= 2 and not self.starting:
            raise KeyboardInterrupt

    def start(self) -> None:
        """Brings everything up, in the order in which one part needs the other."""
        machine = self.machine
        for port, name in ((machine.port, "PORT"), (machine.pac_port, "PAC_PORT")):
            if is_taken(port):
                raise LocalError(
                    f"Port {port} of {LOOPBACK} is taken by another program. Stop that one "
                    f"(another `make run`?) or choose another port: make run {name}={port + 1}"
                )
        for log in machine.logs.glob("*.log"):
            log.unlink()
        machine.run("migrate", "--no-input")
        self.step("database", f"{_shown(machine.data / 'cifras.sqlite3')}, migrated")
        self.launch(machine.pac(), is_up=lambda: is_taken(machine.pac_port))
        self.step("sandbox PAC", machine.pac_url)
        self.launch(machine.worker())
        self.step("worker", f"running, logs in {_shown(machine.logs)}")
        self.launch(machine.web(), is_up=self.web_is_up)
        self.step("web server", machine.url)
        self.onboard()
        self.make_admin()

    def launch(self, program: Program, is_up: Any = None) -> None:
        self.programs.append(program)
        # An interruption in the midst of a start would leave a process that nobody knows of.
        self.starting = True
        try:
            program.start()
        finally:
            self.starting = False
        if self.signals:
            raise KeyboardInterrupt
        if is_up:
            wait_until(
                is_up,
                what=f"The {program.name} was to answer",
                seconds=60,
                programs=[program],
            )

    def web_is_up(self) -> bool:
        try:
            return requests.get(f"{self.machine.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def onboard(self) -> None:
        """The demo tenant; at the second run, onboarding finds that everything is done."""
        with tempfile.TemporaryDirectory() as folder:
            certificate, password = Path(folder, "demo.p12"), Path(folder, "password")
            password.write_text(secrets.token_urlsafe(16))
            certificate.write_bytes(demo_certificate(password.read_text()))
            printed = self.machine.run(
                "onboard_tenant",
                *(f"--{name}={value}" for name, value in DEMO_TENANT.items()),
                f"--signature-certificate={certificate}",
                f"--certificate-password-file={password}",
                "--yes",
                "--json",
            )
        tenant = json.loads(printed)
        if "api_key" in tenant:
            self.notes["api_key"] = tenant["api_key"]
        if not self.key_works():
            made = self.machine.run(
                *("create_api_key", DEMO_TENANT["ruc"], "--ruc-type", DEMO_TENANT["ruc-type"]),
                *("--name", "make run", "--json"),
            )
            self.notes["api_key"] = json.loads(made)["api_key"]
        self.step(
            "demo tenant",
            f"{DEMO_TENANT['name']}, RUC {DEMO_TENANT['ruc']}: {tenant['onboarding_status']}",
        )

    def key_works(self) -> bool:
        """Whether the key of an earlier run still opens the API."""
        answer = requests.get(
            f"{self.machine.url}/api/v1/me",
            headers={"Authorization": f"Bearer {self.notes['api_key']}"},
            timeout=10,
        )
        return answer.ok

    def make_admin(self) -> None:
        if self.notes["admin_password"]:
            return
        password = secrets.token_urlsafe(12)
        try:
            self.machine.run(
                *("createsuperuser", "--no-input", "--username", ADMIN),
                *("--email", "admin@localhost"),
                DJANGO_SUPERUSER_PASSWORD=password,
            )
        except LocalError:
            return  # there is one already, with a password of its owner's
        self.notes["admin_password"] = password

    def issue(self) -> None:
        self.say("\nA first invoice, through the REST API:")
        self.machine.run(
            *("issue_demo", f"--base-url={self.machine.url}"),
            f"--api-key={self.notes['api_key']}",
            shown=True,
            seconds=150,
        )

    def show_where(self) -> None:
        machine, key = self.machine, self.notes["api_key"]
        login = self.notes["admin_password"] or "with the password that you gave it"
        self.say("\nWhere to look:")
        self.step("API docs", f"{machine.url}/api/docs/")
        self.step("admin", f"{machine.url}/admin/   {ADMIN} / {login}")
        self.step("", self.words_on_codes())
        self.step("e-mails", _shown(machine.data / "mail"))
        self.step("secrets", f"{_shown(self.notes.path)} (API key and password, for you alone)")
        self.say(
            "\nThe next invoice is yours:\n"
            f'  curl -sS "{machine.url}/api/v1/invoices?wait=10" \\\n'
            f'    -H "Authorization: Bearer {key}" -H "Content-Type: application/json" \\\n'
            '    -d \'{"receiver": {"type": "CONSUMIDOR_FINAL", "name": "Consumidor final"},\n'
            '         "lines": [{"description": "Café molido 425 g", "quantity": "2",\n'
            '                    "unit_price": "4.35", "itbms_rate": "00"}]}\'\n'
        )

    def serve(self) -> None:
        self.say("Serving. Ctrl-C stops everything.")
        while True:
            for program in self.programs:
                program.require_running()
            time.sleep(0.5)

    def explain(self, error: LocalError) -> None:
        """What the logs say last: of what failed, or of everything that runs."""
        logs = [error.log] if error.log else []
        if error.log and not any(program.log == error.log for program in self.programs):
            logs += [program.log for program in self.programs]
        for log in logs:
            lines = tail(log)
            if lines:
                self.say(f"\n--- the end of {_shown(log)} ---")
                self.say("\n".join(lines))
        self.say("")

    def step(self, name: str, text: str) -> None:
        self.say(f"  {name:<12} {text}")

    def say(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.stdout.write(text)
            self.stdout.flush()


def _shown(path: Path) -> str:
    """A path as a person at the repository's root types it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
