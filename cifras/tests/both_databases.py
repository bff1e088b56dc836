"""`python -m cifras.tests.both_databases [pytest's arguments]`: the suite on SQLite, and on
PostgreSQL where `TEST_DATABASE_URL` names one or a server on this machine lets `postgres` in.

Each run is a process of its own. The exit code is 0 only where every run passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import psycopg

URL = "TEST_DATABASE_URL"
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


def run(arguments: Sequence[str], url: str) -> int:
    environment = {name: value for name, value in os.environ.items() if name != URL}
    command = [sys.executable, "-m", "pytest", *arguments]
    say(f"On {'PostgreSQL' if url else 'SQLite'}: pytest {' '.join(arguments)}")
    return subprocess.run(
        command, env=environment | ({URL: url} if url else {}), check=False
    ).returncode


def main(arguments: Sequence[str]) -> int:
    url = postgres_url()
    if not url:
        say(f"No PostgreSQL: {URL} is not set and 127.0.0.1:5432 lets nobody in. SQLite only.")
    codes = [run(arguments, each) for each in dict.fromkeys(("", url))]
    return max(codes)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
