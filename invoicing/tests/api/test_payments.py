"""Money received, and what it makes of a document's status."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body
from invoicing import tasks
from invoicing.models import Document, HistoryEntry
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
