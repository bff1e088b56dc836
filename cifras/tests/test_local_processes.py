"""Starting, watching and stopping processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cifras.demo import LocalNotes
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

# Says "ready" and sleeps; its child does the same and shrugs off a polite request to end.
FAMILY = """
import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("child", os.getpid(), flush=True)
else:
    print("parent", flush=True)
time.sleep(60)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    started = []

    def make(source: str, lines: int = 1, grace: float = 5) -> Program:
        log = tmp_path / "log" / f"{len(started)}.log"
        made = Program("program", [sys.executable, "-c", source], dict(os.environ), log, grace)
        started.append(made)
        made.start()
        wait_until(lambda: len(tail(log)) >= lines, what="Its first words", seconds=10)
        return made

    yield make
    for made in started:
        made.kill()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # a zombie, where nobody reaps orphans, is dead
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_stopping_ends_the_children_too(program: Callable[..., Program]) -> None:
    family = program(FAMILY, lines=2)
    child = next(int(line.split()[1]) for line in tail(family.log) if "child" in line)
    family.stop()
    assert not family.is_running
    wait_until(lambda: not is_alive(child), what="The child's end", seconds=5)


def test_who_does_not_end_in_time_is_ended(program: Callable[..., Program]) -> None:
    deaf = program(DEAF, grace=0.1)
    deaf.stop()
    assert not deaf.is_running


def test_stopping_twice_and_stopping_what_never_started_is_nothing(
    program: Callable[..., Program], tmp_path: Path
) -> None:
    once = program("print('done')")
    once.stop()
    once.stop()
    Program("never", ["true"], {}, tmp_path / "never.log").stop()


def test_an_interruption_ends_all_at_once(program: Callable[..., Program]) -> None:
    programs = [program(DEAF, grace=30) for _ in range(2)]
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    began = time.monotonic()
    try:
        stop_all(programs)
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    assert time.monotonic() - began < 10
    assert not any(each.is_running for each in programs)


def test_one_that_ended_by_itself_is_told_with_its_log(program: Callable[..., Program]) -> None:
    gone = program("import sys; print('no database', flush=True); sys.exit(3)")
    with pytest.raises(LocalError, match=r"ended by itself \(exit code 3\)") as told:
        wait_until(lambda: False, what="Its answer", seconds=10, programs=[gone])
    assert told.value.log is not None
    assert tail(told.value.log) == ["no database"]


def test_what_does_not_come_is_told_when_the_time_is_up() -> None:
    with pytest.raises(LocalError, match="An answer within 0 seconds: it did not come"):
        wait_until(lambda: False, what="An answer", seconds=0)


def test_a_taken_port_is_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert is_taken(server.getsockname()[1])
    assert not is_taken(free_port())


def test_the_environment_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of a real deployment in the shell leads a demo to it."""
    for name in ("DATABASE_URL", "PAC_API_KEY", "PAC_BASE_URL", "EMAIL_URL", "REDIS_URL"):
        monkeypatch.setenv(name, "a real one")
    environment = Machine(tmp_path).environment()
    assert "a real one" not in environment.values()
    assert environment["ENV_FILE"] == os.devnull
    assert environment["PAC_BASE_URL"] == "http://127.0.0.1:8010"


def test_a_folder_with_odd_characters_is_a_folder_like_others(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "mis datos #1 %41 ñ")
    program = (
        "from django.conf import settings;"
        "print(settings.DATABASES['default']['NAME']); print(settings.EMAIL_FILE_PATH)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env=machine.environment(),
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.splitlines() == [
        str(machine.data / "cifras.sqlite3"),
        str(machine.data / "mail"),
    ]


def test_a_command_that_fails_is_told_with_its_log(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match=r"`resubmit` failed \(exit code 2\)") as told:
        Machine(tmp_path).run("resubmit")
    assert told.value.log is not None
    assert "one of the arguments DOCUMENT --failed is required" in tail(told.value.log)[-1]


def test_notes_are_kept_for_their_owner_alone(tmp_path: Path) -> None:
    notes = LocalNotes(tmp_path / "local.json")
    assert notes["api_key"] == ""
    notes["api_key"] = "one"
    notes["admin_password"] = "two"
    again = LocalNotes(tmp_path / "local.json")
    assert (again["api_key"], again["admin_password"]) == ("one", "two")
    assert (tmp_path / "local.json").stat().st_mode & 0o777 == 0o600


def test_notes_that_cannot_be_read_are_none(tmp_path: Path) -> None:
    (tmp_path / "local.json").write_text("{half")
    notes = LocalNotes(tmp_path / "local.json")
    assert notes["api_key"] == ""
    notes["api_key"] = "one"
    assert notes["api_key"] == "one"
