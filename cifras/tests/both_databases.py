"""`python -m cifras.tests.both_databases [pytest's arguments]`: the suite on SQLite, and on
PostgreSQL where `TEST_DATABASE_URL` names one or a server on this machine lets `postgres` in.

Each run is a process of its own, both at the same time. What no database has a part in, and what is
happy with any, runs on SQLite only; the browser is at work on PostgreSQL only. The exit code is 0
only where both passed.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from subprocess import Popen
from typing import IO

import psycopg

URL = "TEST_DATABASE_URL"
DATABASE_ONLY = "DATABASE_ONLY"  # set: the tests that use the database, and no others
WITHOUT_BROWSER = "WITHOUT_BROWSER"  # set: no browser tests, another run has them
LOCAL_SERVER = "postgres://postgres@127.0.0.1:5432/cifras"


def postgres_url() -> str:
    """Where the tests may make a database of their own; empty where there is no such place."""
    if URL in os.environ:
        return os.environ[URL]
    server = LOCAL_SERVER.rpartition("/")[0].replace("postgres://", "postgresql://")
    try:
        psycopg.connect(f"{server}/postgres", connect_timeout=2).close()
    except psycopg.OperationalError:
        return ""
    return LOCAL_SERVER


@contextmanager
def new_database(server: str, name: str) -> Iterator[str]:
    """The URL of an empty database on the server of the URL `server`; dropped in the end."""
    origin = server.rpartition("/")[0]
    with psycopg.connect(f"{origin}/postgres", autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield f"{origin}/{name}"
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def start(
    arguments: Sequence[str], output: IO[bytes] | None = None, **environment: str
) -> Popen[bytes]:
    others = {
        name: value
        for name, value in os.environ.items()
        if name not in (URL, DATABASE_ONLY, WITHOUT_BROWSER)
    }
    command = [sys.executable, "-m", "pytest", *arguments]
    return Popen(command, env=others | environment, stdout=output)


def main(arguments: Sequence[str]) -> int:
    url = postgres_url()
    with tempfile.TemporaryFile() as later:
        # Both at once; what PostgreSQL's run says is kept until SQLite's has had its say.
        only = {URL: url, DATABASE_ONLY: "yes"}
        on_postgres = start(arguments, later, **only) if url else None
        say("On SQLite:")
        codes = [start(arguments, **({WITHOUT_BROWSER: "yes"} if url else {})).wait()]
        if on_postgres is None:
            say(f"No PostgreSQL: {URL} is not set and 127.0.0.1:5432 lets nobody in.")
            return codes[0]
        codes.append(on_postgres.wait())
        later.seek(0)
        say(f"On PostgreSQL:\n{later.read().decode(errors='replace')}")
    return max(codes)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
