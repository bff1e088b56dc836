"""What the doctor says, and those whom it asks."""

from __future__ import annotations

import io
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import CommandError, call_command

from cifras.doctor.findings import Found

SECRET = "hunter2-hunter2"


def told(check: Callable[[], Found]) -> list[tuple[str, str]]:
    return [(str(level), sentence) for level, sentence in check()]


def only(check: Callable[[], Found]) -> tuple[str, str]:
    (finding,) = told(check)
    return finding


def ran(*arguments: str) -> tuple[int, str]:
    """Exit code and output of the command."""
    out = io.StringIO()
    try:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


@contextmanager
def answering(*lines: bytes, hold: bool = False) -> Iterator[int]:
    """A server on a port of its own: it says its lines, one a turn, to whoever connects."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        over = threading.Event()

        def serve() -> None:
            try:
                visitor, _ = server.accept()
            except OSError:
                return
            with visitor:
                for line in lines:
                    visitor.sendall(line)
                    visitor.recv(4096)
                if hold:
                    over.wait(10)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
