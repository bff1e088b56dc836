"""POST /invoices: every sample to the cent, and what is paid at issue."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from invoicing.models import Document, Payment
from invoicing.tests.api import URL, cash, sample

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("name", "totals", "status", "payments"),
    [
        (
            "b2b-credit",
            {"net": "1939.38", "itbms": "131.03", "total": "2070.41", "balance": "2070.41"},
            "UNPAID",
            [],
        ),
        (
            "consumer-cash",
            {"net": "29.78", "itbms": "1.75", "total": "31.53", "paid": "31.53", "balance": "0.00"},
            "PAID",
            [("02", "31.53")],  # of 40.00, 8.47 are change
        ),
        (
            "export-foreign",
            {"net": "18480.00", "itbms": "0.00", "total": "18480.00", "paid": "18480.00"},
            "PAID",
            [("08", "18480.00")],
        ),
        (
            "government-retention",
            {
                "net": "11595.50",
                "itbms": "811.69",
                "total": "12407.19",
                "retention": "405.85",
                "balance": "12001.34",
            },
            "UNPAID",
            [],
        ),
        (
            "proforma",
            {"net": "1467.50", "itbms": "102.73", "total": "1570.23", "balance": "1570.23"},
            "UNPAID",
            [],
        ),
    ],
)
def test_a_sample_comes_to_its_exact_totals(
    name: str, totals: dict[str, str], status: str, payments: list[tuple[str, str]], api: APIClient
) -> None:
    response = api.post(URL, sample(name))
    assert response.status_code == 201, response.content
    zero = dict.fromkeys(
        ("isc", "other_taxes", "discount", "freight", "insurance", "other_expenses"), "0.00"
    )
    rest = {"retention": "0.00", "paid": "0.00", "credited": "0.00", "balance": "0.00"}
    wanted = {**zero, **rest, **totals, "taxes": totals["itbms"]}
    assert response.data["totals"] == wanted
    assert response.data["status"] == status
    assert [(p.method, str(p.amount)) for p in Payment.unscoped.all()] == payments
    shown = api.get(f"{URL}/{response.data['id']}").json()
    assert shown == response.json()  # as it is stored


def test_the_lines_of_a_sample_come_to_their_exact_amounts(api: APIClient) -> None:
    lines = api.post(URL, sample("consumer-cash")).data["lines"]
    assert [(line["number"], line["net"], line["itbms"], line["total"]) for line in lines] == [
        (1, "8.70", "0.00", "8.70"),
        (2, "6.99", "0.49", "7.48"),
        (3, "5.50", "0.55", "6.05"),
        (4, "4.75", "0.71", "5.46"),
        (5, "3.84", "0.00", "3.84"),
    ]
    assert [line["quantity"] for line in lines] == ["2", "1", "1", "1", "0.385"]
    assert lines[0]["unit_price"] == "4.35"


CREDIT_PART = [{"due_date": "2099-01-31", "amount": "100.00"}]


@pytest.mark.parametrize(
    ("changes", "payment_time", "payments", "paid", "balance", "status"),
    [
        ({}, "IMMEDIATE", [("02", "203.30")], "203.30", "0.00", "PAID"),
        (
            {"payment_methods": [{"method": "02", "amount": "250.00"}]},
            "IMMEDIATE",
            [("02", "203.30")],
            "203.30",
            "0.00",
            "PAID",
        ),
        (
            {
                "payment_methods": [
                    {"method": "03", "amount": "200.00"},
                    {"method": "02", "amount": "20.00"},
                ]
            },
            "IMMEDIATE",
            [("02", "3.30"), ("03", "200.00")],
            "203.30",
            "0.00",
            "PAID",
        ),
        (
            {
                "payment_methods": [
                    {"method": "02", "amount": "203.30"},
                    {"method": "02", "amount": "50.00"},
                ]
            },
            "IMMEDIATE",
            [("02", "153.30"), ("02", "50.00")],
            "203.30",
            "0.00",
            "PAID",
        ),
        (
            {
                "payment_methods": [
                    {"method": "01", "amount": "100.00"},
                    {"method": "08", "amount": "103.30"},
                ],
                "installments": CREDIT_PART,
            },
            "MIXED",
            [("08", "103.30")],
            "103.30",
            "100.00",
            "PARTIALLY_PAID",
        ),
        ({"due_date": "2099-12-22"}, "CREDIT", [], "0.00", "203.30", "UNPAID"),
        # The receiver keeps half of the ITBMS of 13.30: nobody hands it over.
        (
            {"retention_code": "4"},
            "IMMEDIATE",
            [("02", "196.65")],
            "196.65",
            "0.00",
            "PAID",
        ),
        (
            {
                "retention_code": "4",
                "payment_methods": [
                    {"method": "01", "amount": "100.00"},
                    {"method": "08", "amount": "103.30"},
                ],
                "installments": CREDIT_PART,
            },
            "MIXED",
            [("08", "103.30")],
            "103.30",
            "93.35",
            "PARTIALLY_PAID",
        ),
        (
            {
                "retention_code": "4",
                "payment_methods": [
                    {"method": "01", "amount": "5.00"},
                    {"method": "02", "amount": "200.00"},
                ],
                "installments": [{"due_date": "2099-01-31", "amount": "5.00"}],
            },
            "MIXED",
            [("02", "196.65")],
            "196.65",
            "0.00",
            "PAID",
        ),
        (
            {"retention_code": "8", "retention_amount": "203.30"},
            "IMMEDIATE",
            [],
            "0.00",
            "0.00",
            "PAID",
        ),
    ],
)
def test_what_is_not_on_credit_is_money_received_at_issue(
    changes: dict[str, Any],
    payment_time: str,
    payments: list[tuple[str, str]],
    paid: str,
    balance: str,
    status: str,
    api: APIClient,
) -> None:
    response = api.post(URL, cash(**changes))
    assert response.status_code == 201, response.content
    found = Payment.unscoped.values_list("method", "amount")
    assert sorted((method, str(amount)) for method, amount in found) == sorted(payments)
    assert response.data["payment_time"] == payment_time
    totals = response.data["totals"]
    assert (totals["paid"], totals["balance"], response.data["status"]) == (paid, balance, status)
    assert all(p.paid_at == Document.unscoped.get().issued_at for p in Payment.unscoped.all())
