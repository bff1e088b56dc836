"""The small version of `make chaos`, and whether its audit sees what it is there to see."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from bench.chaos.audit import audit, repeated_copies
from bench.chaos.clients import Clients
from bench.chaos.facts import Facts, whole_messages
from bench.chaos.plan import Plan
from bench.chaos.run import run
from cifras.local_processes import LocalError, tail

SERVER = os.environ.get("TEST_DATABASE_URL", "")
# Half a minute on a quiet machine.
SMALL = Plan(seed=507, invoices=50, tenants=2, clients=4, kills=2, outage=3, deadline=150)
THREE = Plan(seed=507, invoices=3, tenants=1)
PDF = b"%PDF-"


@pytest.mark.processes
@pytest.mark.skipif(
    not SERVER.startswith("postgres"), reason="chaos is several processes on one PostgreSQL"
)
def test_nothing_is_lost_or_doubled_though_everything_fails(tmp_path: Path) -> None:
    said: list[str] = []
    try:
        result = run(SMALL, server=SERVER, folder=tmp_path / "var", say=said.append)
    except LocalError as error:
        pytest.fail("\n".join([*said, str(error), *(tail(error.log) if error.log else [])]))
    assert result.passed, "\n".join([*said, result.table()])


@pytest.fixture
def facts(tmp_path: Path) -> Facts:
    """What three orders leave behind where all went well."""
    (tmp_path / "one.pdf").write_bytes(PDF)
    numbers = range(1, 4)
    return Facts(
        documents=[
            {
                "id": f"id-{number}",
                "external_id": f"order-{number}",
                "pac_company_id": "company",
                "tenant_name": "Caos",
                "office_code": "0001",
                "billing_point": "001",
                "dgi_document_type": "01",
                "number": f"{number:010}",
                "invoice_number": f"FE-{number}",
                "document_id": f"pac-{number}",
                "total": Decimal("107.00"),
                "submission_state": "DONE",
                "legal_status": "DGI_AUTHORIZED",
                "verdicts": 1,
            }
            for number in numbers
        ],
        files=[
            {
                "owner_id": f"id-{number}",
                "name": f"FE-{number}.pdf",
                "content": "one.pdf",
                "sha256": hashlib.sha256(PDF).hexdigest(),
            }
            for number in numbers
        ],
        emails=[
            {"owner_id": f"id-{number}", "message_id": f"<{number}@test>"} for number in numbers
        ],
        events=Counter(),
        history=[f"event-{number}" for number in numbers],
        followed=[f"event-{number}" for number in numbers],
        unsettled={},
        at_pac=[
            {
                "idCompany": "company",
                "cufe": f"FE-{number}",
                "id": f"pac-{number}",
                "total": 107.0,
                "legalStatus": "DGI_AUTHORIZED",
                "voided": False,
            }
            for number in numbers
        ],
        posts=3,
        faults=Counter(),
        messages=Counter({f"<{number}@test>": 1 for number in numbers}),
        defects=[],
        media=tmp_path,
    )


@pytest.fixture
def clients() -> Clients:
    """Clients that posted three orders."""
    clients = Clients("http://127.0.0.1:9", ["key"], [], 1)
    clients.ids |= {number: {f"id-{number}"} for number in range(1, 4)}
    return clients


def broken(facts: Facts, clients: Clients) -> list[str]:
    return [check.promise for check in audit(THREE, clients, facts) if not check.holds]


def test_an_audit_of_a_good_run_finds_nothing(facts: Facts, clients: Clients) -> None:
    assert broken(facts, clients) == []


@pytest.mark.parametrize(
    ("happened", "promise"),
    [
        (lambda facts: facts.at_pac.pop(), "at the PAC"),
        (lambda facts: facts.at_pac.append(facts.at_pac[0] | {"id": "twin"}), "at the PAC"),
        (lambda facts: facts.at_pac.append(facts.at_pac[0] | {"cufe": "FE-9"}), "at the PAC"),
        (lambda facts: facts.at_pac[0].update(total=107.01), "at the PAC"),
        (lambda facts: facts.at_pac[0].update(legalStatus="PAC_AUTHORIZED"), "at the PAC"),
        (lambda facts: facts.documents[0].update(submission_state="UNCERTAIN"), "authorised"),
        (lambda facts: facts.documents[0].update(verdicts=2), "authorised"),
        (lambda facts: facts.documents[2].update(number="0000000004"), "numbers without gap"),
        (lambda facts: facts.documents[2].update(number="0000000002"), "numbers without gap"),
        (lambda facts: facts.files.pop(), "one PDF each"),
        (lambda facts: facts.files.append(facts.files[0]), "one PDF each"),
        (lambda facts: facts.files[0].update(sha256="other"), "one PDF each"),
        (lambda facts: facts.emails.append(facts.emails[0]), "one e-mail each"),
        (lambda facts: facts.messages.pop("<1@test>"), "one e-mail each"),
        (lambda facts: facts.messages.update(["<9@test>"]), "one e-mail each"),
        (lambda facts: facts.followed.pop(), "each event once"),
        (lambda facts: facts.followed.append("event-1"), "each event once"),
        (lambda facts: facts.unsettled.update({"document FAILED": 1}), "nothing waits"),
        (lambda facts: facts.defects.append("worker: ERROR"), "no error in the logs"),
    ],
)
def test_an_audit_sees_what_was_lost_doubled_or_left(
    facts: Facts, clients: Clients, happened: Callable[[Facts], object], promise: str
) -> None:
    happened(facts)
    [found] = broken(facts, clients)
    assert found.startswith(promise)


@pytest.mark.parametrize("ids", [set(), {"id-1", "id-4"}, {"id-2"}])
def test_an_audit_sees_an_order_that_is_not_one_document(
    facts: Facts, clients: Clients, ids: set[str]
) -> None:
    clients.ids[1] = ids
    assert broken(facts, clients) == ["each order is one document, and one answer"]


def test_a_copy_under_the_same_message_id_is_no_second_email(
    facts: Facts, clients: Clients
) -> None:
    facts.messages.update(["<1@test>"])
    assert broken(facts, clients) == []
    assert repeated_copies(facts) == 1


def test_a_message_that_breaks_off_was_not_delivered(tmp_path: Path) -> None:
    whole = "Subject: Factura\nMessage-ID: <1@test>\n\nHola\n" + "-" * 79 + "\n"
    folded = "Message-ID:\n <2@test>\n\nHola\n" + "-" * 79 + "\n"
    (tmp_path / "a.log").write_text(whole + folded + whole[:30])
    (tmp_path / "b.log").write_text(whole)
    assert whole_messages(tmp_path) == {"<1@test>": 2, "<2@test>": 1}


def test_a_seed_draws_the_same_blows_and_orders() -> None:
    assert SMALL.blows() == SMALL.blows()
    assert list(SMALL.orders()) == list(SMALL.orders())
    other = Plan(seed=508, invoices=50, tenants=2, kills=2)
    assert other.blows() != SMALL.blows()
