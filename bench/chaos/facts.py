"""What a run left behind: in Cifras' database, in its files, in the mail, and at the PAC."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from bench.chaos.stage import Stage

Row = dict[str, Any]
Connection = psycopg.Connection[Row]

END_OF_MESSAGE = re.compile(rb"^-{79}\n", re.MULTILINE)
ERROR = re.compile(r"\b(ERROR|CRITICAL|Traceback)\b")
MESSAGE_ID = re.compile(rb"^Message-ID:\s*(<[^>]+>)", re.MULTILINE | re.IGNORECASE)

AUTHORISED = """
    SELECT count(*) AS count FROM invoicing_document WHERE legal_status = 'DGI_AUTHORIZED'
"""
# Whatever still has to move by itself; empty when Cifras is done.
UNSETTLED = """
    SELECT 'document ' || submission_state AS what, count(*) AS count
      FROM invoicing_document
     WHERE submission_state <> 'DONE' OR legal_status IS DISTINCT FROM 'DGI_AUTHORIZED'
        OR next_attempt_at IS NOT NULL OR lease_expires_at IS NOT NULL
        OR next_poll_at IS NOT NULL
     GROUP BY 1
    UNION ALL
    SELECT 'e-mail ' || state, count(*) FROM invoicing_emaildelivery
     WHERE state <> 'SENT' OR next_attempt_at IS NOT NULL OR lease_expires_at IS NOT NULL
     GROUP BY 1
    UNION ALL
    SELECT 'webhook ' || state, count(*) FROM webhooks_pacdelivery
     WHERE state <> 'MATCHED' OR next_try_at IS NOT NULL
     GROUP BY 1
    UNION ALL
    SELECT 'event without a place', count(*) FROM invoicing_historyentry WHERE place IS NULL
    HAVING count(*) > 0
    UNION ALL
    SELECT 'breaker open', count(*) FROM invoicing_breaker WHERE retry_at IS NOT NULL
    HAVING count(*) > 0
"""
DOCUMENTS = """
    SELECT d.*, t.pac_company_id, t.name AS tenant_name, o.code AS office_code,
           (SELECT count(*) FROM invoicing_historyentry h
             WHERE h.owner_id = d.id AND h.event = 'legal_status'
               AND h.data ->> 'legal_status' = 'DGI_AUTHORIZED') AS verdicts
      FROM invoicing_document d
      JOIN tenants_tenant t ON t.id = d.tenant_id
      JOIN tenants_office o ON o.id = d.office_id
     ORDER BY d.id
"""
STUCK = """
    SELECT id, external_id, number, submission_state, legal_status, attempts, setbacks,
           next_attempt_at, lease_expires_at, next_poll_at, polls, submission_error
      FROM invoicing_document
     WHERE submission_state <> 'DONE' OR legal_status IS DISTINCT FROM 'DGI_AUTHORIZED'
        OR next_attempt_at IS NOT NULL OR lease_expires_at IS NOT NULL
        OR next_poll_at IS NOT NULL
     ORDER BY id
"""
HISTORY = "SELECT id FROM invoicing_historyentry"
EXCHANGES = """
    SELECT created_at, method, path, status, error FROM invoicing_pacexchange
     WHERE owner_id = %s ORDER BY id DESC LIMIT 8
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything, read once when all is over."""

    documents: list[Row]
    files: list[Row]
    emails: list[Row]
    events: Counter[str]
    history: list[str]
    """The ids of all events."""
    followed: list[str]
    """The ids of those that the tenants read in their feeds."""
    unsettled: dict[str, int]
    at_pac: list[Row]
    posts: int
    """POSTs to issue that reached the PAC since it came back; some of them got no further."""
    faults: Counter[str]
    """Faults that the sandbox counted since it came back."""
    messages: Counter[str]
    """Whole messages in the mail folder, by Message-ID."""
    defects: list[str]
    """What the processes logged as errors."""
    media: Path

    @classmethod
    def gather(cls, stage: Stage, followed: list[str]) -> Facts:
        at_pac = stage.ask_pac("documents")["documents"]
        counted = stage.ask_pac("requests")
        with stage.connect() as connection:
            events = connection.execute(
                "SELECT event, count(*) AS count FROM invoicing_historyentry GROUP BY event"
            ).fetchall()
            return cls(
                documents=connection.execute(DOCUMENTS).fetchall(),
                files=connection.execute("SELECT * FROM invoicing_file").fetchall(),
                emails=connection.execute("SELECT * FROM invoicing_emaildelivery").fetchall(),
                events=Counter({row["event"]: row["count"] for row in events}),
                history=[str(row["id"]) for row in connection.execute(HISTORY)],
                followed=followed,
                unsettled=unsettled(connection),
                at_pac=at_pac,
                posts=sum(post["count"] for post in counted["posts"]),
                faults=Counter(counted["faults"]),
                messages=whole_messages(stage.folder / "mail"),
                defects=logged_errors(stage.machine.logs),
                media=stage.folder / "files",
            )


def authorised(connection: Connection) -> int:
    """How many documents the DGI has authorised, as Cifras knows."""
    row = connection.execute(AUTHORISED).fetchone()
    return int(row["count"]) if row else 0


def unsettled(connection: Connection) -> dict[str, int]:
    """How many of what still have to move by themselves, or wait for a person."""
    return {row["what"]: row["count"] for row in connection.execute(UNSETTLED)}


def stuck(connection: Connection, limit: int = 10) -> list[str]:
    """The first documents that are not done, each with its last calls to the PAC."""
    lines = []
    for row in connection.execute(STUCK).fetchmany(limit):
        lines.append("  ".join(f"{name}={value}" for name, value in row.items()))
        lines += [
            "    {created_at:%H:%M:%S} {method} {path} {status} {error}".format(**exchange)
            for exchange in connection.execute(EXCHANGES, [row["id"]])
        ]
    return lines


def whole_messages(folder: Path) -> Counter[str]:
    """Every message in the files of the mail folder. One that breaks off was not delivered: with
    SMTP, its final dot never came."""
    found: Counter[str] = Counter()
    for file in folder.glob("*.log"):
        *messages, _ = END_OF_MESSAGE.split(file.read_bytes())
        for message in messages:
            named = MESSAGE_ID.search(message)
            found[named[1].decode() if named else "without a Message-ID"] += 1
    return found


def logged_errors(logs: Path) -> list[str]:
    """The lines that web server and worker logged as errors."""
    lines = []
    for name in ("web", "worker"):
        text = (logs / f"{name}.log").read_text(errors="replace")
        lines += [f"{name}: {line}" for line in text.splitlines() if ERROR.search(line)]
    return lines
