"""`python -m bench.chaos`: the whole storm. Exit code 0 where nothing was lost or doubled."""

from __future__ import annotations

import json
import secrets
import shutil
import signal
import sys
import tempfile
import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from bench.chaos.plan import Plan
from bench.chaos.run import run
from cifras.local_processes import LocalError, tail
from cifras.tests.both_databases import URL, postgres_url


def main() -> int:
    given = _arguments()
    server = postgres_url()
    if not server.startswith("postgres"):
        _say(f"No PostgreSQL: {URL} does not name one, and 127.0.0.1:5432 lets nobody in.")
        return 1
    signal.signal(signal.SIGTERM, _interrupt)
    plan = Plan(
        seed=given.seed,
        invoices=given.invoices,
        tenants=given.tenants,
        clients=given.clients,
        kills=given.kills,
        outage=given.outage,
        deadline=given.deadline,
    )
    _say(f"seed {plan.seed} (again with: make chaos ARGS='--seed {plan.seed}')")
    folder = Path(tempfile.mkdtemp(prefix="cifras-chaos-"))
    passed = False
    try:
        result = run(plan, server=server, folder=folder, say=_say)
        passed = result.passed
        _say(result.table())
        if given.summary:
            given.summary.write_text(f"{json.dumps(result.summary(), indent=2)}\n")
    except LocalError as error:
        _say("\n".join([str(error), *(tail(error.log) if error.log else [])]))
    finally:
        if passed:
            shutil.rmtree(folder)
        else:
            _say(f"Logs and files are in {folder}")
    _say("PASSED" if passed else "FAILED")
    return 0 if passed else 1


def _arguments() -> Namespace:
    parser = ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    add = parser.add_argument
    add("--seed", type=int, default=secrets.randbelow(10**6), help="repeats an earlier run")
    add("--invoices", type=int, default=Plan.invoices)
    add("--tenants", type=int, default=Plan.tenants)
    add("--clients", type=int, default=Plan.clients, help="threads that post")
    add("--kills", type=int, default=Plan.kills, help="of workers and web servers, half and half")
    add("--outage", type=float, default=Plan.outage, metavar="S", help="the PAC is away")
    add("--deadline", type=float, default=Plan.deadline, metavar="S")
    add("--summary", type=Path, metavar="FILE", help="write the figures there, as JSON")
    return parser.parse_args()


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    sys.stdout.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
