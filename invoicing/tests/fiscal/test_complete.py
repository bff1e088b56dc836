"""What a request may leave out, and what is made of it."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.fiscal.complete import complete, complete_payment, credit_amount, reckon
from invoicing.fiscal.draft import Discount, Draft, Installment, OtherTax, PaymentMethod
from invoicing.tests.fiscal import DV, NOW, draft, line, receiver
from pac.tests.dgi.vectors import load

D = Decimal
DUE = date(2026, 12, 20)


def completed(**changes: Any) -> Draft:
    made = draft(**changes)
    complete(made, now=NOW, billing_point="001")
    return made


def test_what_is_left_out_has_its_default() -> None:
    made = completed(issued_at=None)
    assert (made.issued_at, made.billing_point) == (NOW, "001")
    assert (made.nature, made.destination, made.sale_type, made.issue_type) == ("01", 1, 1, "01")
    assert made.receiver.dv == DV


def test_an_export_has_its_own_defaults() -> None:
    made = completed(dgi_document_type="03")
    assert (made.nature, made.destination) == ("02", 2)


def test_what_is_said_is_kept() -> None:
    yesterday = NOW - timedelta(days=1)
    said = {"issued_at": yesterday, "billing_point": "002", "nature": "14", "destination": 2}
    made = completed(**said, receiver=receiver(dv="11"))
    assert (made.issued_at, made.billing_point) == (yesterday, "002")
    assert (made.nature, made.destination, made.receiver.dv) == ("14", 2, "11")


def test_a_destination_of_zero_is_not_taken_for_one_left_out() -> None:
    assert completed(destination=0).destination == 0


def test_a_ruc_is_written_as_the_dgi_writes_it() -> None:
    made = completed(receiver=receiver(ruc=" 8av-1-196 ", ruc_type="NATURAL"))
    assert made.receiver.ruc == "8AV-1-196"
    assert len(made.receiver.dv) == 2


@pytest.mark.parametrize(
    "made",
    [receiver(ruc="what"), receiver(ruc=""), receiver(ruc_type=None)],
)
def test_no_dv_is_made_up_for_what_is_no_ruc(made: Any) -> None:
    assert completed(receiver=made).receiver.dv == ""


@pytest.mark.parametrize(
    ("changes", "payment_time", "methods", "installments"),
    [
        ({"due_date": None}, "IMMEDIATE", [("02", "107.00")], []),
        ({"due_date": DUE}, "CREDIT", [("01", "107.00")], [(DUE, "107.00")]),
        ({"payment_time": "CREDIT", "due_date": None}, "CREDIT", [("01", "107.00")], []),
        ({"payment_time": "IMMEDIATE", "due_date": DUE}, "IMMEDIATE", [("02", "107.00")], []),
        (
            {"due_date": DUE, "payment_methods": [PaymentMethod("08", D("107.00"))]},
            "IMMEDIATE",
            [("08", "107.00")],
            [],
        ),
        (
            {
                "payment_methods": [
                    PaymentMethod("01", D("100.00")),
                    PaymentMethod("02", D("10.00")),
                ]
            },
            "MIXED",
            [("01", "100.00"), ("02", "10.00")],
            [(DUE, "100.00")],
        ),
        (
            {"installments": [Installment(DUE, D("7.00"))]},
            "CREDIT",
            [("01", "107.00")],
            [(DUE, "7.00")],
        ),
    ],
)
def test_the_payment_follows_from_the_due_date_and_the_total(
    changes: dict[str, Any],
    payment_time: str,
    methods: list[tuple[str, str]],
    installments: list[tuple[date, str]],
) -> None:
    made = completed(**changes)
    complete_payment(made, D("107.00"))
    assert made.payment_time == payment_time
    assert [(m.method, str(m.amount)) for m in made.payment_methods or []] == methods
    assert [(p.due_date, str(p.amount)) for p in made.installments or []] == installments
    again = deepcopy(made)
    complete(again, now=NOW + timedelta(days=1), billing_point="009")
    complete_payment(again, D("9.99"))
    assert again == made


def test_nothing_to_pay_is_paid_at_once_whenever_it_falls_due() -> None:
    made = completed(due_date=DUE, lines=[line(unit_price=D(0))])
    complete_payment(made, D("0.00"))
    assert made.payment_time == "IMMEDIATE"
    assert made.payment_methods == [PaymentMethod("02", D("0.00"))]
    assert made.installments == []


def test_the_credit_is_what_is_paid_by_method_01() -> None:
    methods = [PaymentMethod("01", D(5)), PaymentMethod("02", D(6)), PaymentMethod("01", D(7))]
    assert credit_amount(draft(payment_methods=methods)) == 12
    assert credit_amount(draft()) == 0


@pytest.mark.parametrize("case", load("totals")["cases"])
def test_a_draft_comes_to_what_the_vectors_say(case: dict[str, Any]) -> None:
    given, expected = case["input"], case["expected"]
    unknown = set(given) - {"lines", "discounts", "freight", "insurance", "other_expenses"}
    assert not unknown - {"retention_code"}
    made = Draft(
        lines=[
            line(
                quantity=D(item["quantity"]),
                unit_price=D(item["unit_price"]),
                unit_discount=D(item.get("unit_discount", 0)),
                itbms_rate=item["itbms_rate"],
                isc_amount=D(item.get("isc_amount", 0)),
                other_taxes=[OtherTax("", D(tax["amount"])) for tax in item.get("other_taxes", [])],
            )
            for item in given["lines"]
        ],
        discounts=[Discount("", D(part["amount"])) for part in given.get("discounts", [])],
        **{name: D(given.get(name, 0)) for name in ("freight", "insurance", "other_expenses")},
        retention_code=given.get("retention_code"),
    )
    found = reckon(made)
    for amounts, wanted in zip(found.lines, expected["lines"], strict=True):
        assert {name: str(getattr(amounts, name)) for name in wanted} == wanted
    wanted = expected["totals"]
    shown = {name: str(getattr(found.totals, name, found.retention)) for name in wanted}
    assert shown == wanted
