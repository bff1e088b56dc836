"""Money received, and what it makes of a document's status."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body
from invoicing import tasks
from invoicing.models import Document, HistoryEntry
from invoicing.services import payments
from invoicing.tests.backlog import multiply, numbered
from pac.dgi.calendar import panama_date
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(api: APIClient) -> dict[str, Any]:
    """B/.203.30 on credit."""
    posted: dict[str, Any] = api.post("/api/v1/invoices", body()).data
    return posted


def path(invoice: dict[str, Any]) -> str:
    return f"/api/v1/invoices/{invoice['id']}"


def pay(api: APIClient, invoice: dict[str, Any], amount: str) -> Any:
    return api.post(f"{path(invoice)}/payments", {"amount": amount, "method": "08"})


def test_the_status_follows_the_money(api: APIClient, invoice: dict[str, Any]) -> None:
    seen = [invoice["status"]]
    for amount in ("100.00", "103.30", "0.01"):
        assert pay(api, invoice, amount).status_code == 201
        seen.append(api.get(path(invoice)).data["status"])
    assert seen == ["UNPAID", "PARTIALLY_PAID", "PAID", "OVERPAID"]
    assert api.get(path(invoice)).data["totals"]["balance"] == "-0.01"


def test_a_payment_taken_back_is_gone(api: APIClient, invoice: dict[str, Any]) -> None:
    payment = pay(api, invoice, "203.30").data
    assert len(api.get(f"{path(invoice)}/payments").data["results"]) == 1
    assert api.delete(f"{path(invoice)}/payments/{payment['id']}").status_code == 204
    assert api.get(path(invoice)).data["status"] == "UNPAID"
    assert api.delete(f"{path(invoice)}/payments/{payment['id']}").status_code == 404
    events = HistoryEntry.unscoped.filter(owner=invoice["id"]).values_list("event", flat=True)
    assert list(events)[-2:] == ["payment", "payment_removed"]


@pytest.mark.parametrize(
    ("sent", "attr"),
    [
        ({"amount": "0", "method": "02"}, "amount"),
        ({"amount": "-1.00", "method": "02"}, "amount"),
        ({"amount": 5, "method": "02"}, "amount"),
        ({"amount": "1.001", "method": "02"}, "amount"),
        ({"amount": "1.00", "method": "01"}, "method"),
        ({"amount": "1.00"}, "method"),
        ({"amount": "1.00", "method": "02", "x": 1}, "x"),
        ({"amount": "1.00", "method": "02", "paid_at": "2026-01-01T00:00:00"}, "paid_at"),
    ],
)
def test_a_wrong_payment_is_refused(
    api: APIClient, invoice: dict[str, Any], sent: dict[str, Any], attr: str
) -> None:
    refused = api.post(f"{path(invoice)}/payments", sent)
    assert refused.status_code == 400
    assert [error["attr"] for error in refused.data["errors"]] == [attr]


def test_a_proforma_takes_no_payment(api: APIClient) -> None:
    proforma = api.post("/api/v1/invoices", body(generation_mode="PROFORM")).data
    refused = pay(api, proforma, "1.00")
    assert (refused.status_code, refused.data["errors"][0]["code"]) == (409, "not_payable")


def test_another_tenant_sees_no_payment(
    api: APIClient, invoice: dict[str, Any], bob: Tenant, client_of: Any
) -> None:
    payment = pay(api, invoice, "1.00").data
    stranger = client_of(bob)
    assert stranger.get(f"{path(invoice)}/payments").status_code == 404
    assert pay(stranger, invoice, "1.00").status_code == 404
    assert stranger.delete(f"{path(invoice)}/payments/{payment['id']}").status_code == 404


def test_what_is_owed_after_its_day_is_past_due(api: APIClient, invoice: dict[str, Any]) -> None:
    today = panama_date(timezone.now())
    Document.unscoped.filter(pk=invoice["id"]).update(due_date=today)
    assert tasks.past_due() == 0
    Document.unscoped.filter(pk=invoice["id"]).update(due_date=today - timedelta(days=1))
    assert tasks.past_due() == 1
    assert tasks.past_due() == 0
    assert api.get(path(invoice)).data["status"] == "PAST_DUE"
    pay(api, invoice, "203.30")
    assert api.get(path(invoice)).data["status"] == "PAID"


def in_installments(api: APIClient, *days: int, **changes: Any) -> dict[str, Any]:
    """B/.203.30 on credit, issued three days ago, in equal parts that fall due `days` from now."""
    now = timezone.now()
    part = Decimal("203.30") / len(days)
    sold = body(
        issued_at=(now - timedelta(days=3)).isoformat(),
        due_date=None,
        payment_methods=[{"method": "01", "amount": "203.30"}],
        installments=[
            {"due_date": str(panama_date(now) + timedelta(days=day)), "amount": f"{part:.2f}"}
            for day in days
        ],
    )
    response = api.post("/api/v1/invoices", sold | changes)
    assert response.status_code == 201, response.content
    posted: dict[str, Any] = response.data
    return posted


def a_day_before(invoice: dict[str, Any]) -> None:
    """What was said of it yesterday: it fell due meanwhile."""
    Document.unscoped.filter(pk=invoice["id"]).update(status="UNPAID")


def test_an_installment_that_was_not_paid_on_its_day_makes_the_invoice_past_due(
    api: APIClient,
) -> None:
    late, by_parts, due_today = (in_installments(api, *days) for days in ((-1,), (-1, 30), (0, 30)))
    assert (late["status"], by_parts["status"]) == ("PAST_DUE", "PAST_DUE")
    assert due_today["status"] == "UNPAID"
    for invoice in (late, by_parts):
        a_day_before(invoice)
    assert tasks.past_due() == 2
    assert tasks.past_due() == 0
    assert api.get(path(late)).data["status"] == "PAST_DUE"
    assert api.get(path(due_today)).data["status"] == "UNPAID"
    assert HistoryEntry.unscoped.filter(event="past_due").count() == 2
    pay(api, by_parts, "101.65")
    assert api.get(path(by_parts)).data["status"] == "PARTIALLY_PAID"
    assert tasks.past_due() == 0


def test_an_installment_before_the_due_date_counts(api: APIClient) -> None:
    later = str(panama_date(timezone.now()) + timedelta(days=60))
    invoice = in_installments(api, -1, 30, due_date=later)
    a_day_before(invoice)
    assert tasks.past_due() == 1


def test_what_is_paid_while_it_is_being_marked_is_not_marked(
    api: APIClient, invoice: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = in_installments(api, -1, 30)
    a_day_before(other)
    yesterday = panama_date(timezone.now()) - timedelta(days=1)
    Document.unscoped.filter(pk=invoice["id"]).update(due_date=yesterday)
    really, paid = payments.status_of, []

    def status_of(document: Document, *, today: date) -> Any:
        seen = really(document, today=today)
        if not paid:
            paid.append(pay(api, invoice, "203.30").status_code)
        return seen

    monkeypatch.setattr(payments, "status_of", status_of)
    assert tasks.past_due() == 1
    assert paid == [201]
    assert api.get(path(invoice)).data["status"] == "PAID"
    events = HistoryEntry.unscoped.filter(event="past_due").values_list("owner", flat=True)
    assert [str(owner) for owner in events] == [other["id"]]


def test_however_many_there_are_it_takes_a_few_queries_a_batch(api: APIClient) -> None:
    late, in_time = (
        Document.unscoped.get(pk=in_installments(api, *days)["id"]) for days in ((-1, 30), (0, 30))
    )
    a_day_before({"id": late.pk})
    late.refresh_from_db()
    multiply(late, payments.BATCH + 9, **numbered())
    multiply(in_time, 50, **numbered(10_000))
    with CaptureQueriesContext(connection) as captured:
        assert tasks.past_due() == payments.BATCH + 10
    assert len(captured) < 30
    assert HistoryEntry.unscoped.filter(event="past_due").count() == payments.BATCH + 10
    assert Document.unscoped.filter(status="UNPAID").count() == 51
