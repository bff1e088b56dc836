"""The business status: which of the eight holds, in their order."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.models import Document
from invoicing.services.settle import status_of

TODAY = date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAST, FUTURE = TODAY - timedelta(days=1), TODAY + timedelta(days=1)


def document(total: str = "100.00", **values: Any) -> Document:
    amounts = {
        name: Decimal(values.pop(name, "0.00")) for name in ("retention", "credited", "paid")
    }
    return Document(total=Decimal(total), document_type="01", **amounts, **values)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (document(), "UNPAID"),
        (document(due_date=FUTURE), "UNPAID"),
        (document(due_date=TODAY), "UNPAID"),
        (document(due_date=PAST), "PAST_DUE"),
        (document(paid="0.01"), "PARTIALLY_PAID"),
        (document(paid="99.99", due_date=FUTURE), "PARTIALLY_PAID"),
        (document(paid="99.99", due_date=PAST), "PAST_DUE"),
        (document(paid="100.00"), "PAID"),
        (document(paid="100.00", due_date=PAST), "PAID"),
        (document(paid="100.01"), "OVERPAID"),
        (document(retention="7.00", paid="93.00"), "PAID"),
        (document(retention="7.00", paid="92.99"), "PARTIALLY_PAID"),
        (document(retention="7.00", paid="93.01"), "OVERPAID"),
        (document(retention="100.00"), "PAID"),
        (document(credited="0.01"), "PARTIALLY_CANCELED"),
        (document(credited="0.01", due_date=PAST), "PARTIALLY_CANCELED"),
        (document(credited="40.00", paid="60.00"), "PAID"),
        (document(credited="40.00", paid="60.01"), "OVERPAID"),
        (document(credited="40.00", paid="59.99"), "PARTIALLY_CANCELED"),
        (document(credited="100.00"), "CANCELED"),
        (document(credited="100.00", paid="100.00"), "CANCELED"),
        (document(credited="100.01"), "CANCELED"),
        (document(credited="100.00", retention="7.00"), "CANCELED"),
        (document("0.00"), "PAID"),
        (document("0.00", due_date=PAST), "PAID"),
        (document("0.00", paid="0.01"), "OVERPAID"),
        (document(legal_status="PAC_REJECTED"), "CANCELED"),
        (document(legal_status="DGI_REJECTED", paid="100.00"), "CANCELED"),
        (document(legal_status="DGI_AUTHORIZED"), "UNPAID"),
        (document(legal_status="PAC_AUTHORIZED", paid="100.00"), "PAID"),
        (document(voided_at=NOON), "VOID"),
        (document(voided_at=NOON, paid="100.01", legal_status="DGI_AUTHORIZED"), "VOID"),
        (document(voided_at=NOON, credited="100.00"), "VOID"),
        (document(canceled_at=NOON), "CANCELED"),
        (document(canceled_at=NOON, paid="100.01", due_date=PAST), "CANCELED"),
        (document(status="PAID"), "UNPAID"),  # what it was before does not count
        (document(status="VOID"), "UNPAID"),
    ],
)
def test_the_status_is_the_first_that_holds(made: Document, status: str) -> None:
    assert status_of(made, today=TODAY) == status


def by(*parts: tuple[date, str], **values: Any) -> Document:
    """A document of B/.100.00 that is paid by installments."""
    installments = [{"due_date": day.isoformat(), "amount": amount} for day, amount in parts]
    return document(installments=installments, **values)


@pytest.mark.parametrize(
    ("made", "status"),
    [
        (by((FUTURE, "100.00")), "UNPAID"),
        (by((TODAY, "100.00")), "UNPAID"),
        (by((PAST, "100.00")), "PAST_DUE"),
        (by((PAST, "100.00"), paid="100.00"), "PAID"),
        (by((PAST, "100.00"), paid="99.99"), "PAST_DUE"),
        (by((PAST, "40.00"), (TODAY, "60.00")), "PAST_DUE"),
        (by((PAST, "40.00"), (TODAY, "60.00"), paid="39.99"), "PAST_DUE"),
        (by((PAST, "40.00"), (TODAY, "60.00"), paid="40.00"), "PARTIALLY_PAID"),
        (by((TODAY, "60.00"), (PAST, "40.00"), paid="39.99"), "PAST_DUE"),  # in any order
        (by((TODAY, "60.00"), (PAST, "40.00"), paid="40.00"), "PARTIALLY_PAID"),
        (by((PAST, "30.00"), (PAST, "30.00"), (FUTURE, "40.00"), paid="59.99"), "PAST_DUE"),
        # Sold in part for cash: that is no installment, and pays for none.
        (by((PAST, "30.00"), (FUTURE, "30.00"), paid="40.00"), "PAST_DUE"),
        (by((PAST, "30.00"), (FUTURE, "30.00"), paid="70.00"), "PARTIALLY_PAID"),
        (by((FUTURE, "60.00"), paid="40.00"), "PARTIALLY_PAID"),
        # A cash payment that was taken back fell due at no day that we know.
        (by((FUTURE, "60.00")), "UNPAID"),
        # What is withheld is never handed over.
        (by((PAST, "50.00"), (FUTURE, "50.00"), retention="7.00", paid="43.00"), "PARTIALLY_PAID"),
        (by((PAST, "50.00"), (FUTURE, "50.00"), retention="7.00", paid="42.99"), "PAST_DUE"),
        (by((PAST, "50.00"), (FUTURE, "50.00"), credited="1.00"), "PARTIALLY_CANCELED"),
        # With a due date too, each counts: on its day all has to be there.
        (by((PAST, "50.00"), (FUTURE, "50.00"), due_date=FUTURE), "PAST_DUE"),
        (by((PAST, "50.00"), (FUTURE, "50.00"), due_date=FUTURE, paid="50.00"), "PARTIALLY_PAID"),
        (by((PAST, "50.00"), (FUTURE, "50.00"), due_date=TODAY, paid="50.00"), "PARTIALLY_PAID"),
        (by((PAST, "50.00"), (FUTURE, "50.00"), due_date=PAST, paid="50.00"), "PAST_DUE"),
        (by((PAST, "50.00"), (FUTURE, "50.00"), due_date=PAST, paid="100.00"), "PAID"),
    ],
)
def test_it_is_past_due_when_more_is_owed_than_the_installments_to_come(
    made: Document, status: str
) -> None:
    assert status_of(made, today=TODAY) == status


@pytest.mark.parametrize(
    ("values", "due", "balance"),
    [
        ({}, "100.00", "100.00"),
        ({"retention": "7.00"}, "93.00", "93.00"),
        ({"retention": "7.00", "credited": "13.00"}, "80.00", "80.00"),
        ({"retention": "7.00", "credited": "13.00", "paid": "80.00"}, "80.00", "0.00"),
        ({"paid": "100.01"}, "100.00", "-0.01"),
    ],
)
def test_the_balance_is_what_is_still_open(values: dict[str, str], due: str, balance: str) -> None:
    made = document(**values)
    assert (made.due, made.balance) == (Decimal(due), Decimal(balance))
