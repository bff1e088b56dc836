"""How a document is paid: methods, change, terms, installments, withholding."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from invoicing.fiscal.draft import Installment, PaymentMethod
from invoicing.tests.fiscal import Found, draft, faults_of, judged, line

D = Decimal
DUE = date(2026, 12, 20)


def paid(*methods: tuple[str, str], **changes: Any) -> dict[str, Any]:
    """The total is B/.107.00."""
    return {
        "payment_methods": [PaymentMethod(method, D(amount)) for method, amount in methods],
        "due_date": None,
        **changes,
    }


def parts(*amounts: str, day: date = DUE) -> list[Installment]:
    return [Installment(day, D(amount)) for amount in amounts]


@pytest.mark.parametrize(
    "changes",
    [
        paid(("02", "107.00")),
        paid(("02", "200.00")),
        paid(("03", "100.00"), ("02", "10.00")),
        paid(("08", "107.00"), payment_time="IMMEDIATE"),
        paid(("01", "107.00"), due_date=DUE),
        paid(("01", "107.00"), installments=parts("50.00", "57.00")),
        paid(("01", "100.00"), ("02", "7.00"), installments=parts("100.00"), payment_time="MIXED"),
        paid(("01", "100.00"), ("02", "8.00"), due_date=DUE),
        paid(*[("03", "10.70")] * 10),
        {"payment_methods": [PaymentMethod("99", D("107.00"), "x" * 10)]},
        {"payment_methods": [PaymentMethod("99", D("107.00"), "x" * 100)]},
        {"installments": parts("107.00", day=date(2026, 11, 20))},
        {"retention_code": "8", "retention_amount": D("107.00")},
        {"retention_code": "8", "retention_amount": D(0)},
    ],
)
def test_a_sound_payment_has_no_fault(changes: dict[str, Any]) -> None:
    assert faults_of(draft(**changes)) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"payment_time": "LATER"}, ("payment_time", "payment_time_unknown", "2512")),
        ({"payment_time": "1"}, ("payment_time", "payment_time_unknown", "2512")),
        (paid(*[("02", "10.00")] * 11), ("payment_methods", "count", None)),
        (
            paid(("77", "7.00"), ("02", "107.00")),
            ("payment_methods.0.method", "payment_method_unknown", "2600"),
        ),
        (
            paid(("02", "107.00"), ("03", "-0.00"), ("03", "-1.00"), ("02", "1.00")),
            ("payment_methods.2.amount", "negative", "2510"),
        ),
        (
            paid(("99", "107.00")),
            ("payment_methods.0.description", "description_required", "2601"),
        ),
        (
            {"payment_methods": [PaymentMethod("99", D("107.00"), "x" * 9)]},
            ("payment_methods.0.description", "description_required", "2601"),
        ),
        (
            {"payment_methods": [PaymentMethod("99", D("107.00"), "x" * 101)]},
            ("payment_methods.0.description", "description_required", "2601"),
        ),
        (
            {"payment_methods": [PaymentMethod("02", D("107.00"), "En efectivo")]},
            ("payment_methods.0.description", "description_not_allowed", "2602"),
        ),
        (paid(("02", "106.99")), ("payment_methods", "payments_do_not_add_up", "2510")),
        (paid(("03", "107.01")), ("payment_methods", "change_exceeds_cash", "2511")),
        (
            paid(("03", "107.00"), ("02", "5.00"), ("08", "0.01")),
            ("payment_methods", "change_exceeds_cash", "2511"),
        ),
        (
            paid(("02", "107.00"), payment_time="CREDIT"),
            ("payment_time", "payment_time_mismatch", "2512"),
        ),
        (
            paid(("01", "107.00"), payment_time="IMMEDIATE", installments=parts("107.00")),
            ("payment_time", "payment_time_mismatch", "2512"),
        ),
        (
            paid(("01", "107.00"), payment_time="MIXED", installments=parts("107.00")),
            ("payment_time", "payment_time_mismatch", "2512"),
        ),
        (
            paid(
                ("01", "7.00"), ("02", "100.00"), payment_time="CREDIT", installments=parts("7.00")
            ),
            ("payment_time", "payment_time_mismatch", "2512"),
        ),
        (paid(("01", "107.00")), ("due_date", "due_date_required", "2508")),
        ({"payment_time": "CREDIT", "due_date": None}, ("due_date", "due_date_required", "2508")),
        (
            paid(("01", "107.00"), installments=parts("50.00", "57.01")),
            ("installments", "installments_do_not_add_up", "2508"),
        ),
        (
            paid(("02", "107.00"), installments=parts("107.00")),
            ("installments", "installments_do_not_add_up", "2508"),
        ),
        (
            paid(("01", "107.00"), due_date=DUE, installments=[]),
            ("installments", "installments_do_not_add_up", "2508"),
        ),
        (
            paid(("01", "107.00"), installments=parts("107.00", "0.00")),
            ("installments.1.amount", "not_positive", "2508"),
        ),
        (
            paid(("01", "107.00"), installments=parts("107.00", day=date(2026, 11, 19))),
            ("installments.0.due_date", "due_before_issue", None),
        ),
        ({"retention_amount": D(1)}, ("retention_code", "retention_code_required", "2650")),
        ({"retention_code": "5"}, ("retention_code", "retention_code_unknown", "2650")),
        ({"retention_code": ""}, ("retention_code", "retention_code_unknown", "2650")),
        ({"retention_code": "8"}, ("retention_amount", "retention_amount_required", "2651")),
        (
            {"retention_code": "2", "retention_amount": D("3.50")},
            ("retention_amount", "retention_amount_not_allowed", "2651"),
        ),
        (
            {"retention_code": "8", "retention_amount": D("-0.01")},
            ("retention_amount", "negative", "2651"),
        ),
        (
            {"retention_code": "8", "retention_amount": D("107.01")},
            ("retention_amount", "retention_over_total", "2651"),
        ),
    ],
)
def test_a_fault_of_the_payment_is_named_with_its_path_and_the_dgis_code(
    changes: dict[str, Any], fault: Found
) -> None:
    assert faults_of(draft(**changes)) == [fault]


def test_ten_methods_are_the_most_and_none_is_too_few() -> None:
    assert faults_of(draft(payment_methods=[]))[0] == ("payment_methods", "count", None)


def test_a_credit_with_a_due_date_is_not_asked_for_one_whatever_else_is_wrong() -> None:
    made = draft(**paid(("77", "7.00"), ("01", "100.00"), due_date=DUE))
    assert faults_of(made) == [("payment_methods.0.method", "payment_method_unknown", "2600")]


def test_what_a_method_that_was_not_understood_says_of_itself_is_not_judged() -> None:
    method = PaymentMethod(None, D("107.00"), "En efectivo")  # type: ignore[arg-type]
    made = draft(payment_methods=[method], broken=frozenset({"payment_methods.0.method"}))
    assert faults_of(made) == []


@pytest.mark.parametrize(
    ("code", "withheld"),
    [("1", "7.01"), ("2", "3.51"), ("3", "7.01"), ("4", "3.51"), ("7", "3.51")],
)
def test_withholding_is_a_part_of_the_itbms_rounded_half_up_and_leaves_the_total(
    code: str, withheld: str
) -> None:
    faults, reckoning = judged(draft(retention_code=code, lines=[line(unit_price=D("100.20"))]))
    assert not faults
    assert reckoning is not None
    assert reckoning.totals.itbms == D("7.01")
    assert reckoning.totals.total == D("107.21")
    assert reckoning.retention == D(withheld)
    assert reckoning.due == D("107.21") - D(withheld)


def test_installments_add_up_to_the_credit_before_withholding() -> None:
    assert not faults_of(draft(retention_code="2", installments=parts("107.00")))
    assert faults_of(draft(retention_code="2", installments=parts("103.50"))) == [
        ("installments", "installments_do_not_add_up", "2508")
    ]
