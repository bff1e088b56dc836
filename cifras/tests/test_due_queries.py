"""What runs every second, or at every turn of the pump, reads an index over what waits and never a
table: seen in the plans that the databases make for the very statements of the product."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from cifras import health
from conftest import body
from invoicing.models import Document, EmailDelivery, FiscalEvent, PacExchange
from invoicing.services import claims, deliver, follow, submit, void
from invoicing.tests.backlog import multiply, numbered
from tenants.models import Tenant
from webhooks import inbox
from webhooks.models import PacDelivery

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 20_000  # documents; of the rest a few thousand
FEW = 3_000
# Tables that grow with the years; a tenant's row is read at each claim, so tenants may be scanned.
GROWING = (Document, EmailDelivery, FiscalEvent, PacDelivery, PacExchange)


@pytest.fixture
def history(api: APIClient, alice: Tenant, bob: Tenant) -> None:
    """Years of documents that are finished, and a few rows of each kind that are due."""
    document = Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])
    now = timezone.now()
    Document.unscoped.filter(pk=document.pk).update(next_attempt_at=None, submission_state="DONE")
    email = EmailDelivery(tenant=alice, owner=document, occasion="o")
    event = FiscalEvent(tenant=alice, owner=document, state="REFUSED", requested_at=now)
    delivery = PacDelivery(tenant=alice, body="{}", digest="d")
    exchange = PacExchange(tenant=alice, owner=document, method="GET", path="/", elapsed_ms=1)
    for row in (email, event, delivery, exchange):
        row.save(force_insert=True)
    text = "n" if connection.vendor == "sqlite" else "n::text"
    multiply(document, MANY, **numbered())
    multiply(email, FEW, occasion=text)
    multiply(event, FEW)
    multiply(delivery, FEW, digest=text)
    multiply(exchange, FEW)
    due = {"next_attempt_at": "CURRENT_TIMESTAMP"}
    multiply(document, 20, **numbered(MANY), **due, next_poll_at="CURRENT_TIMESTAMP")
    multiply(document, 5, **numbered(MANY + 20), lease_expires_at="CURRENT_TIMESTAMP")
    multiply(email, 5, **due, occasion=f"'due' || {text}")
    multiply(email, 5, lease_expires_at="CURRENT_TIMESTAMP", occasion=f"'lost' || {text}")
    multiply(event, 5, **due)
    multiply(delivery, 5, next_try_at="CURRENT_TIMESTAMP", digest=f"'due' || {text}")
    if connection.vendor == "postgresql":  # which does so by itself; SQLite never does
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")


def due_documents(column: str) -> Callable[[], Any]:
    def run() -> None:
        with transaction.atomic():
            claims.due_documents(column, now=timezone.now(), limit=16)

    return run


DUE: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "due submissions": (due_documents("next_attempt_at"), {"submissions_due"}),
    "due polls": (due_documents("next_poll_at"), {"polls_due"}),
    "submit": (lambda: submit.claim_due(16), {"submissions_due"}),
    "follow": (lambda: follow.claim_due(16), {"polls_due"}),
    "void": (lambda: void.claim_due(16), {"voids_due"}),
    "deliver": (lambda: deliver.claim_due(2), {"emails_due"}),
    "e-mails in flight": (lambda: health._is_mailing(timezone.now()), {"emails_in_flight"}),
    "last exchange": (lambda: health._talks_to_the_pac(timezone.now()), set()),
    "oldest due": (
        health._oldest_due,
        {"submissions_due", "polls_due", "submissions_in_flight", "voids_due", "emails_due"}
        | {"emails_in_flight", "pac_deliveries_due"},
    ),
    "lost submissions": (submit.recover_lost, {"submissions_in_flight"}),
    "lost e-mails": (deliver.recover_lost, {"emails_in_flight"}),
    "inbox": (inbox.attend, {"pac_deliveries_due"}),
}


def test_each_reads_its_partial_index_and_no_table_that_grows(history: None) -> None:
    """One test for all, since the history takes its time to be written and forgotten."""
    table = Document._meta.db_table
    assert scans(plan_of(f"SELECT count(polls) FROM {table} WHERE polls > 3"), table)  # noqa: S608
    for name, (run, indexes) in DUE.items():
        with CaptureQueriesContext(connection) as captured:
            run()
        plans = [plan_of(query["sql"]) for query in captured if query["sql"].startswith("SELECT")]
        scanned = [plan for plan in plans for each in GROWING if scans(plan, each._meta.db_table)]
        assert scanned == [], name
        used = {index for index in indexes if re.search(rf"\b{index}\b", "\n".join(plans))}
        assert used == indexes, (name, plans)


def plan_of(sql: str) -> str:
    explain = "EXPLAIN " if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.cursor() as cursor, transaction.atomic():
        cursor.execute(explain + sql)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def scans(plan: str, table: str) -> bool:
    """Whether a plan reads a table, or an index that has each of its rows, from end to end."""
    if connection.vendor == "postgresql":
        return re.search(rf"Seq Scan on {table}\b", plan) is not None
    partial = r"(submissions|emails)_(due|in_flight)|polls_due|voids_due|pac_deliveries_due"
    whole = rf"SCAN {table}(?! USING (COVERING )?INDEX ({partial})\b)"
    return re.search(whole, plan) is not None and "invoicing_pacexchange" not in plan
