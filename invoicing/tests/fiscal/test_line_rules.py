"""Lines, their taxes, and the amounts of the whole document."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from invoicing.fiscal.draft import Discount, Line, OtherTax
from invoicing.tests.fiscal import Found, draft, faults_of, line, receiver

D = Decimal


@pytest.mark.parametrize(
    "made",
    [
        line(description="ab", code="x" * 20),
        line(description="x" * 500, code=""),
        line(quantity=D("0.000001")),
        line(unit_price=D(0), itbms_rate="00"),
        line(unit_discount=D("100.00")),
        line(isc_rate=D(5), isc_amount=D("5.00")),
        line(isc_rate=D(100), isc_amount=D("0.01")),
        line(isc_rate=D(0)),  # as a program sends it that always sends the rate
        line(isc_rate=D("0.000000"), isc_amount=D("0.00")),
        line(other_taxes=[OtherTax("01", D(0)), OtherTax("11", D("2.50"))]),
        line(cpbs_code="8111"),
        line(itbms_rate="02"),
        line(itbms_rate="03"),
    ],
)
def test_a_sound_line_has_no_fault(made: Line) -> None:
    assert faults_of(draft(lines=[made])) == []


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"description": "x"}, ("description", "description_length", None)),
        ({"description": "x" * 501}, ("description", "description_length", None)),
        ({"code": "x" * 21}, ("code", "code_length", None)),
        ({"quantity": D(0)}, ("quantity", "not_positive", None)),
        ({"quantity": D(-1)}, ("quantity", "not_positive", None)),
        ({"unit_price": D("-0.01")}, ("unit_price", "negative", "2053")),
        ({"unit_discount": D("-0.01")}, ("unit_discount", "negative", "2051")),
        ({"unit_discount": D("100.000001")}, ("unit_discount", "discount_over_price", "2051")),
        ({"itbms_rate": "04"}, ("itbms_rate", "itbms_rate_unknown", "2151")),
        ({"itbms_rate": "7"}, ("itbms_rate", "itbms_rate_unknown", "2151")),
        ({"itbms_rate": ""}, ("itbms_rate", "itbms_rate_unknown", "2151")),
        ({"isc_amount": D("5.00")}, ("isc_rate", "isc_rate_required", "2200")),
        ({"isc_rate": D(0), "isc_amount": D("5.00")}, ("isc_rate", "isc_rate_required", "2200")),
        ({"isc_rate": D(5)}, ("isc_amount", "isc_amount_required", "2201")),
        ({"isc_rate": D(5), "isc_amount": D(-5)}, ("isc_amount", "negative", "2202")),
        (
            {"isc_rate": D(-5), "isc_amount": D(5)},
            ("isc_rate", "isc_rate_out_of_range", "2200"),
        ),
        (
            {"isc_rate": D("100.000001"), "isc_amount": D(5)},
            ("isc_rate", "isc_rate_out_of_range", "2200"),
        ),
        (
            {"other_taxes": [OtherTax("12", D(1))]},
            ("other_taxes.0.code", "other_tax_unknown", "2801"),
        ),
        (
            {"other_taxes": [OtherTax("01", D(1)), OtherTax("01", D(1))]},
            ("other_taxes.1.code", "other_tax_twice", "2300"),
        ),
        (
            {"other_taxes": [OtherTax("01", D(-1))]},
            ("other_taxes.0.amount", "negative", "2802"),
        ),
        ({"cpbs_code": "81"}, ("cpbs_code", "cpbs_malformed", "2008")),
        ({"cpbs_code": "٨١١١"}, ("cpbs_code", "cpbs_malformed", "2008")),
    ],
)
def test_a_fault_of_a_line_is_named_with_its_path_and_the_dgis_code(
    changes: dict[str, Any], fault: Found
) -> None:
    path, code, dgi = fault
    found = faults_of(draft(lines=[line(), line(**changes)]))
    if changes.get("unit_price", D(0)) < 0:  # then its discount is wrong as well
        found = [fault for fault in found if fault[0] == f"lines.1.{path}"]
    assert found == [(f"lines.1.{path}", code, dgi)]


def test_the_state_wants_the_cpbs_code_of_every_line() -> None:
    made = draft(receiver=receiver(type="GOBIERNO"), lines=[line(), line(cpbs_code="8111"), line()])
    assert faults_of(made) == [
        ("lines.0.cpbs_code", "cpbs_required", "2006"),
        ("lines.2.cpbs_code", "cpbs_required", "2006"),
    ]


def test_a_document_has_1_to_1000_lines() -> None:
    assert faults_of(draft(lines=[])) == [("lines", "required", "2513")]
    assert faults_of(draft(lines=[line()] * 1000)) == []
    assert faults_of(draft(lines=[line()] * 1001)) == [("lines", "too_many", "2513")]


@pytest.mark.parametrize("name", ["freight", "insurance", "other_expenses"])
def test_an_expense_is_not_negative(name: str) -> None:
    assert faults_of(draft(**{name: D("-0.01")})) == [(name, "negative", None)]
    assert faults_of(draft(**{name: D("0.01")})) == []


@pytest.mark.parametrize("amount", [D(0), D("-0.01")])
def test_a_discount_is_above_zero(amount: Decimal) -> None:
    discounts = [Discount("Promoción", D("1.00")), Discount("Otra", amount)]
    assert faults_of(draft(discounts=discounts)) == [("discounts.1.amount", "not_positive", "2504")]


def test_discounts_reach_the_total_and_no_further() -> None:
    assert faults_of(draft(discounts=[Discount("Todo", D("107.00"))])) == []
    assert faults_of(draft(discounts=[Discount("Más", D("107.01"))])) == [
        ("discounts", "discount_over_total", "2507")
    ]
