"""The real processes of a deployment: web server, worker, and a PAC that comes and goes."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from cifras.demo import DEMO_TENANT, demo_certificate
from cifras.local_processes import (
    LocalError,
    Machine,
    Program,
    free_port,
    is_taken,
    stop_all,
    tail,
    wait_until,
)
from cifras.tests.both_databases import new_database
from conftest import body
from invoicing.services.follow import FIRST_POLL

pytestmark = pytest.mark.processes

SECONDS = 40  # for one half of the journey; both take about twenty


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database: on the server of TEST_DATABASE_URL, else an SQLite file."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server.startswith("postgres"):
        yield f"sqlite:///{tmp_path / 'processes.sqlite3'}"
        return
    with new_database(server, f"cifras_processes_{os.getpid()}") as url:
        yield url


@pytest.fixture
def machine(tmp_path: Path, database: str) -> Machine:
    return Machine(
        tmp_path / "var", port=free_port(), pac_port=free_port(), extra={"DATABASE_URL": database}
    )


@pytest.fixture
def programs(machine: Machine) -> Iterator[list[Program]]:
    """What the test starts; stopped in the end, whatever happens."""
    started: list[Program] = []
    yield started
    stop_all(started)


class Client:
    """A tenant's program, which speaks HTTP."""

    def __init__(self, machine: Machine, api_key: str) -> None:
        self.invoices = f"{machine.url}/api/v1/invoices"
        self.headers = {"Authorization": f"Bearer {api_key}"}

    def issue(self, count: int) -> list[str]:
        return [self._issue() for _ in range(count)]

    def _issue(self) -> str:
        answer = requests.post(self.invoices, json=body(), headers=self.headers, timeout=10)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def read(self, pk: str, part: str = "") -> Any:
        answer = requests.get(f"{self.invoices}/{pk}{part}", headers=self.headers, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def legal_statuses(self, pks: list[str]) -> set[str | None]:
        return {self.read(pk)["legal_status"] for pk in pks}

    def are_valid(self, pks: list[str]) -> bool:
        return all(self.read(pk)["is_fiscally_valid"] for pk in pks)


def test_invoices_outlive_a_stopped_worker_and_a_dead_pac(
    machine: Machine, programs: list[Program]
) -> None:
    try:
        _journey(machine, programs)
    except (LocalError, AssertionError, requests.RequestException) as error:
        logs = sorted(machine.logs.glob("*.log"))
        ends = [f"--- {log.name} ---\n" + "\n".join(tail(log)) for log in logs]
        pytest.fail("\n".join([str(error), *ends]))


def _journey(machine: Machine, programs: list[Program]) -> None:
    machine.run("migrate", "--no-input")
    pac, web, worker = machine.pac(), machine.web(), machine.worker()
    programs += [pac, web, worker]
    _start(pac, machine.pac_port)
    _start(web, machine.port)
    client = Client(machine, _onboard(machine))

    # The worker is not there: the invoices wait, and nothing is lost.
    first = client.issue(5)
    assert client.legal_statuses(first) == {None}
    worker.start()
    _wait_for(client, first, programs)
    for pk in first:
        _assert_that_a_webhook_brought_it(client.read(pk, "/events")["results"])

    # The PAC dies; what is posted meanwhile waits for it.
    cufes = [client.read(pk)["cufe"] for pk in first]
    state = machine.data / "sandbox.json"
    wait_until(
        lambda: all(cufe in state.read_text() for cufe in cufes),
        what="The sandbox was to keep its state",
        seconds=10,
        programs=programs,
    )
    pac.kill()
    second = client.issue(3)
    wait_until(
        lambda: all(client.read(pk)["submission"]["error"] for pk in second),
        what="The worker was to find the PAC gone",
        seconds=15,
        programs=[web, worker],
    )
    assert client.legal_statuses(second) == {None}
    _start(pac, machine.pac_port)
    _wait_for(client, second, programs)

    numbers = sorted(client.read(pk)["number"] for pk in first + second)
    assert numbers == [f"{number:010d}" for number in range(1, 9)]
    posts = requests.get(f"{machine.pac_url}/__sandbox__/documents", timeout=10).json()["documents"]
    assert sorted(post["numeration"] for post in posts) == numbers


def _start(program: Program, port: int) -> None:
    program.start()
    wait_until(
        lambda: is_taken(port),
        what=f"The {program.name} was to listen",
        seconds=20,
        programs=[program],
    )


def _onboard(machine: Machine) -> str:
    certificate, password = machine.data / "demo.p12", machine.data / "password"
    password.write_text(secrets.token_urlsafe(16))
    certificate.write_bytes(demo_certificate(password.read_text()))
    printed = machine.run(
        "onboard_tenant",
        *(f"--{name}={value}" for name, value in DEMO_TENANT.items()),
        f"--signature-certificate={certificate}",
        f"--certificate-password-file={password}",
        *("--yes", "--json"),
    )
    return str(json.loads(printed)["api_key"])


def _wait_for(client: Client, pks: list[str], programs: list[Program]) -> None:
    wait_until(
        lambda: client.are_valid(pks),
        what="All invoices were to be authorised",
        seconds=SECONDS,
        programs=programs,
        pause=0.3,
    )


def _assert_that_a_webhook_brought_it(events: list[dict[str, Any]]) -> None:
    """The verdict is there before the first poll is due."""
    at = {
        event["data"].get("legal_status", event["event"]): datetime.fromisoformat(event["at"])
        for event in events
    }
    assert timedelta() < at["DGI_AUTHORIZED"] - at["sent"] < FIRST_POLL
