"""The processes of a deployment on one machine, started and stopped together.

For `make run` and for the tests with real processes; production has a service manager for this.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from cifras.local import local_secret

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = "127.0.0.1"
GRACE = 5.0  # seconds that a process has to end by itself
TAIL = 25  # lines
INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "LD_LIBRARY_PATH")


class LocalError(Exception):
    """Something on this machine is not as it has to be; the text is for a person.

    `log` is the file that tells more, where there is one.
    """

    def __init__(self, message: str, log: Path | None = None) -> None:
        super().__init__(message)
        self.log = log


@dataclass
class Program:
    """A long-running process in a group of its own, which writes to a log file.

    In its own group it is not hit by a Ctrl-C at the terminal: whoever started it decides when,
    and in which order, everything stops.
    """

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    log: Path
    grace: float = GRACE
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own programs, no shell)
                self.command,
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def require_running(self) -> None:
        """Raises `LocalError` where the process has ended by itself."""
        if self._process and self._process.poll() is not None:
            raise LocalError(
                f"The {self.name} ended by itself (exit code {self._process.returncode}).",
                self.log,
            )

    def stop(self) -> None:
        """Asks the process to end, as a service manager does, and ends its whole group where it
        does not within `grace` seconds."""
        if self._process is None:
            return
        try:
            self._process.terminate()
            self._process.wait(self.grace)
        except subprocess.TimeoutExpired:
            pass
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends every process of the group, at once."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _signal(self, number: signal.Signals) -> None:
        # The group may be gone already, which macOS tells by EPERM.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)  # type: ignore[union-attr]


@dataclass
class Machine:
    """Where everything happens: the folder for data, the two ports, the environment."""

    data: Path
    port: int = 8000
    pac_port: int = 8010
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def pac_url(self) -> str:
        return f"http://{LOOPBACK}:{self.pac_port}"

    @property
    def logs(self) -> Path:
        return self.data / "log"

    def environment(self) -> dict[str, str]:
        """The environment of every process: closed, so that no `.env` of a real deployment, and no
        variable of the shell, leads a demo to real money or to a real PAC."""
        secret = local_secret(self.data)
        data = quote(str(self.data))
        return {name: os.environ[name] for name in INHERITED if name in os.environ} | {
            "ENV_FILE": os.devnull,
            "DJANGO_SETTINGS_MODULE": "cifras.settings",
            "PYTHONUNBUFFERED": "1",
            "DEBUG": "true",
            "SECRET_KEY": secret,
            "FIELD_ENCRYPTION_KEY": secret,
            "DATABASE_URL": f"sqlite:///{data}/cifras.sqlite3",
            "MEDIA_ROOT": str(self.data / "files"),
            "EMAIL_URL": f"filemail:///{data}/mail",
            "PAC_BASE_URL": self.pac_url,
            "PAC_WEBHOOK_URL": f"{self.url}/webhooks/pac",
            **self.extra,
        }

    def manage(self, *arguments: str) -> list[str]:
        return [sys.executable, str(ROOT / "manage.py"), *arguments]

    def pac(self, *options: str) -> Program:
        """The sandbox PAC, which remembers companies and documents in a file."""
        state = str(self.data / "sandbox.json")
        return self._program(
            "sandbox PAC",
            "pac",
            *self.manage("pac_sandbox", "--port", str(self.pac_port), "--state", state, *options),
        )

    def worker(self) -> Program:
        """django-q2's cluster, in which the pumps run. One that is told to stop waits for its pumps
        to end their turn; here it is cut short, which costs nothing but a new look later."""
        worker = self._program("worker", "worker", *self.manage("qcluster"))
        worker.grace = 2.0
        return worker

    def web(self) -> Program:
        """The web server, as in production but for the number of its processes."""
        return self._program(
            "web server",
            "web",
            *(sys.executable, "-m", "gunicorn", "cifras.wsgi:application"),
            *("--bind", f"{LOOPBACK}:{self.port}", "--worker-class", "gthread"),
            *("--workers", "1", "--threads", "8", "--graceful-timeout", "3"),
            "--no-control-socket",
        )

    def _program(self, name: str, log: str, *command: str) -> Program:
        return Program(name, command, self.environment(), self.logs / f"{log}.log")

    def run(
        self, *arguments: str, seconds: float = 120, shown: bool = False, **variables: str
    ) -> str:
        """Runs a command of `manage.py` to its end and returns what it printed; `shown` lets it
        print to the terminal instead. Its standard error goes to a log of its own.

        Raises `LocalError` where it fails, or takes longer than `seconds`.
        """
        log = self.logs / f"{arguments[0]}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as errors:
            try:
                done = subprocess.run(  # noqa: S603 (our own programs, no shell)
                    self.manage(*arguments),
                    cwd=ROOT,
                    env=self.environment() | variables,
                    stdin=subprocess.DEVNULL,
                    stdout=None if shown else subprocess.PIPE,
                    stderr=errors,
                    timeout=seconds,
                    check=False,
                    start_new_session=True,
                )
            except subprocess.TimeoutExpired:
                raise LocalError(
                    f"`{arguments[0]}` did not end within {seconds:.0f} seconds.", log
                ) from None
        if done.returncode:
            raise LocalError(f"`{arguments[0]}` failed (exit code {done.returncode}).", log)
        return (done.stdout or b"").decode()


def stop_all(programs: Sequence[Program]) -> None:
    """Stops the programs, the last started first. At an interruption, all of them at once."""
    try:
        for program in reversed(programs):
            program.stop()
    except KeyboardInterrupt:
        pass  # a second Ctrl-C: the patience is over
    finally:
        for program in programs:
            program.kill()


def is_taken(port: int) -> bool:
    """Whether another program listens on this port of the loopback address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def wait_until(
    condition: Callable[[], bool],
    *,
    what: str,
    seconds: float,
    programs: Sequence[Program] = (),
    pause: float = 0.1,
) -> None:
    """Returns once `condition` holds. Raises `LocalError` when the time is up, or at once where one
    of the `programs`, without which it never will, has ended."""
    end = time.monotonic() + seconds
    while not condition():
        for program in programs:
            program.require_running()
        if time.monotonic() > end:
            log = programs[0].log if programs else None
            raise LocalError(f"{what} within {seconds:.0f} seconds: it did not come.", log)
        time.sleep(pause)


def tail(log: Path, lines: int = TAIL) -> list[str]:
    """The last lines of a log; none where there is no such file."""
    try:
        return log.read_text(errors="replace").splitlines()[-lines:]
    except OSError:
        return []
