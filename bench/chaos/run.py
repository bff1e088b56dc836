"""One run, from the empty database to the verdict."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.chaos.audit import SHOWN, Check, audit, repeated_copies
from bench.chaos.clients import Clients
from bench.chaos.facts import Connection, Facts, authorised, stuck, unsettled
from bench.chaos.followers import Followers
from bench.chaos.plan import AUTHORISED, POSTED, Plan
from bench.chaos.saboteur import Saboteur
from bench.chaos.stage import Stage
from cifras.tests.both_databases import new_database

LOOK = 0.5  # seconds
TOLD_EVERY = 10.0  # seconds
CALM = 6.0  # seconds; the latest webhook comes after five, and has to be attended too
RECOVERY = ("uncertain", "recovered", "delayed")

FINISH = 30.0  # seconds for the followers to read the end of their feeds

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Result:
    """How it ended."""

    plan: Plan
    seconds: float
    """From the first order to the last e-mail."""
    checks: list[Check]
    figures: dict[str, Any]
    stuck: list[str]
    """Where the deadline passed: what was not done, document by document."""

    @property
    def passed(self) -> bool:
        return not self.stuck and all(check.holds for check in self.checks)

    def table(self) -> str:
        """For a person."""
        lines = [f"seed {self.plan.seed}, {self.seconds:.0f} s"]
        for name, value in self.figures.items():
            shown = value
            if isinstance(value, dict):
                shown = ", ".join(f"{each} {count}" for each, count in sorted(value.items()))
            lines.append(f"  {name:<28}{shown}")
        for check in self.checks:
            lines.append(f"{'ok  ' if check.holds else 'FAIL'}  {check.promise} ({check.count})")
            lines += [f"        {each}" for each in check.broken[:SHOWN]]
            if len(check.broken) > SHOWN:
                lines.append(f"        and {len(check.broken) - SHOWN} more")
        if self.stuck:
            lines += ["FAIL  the deadline passed; not done:", *self.stuck]
        return "\n".join(lines)

    def summary(self) -> dict[str, Any]:
        """For a program."""
        return {
            "passed": self.passed,
            "seed": self.plan.seed,
            "invoices": self.plan.invoices,
            "tenants": self.plan.tenants,
            "outage_seconds": self.plan.outage,
            "seconds": round(self.seconds, 1),
            "figures": self.figures,
            "checks": {check.promise: check.holds for check in self.checks},
        }


def run(plan: Plan, *, server: str, folder: Path, say: Say) -> Result:
    """Carries out the plan on the PostgreSQL server of the URL `server`; data and logs go to
    `folder`. Raises `LocalError` where a process does not start."""
    with (
        new_database(server, f"cifras_chaos_{os.getpid()}") as database,
        Stage(plan, database, folder) as stage,
        stage.connect() as connection,
        stage.connect() as saboteurs_own,
    ):
        say(f"{plan.tenants} tenants are ready; {plan.invoices} invoices to post")
        clients = Clients(stage.machine.url, stage.keys, plan.orders(), plan.clients)
        saboteur = Saboteur(
            plan,
            stage,
            lambda: {
                POSTED: clients.posted / plan.invoices,
                AUTHORISED: authorised(saboteurs_own) / plan.invoices,
            },
            say,
        )
        followers = Followers(stage.machine.url, stage.keys)
        began = time.monotonic()
        clients.start()
        followers.start()
        saboteur.start()
        try:
            settled = _wait(plan, stage, clients, saboteur, connection, began, say)
            seconds = time.monotonic() - began
        finally:
            clients.stop()
            saboteur.stop()
            followers.finish(FINISH)
        facts = Facts.gather(stage, followers.read)
        return Result(
            plan,
            seconds,
            audit(plan, clients, facts),
            _figures(clients, saboteur, facts),
            [] if settled else stuck(connection) or ["(no document)", *facts.unsettled],
        )


def _wait(
    plan: Plan,
    stage: Stage,
    clients: Clients,
    saboteur: Saboteur,
    connection: Connection,
    began: float,
    say: Say,
) -> bool:
    """Until all is posted, every blow fell and nothing is left to do, nor comes for a while; False
    at the deadline."""
    told = began
    settled_since: float | None = None
    while time.monotonic() - began < plan.deadline:
        stage.require_running()
        if saboteur.failure:
            raise saboteur.failure
        left = unsettled(connection)
        done = authorised(connection)
        if clients.are_done and saboteur.is_done and not left and done >= clients.posted:
            settled_since = settled_since or time.monotonic()
            if time.monotonic() - settled_since >= CALM:
                return True
        else:
            settled_since = None
        if time.monotonic() - told >= TOLD_EVERY:
            told = time.monotonic()
            shown = ", ".join(f"{what} {count}" for what, count in sorted(left.items()))
            say(f"{told - began:4.0f} s: {clients.posted} posted, {done} authorised; {shown}")
        time.sleep(LOOK)
    return False


def _figures(clients: Clients, saboteur: Saboteur, facts: Facts) -> dict[str, Any]:
    return {
        "documents": len(facts.documents),
        "faults of the PAC": dict(saboteur.faults + facts.faults),
        "killed": dict(saboteur.kills),
        "answers to the clients": dict(clients.answers),
        "POSTs to issue at the PAC": saboteur.posts + facts.posts,
        "recovery": {name: facts.events[name] for name in RECOVERY},
        "documents sent twice or more": sum(row["attempts"] > 1 for row in facts.documents),
        "tries to send one document": dict(
            Counter(f"{row['attempts']}x" for row in facts.documents)
        ),
        "sends lost with a worker": sum(row["lost_leases"] for row in facts.documents),
        "e-mails repeated by a kill": repeated_copies(facts),
    }
