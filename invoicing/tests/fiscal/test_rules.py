"""The rule book as a whole: each fault of the document itself, and all of them at once."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.fiscal import rules
from invoicing.fiscal.draft import (
    Contingency,
    Discount,
    Draft,
    Fault,
    Line,
    OtherTax,
    PaymentMethod,
)
from invoicing.tests.fiscal import (
    NOW,
    Found,
    consumer,
    draft,
    exportation,
    faults_of,
    foreigner,
    judged,
    line,
    receiver,
)
from pac.dgi.calendar import PANAMA

WINDOW = timedelta(days=180)
REASON = "Caída del enlace de internet"


def contingency(**changes: Any) -> Contingency:
    values = {"started_at": NOW - timedelta(hours=2), "reason": REASON}
    return Contingency(**(values | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dgi_document_type": "08"},
        {"dgi_document_type": "09"},
        {"dgi_document_type": "10", "destination": 2, "receiver": foreigner()},
        {"dgi_document_type": "02", "exportation": exportation()},
        {"dgi_document_type": "03", "exportation": exportation(), "receiver": foreigner()},
        {"issue_type": "02", "contingency": contingency()},
        {"issue_type": "04", "contingency": contingency(started_at=NOW)},
        {"issue_type": "03"},
        {"contingency": None, "sale_type": 4, "nature": "21"},
        {"billing_point": "999"},
        {"receiver": consumer()},
        {"receiver": receiver(type="GOBIERNO"), "lines": [line(cpbs_code="8111")]},
    ],
)
def test_a_sound_document_has_no_fault_and_comes_to_its_total(changes: dict[str, Any]) -> None:
    faults, reckoning = judged(draft(**changes))
    assert faults == []
    assert reckoning is not None
    assert reckoning.totals.total == Decimal("107.00")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"dgi_document_type": "04"}, ("dgi_document_type", "document_type_unknown", "1510")),
        ({"dgi_document_type": "1"}, ("dgi_document_type", "document_type_unknown", "1510")),
        ({"nature": "05"}, ("nature", "nature_unknown", "1524")),
        ({"sale_type": 5}, ("sale_type", "sale_type_unknown", "1531")),
        ({"sale_type": 0}, ("sale_type", "sale_type_unknown", "1531")),
        ({"destination": 3}, ("destination", "destination_unknown", "1526")),
        ({"destination": 0}, ("destination", "destination_unknown", "1526")),
        (
            {"destination": 2, "receiver": foreigner()},
            ("destination", "internal_invoice_stays_in_panama", "1534"),
        ),
        (
            {
                "dgi_document_type": "03",
                "destination": 1,
                "exportation": exportation(),
                "receiver": foreigner(),
            },
            ("destination", "export_needs_foreign_destination", "1533"),
        ),
        ({"billing_point": "000"}, ("billing_point", "billing_point_malformed", "1515")),
        ({"billing_point": "1"}, ("billing_point", "billing_point_malformed", "1515")),
        ({"billing_point": "٠٠١"}, ("billing_point", "billing_point_malformed", "1515")),
        ({"issue_type": "05"}, ("issue_type", "issue_type_unknown", "1503")),
        ({"issue_type": "02"}, ("contingency", "contingency_required", "1506")),
        ({"issue_type": "04"}, ("contingency", "contingency_required", "1506")),
        ({"contingency": contingency()}, ("contingency", "contingency_not_allowed", None)),
        (
            {
                "issue_type": "02",
                "contingency": contingency(started_at=NOW + timedelta(seconds=1)),
            },
            ("contingency.started_at", "contingency_after_issue", "1507"),
        ),
        (
            {"issue_type": "02", "contingency": contingency(reason="x" * 14)},
            ("contingency.reason", "reason_length", "1509"),
        ),
        (
            {"issue_type": "02", "contingency": contingency(reason="x" * 251)},
            ("contingency.reason", "reason_length", "1509"),
        ),
        ({"dgi_document_type": "02"}, ("exportation", "exportation_required", "1651")),
        ({"exportation": exportation()}, ("exportation", "exportation_not_allowed", "1650")),
        (
            {"dgi_document_type": "02", "exportation": exportation(incoterm="XXX")},
            ("exportation.incoterm", "incoterm_unknown", "1652"),
        ),
        (
            {"dgi_document_type": "02", "exportation": exportation(currency="usd")},
            ("exportation.currency", "currency_unknown", "1653"),
        ),
        (
            {"dgi_document_type": "02", "exportation": exportation(exchange_rate=Decimal(0))},
            ("exportation.exchange_rate", "not_positive", "1656"),
        ),
        (
            {"dgi_document_type": "02", "exportation": exportation(amount=Decimal("-0.01"))},
            ("exportation.amount", "negative", "1657"),
        ),
    ],
)
def test_a_fault_of_the_document_is_named_with_its_path_and_the_dgis_code(
    changes: dict[str, Any], fault: Found
) -> None:
    assert faults_of(draft(**changes)) == [fault]


@pytest.mark.parametrize("reason", ["x" * 15, "x" * 250])
def test_a_contingencys_reason_has_15_to_250_characters(reason: str) -> None:
    assert not faults_of(draft(issue_type="02", contingency=contingency(reason=reason)))


def at(day: date, hour: int = 10) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=PANAMA)


@pytest.mark.parametrize(
    ("issued_at", "codes"),
    [
        (at(date(2026, 11, 24), 23), []),  # Tuesday, the second business day after Friday
        (at(date(2026, 11, 25), 0), [("issued_too_far_ahead", "1520")]),
        (at(date(2018, 1, 1), 0), []),
        (at(date(2018, 1, 1), 0) - timedelta(seconds=1), [("issued_before_the_regime", "1519")]),
        (datetime.min.replace(tzinfo=PANAMA), [("issued_before_the_regime", "1519")]),
        (datetime.max.replace(tzinfo=PANAMA), [("issued_too_far_ahead", "1520")]),
    ],
)
def test_a_document_is_dated_from_2018_to_two_business_days_ahead(
    issued_at: datetime, codes: list[tuple[str, str]]
) -> None:
    found = faults_of(draft(issued_at=issued_at, due_date=date(9999, 12, 31)))
    assert found == [("issued_at", *code) for code in codes]


def test_it_falls_due_on_the_day_of_issue_in_panama_at_the_earliest() -> None:
    late = datetime(2026, 11, 20, 23, 30, tzinfo=PANAMA)  # the 21st in UTC
    assert not faults_of(draft(issued_at=late, due_date=date(2026, 11, 20)))
    assert faults_of(draft(issued_at=late, due_date=date(2026, 11, 19))) == [
        ("due_date", "due_before_issue", None)
    ]


@pytest.mark.parametrize("payment", [None, [("01", "107.00")], [("02", "107.00")]])
def test_a_due_date_that_is_wrong_is_not_called_missing(
    payment: list[tuple[str, str]] | None,
) -> None:
    methods = payment and [PaymentMethod(method, Decimal(amount)) for method, amount in payment]
    found = faults_of(draft(due_date=date(2020, 1, 1), payment_methods=methods))
    assert found == [("due_date", "due_before_issue", None)]


def test_every_fault_of_a_document_is_told_at_once() -> None:
    found = faults_of(
        draft(
            dgi_document_type="99",
            nature="99",
            sale_type=9,
            destination=9,
            billing_point="000",
            issue_type="99",
            issued_at=datetime(2017, 5, 1, tzinfo=PANAMA),
            due_date=date(2016, 1, 1),
            exportation=exportation(incoterm="??"),
            contingency=contingency(),
            receiver=receiver(dv="11", country="XX", location="8", phones=["1"]),
            lines=[line(quantity=Decimal(0)), line(itbms_rate="7", description="x")],
            discounts=[Discount("Promoción", Decimal(0))],
            freight=Decimal(-1),
            retention_code="5",
        )
    )
    assert {path for path, _, _ in found} == {
        "dgi_document_type",
        "nature",
        "sale_type",
        "destination",
        "billing_point",
        "issue_type",
        "issued_at",
        "due_date",
        "exportation",
        "exportation.incoterm",
        "contingency",
        "receiver.dv",
        "receiver.country",
        "receiver.location",
        "receiver.phones.0",
        "lines.0.quantity",
        "lines.1.itbms_rate",
        "lines.1.description",
        "discounts.0.amount",
        "freight",
        "retention_code",
    }


def test_the_sums_are_judged_too_where_something_else_is_wrong() -> None:
    methods = [PaymentMethod("03", Decimal("1.00"))]
    found = faults_of(draft(nature="99", retention_code="5", payment_methods=methods))
    assert found == [
        ("nature", "nature_unknown", "1524"),
        ("retention_code", "retention_code_unknown", "2650"),
        ("payment_methods", "payments_do_not_add_up", "2510"),
    ]


@pytest.mark.parametrize(
    "broken",
    [
        "dgi_document_type",
        "nature",
        "destination",
        "sale_type",
        "issued_at",
        "due_date",
        "billing_point",
        "issue_type",
        "contingency",
        "exportation",
        "receiver",
        "receiver.type",
        "receiver.ruc",
        "receiver.dv",
        "receiver.foreign_id",
        "lines",
        "lines.0",
        "lines.0.quantity",
        "discounts",
        "freight",
        "payment_time",
        "payment_methods",
        "installments",
        "retention_code",
        "retention_amount",
    ],
)
def test_what_was_not_understood_is_passed_over(broken: str) -> None:
    empty: dict[str, Any] = {
        "receiver": {"receiver": receiver(type=None, ruc="", name="")},
        "receiver.type": {"receiver": receiver(type=None)},
        "receiver.ruc": {"receiver": receiver(ruc="")},
        "receiver.foreign_id": {"receiver": foreigner(foreign_number="")},
        "lines": {"lines": []},
        "lines.0": {"lines": [Line()]},
        "lines.0.quantity": {"lines": [line(quantity=Decimal(0))]},
    }
    made = draft(**empty.get(broken, {}), broken=frozenset({broken}))
    assert [fault for fault in faults_of(made) if fault[0].startswith(broken)] == []


@pytest.mark.parametrize(
    ("broken", "path", "sound"),
    [
        ("lines.1.code", "lines", False),
        ("lines.1.code", "lines.1", False),
        ("lines.1.code", "lines.1.code", False),
        ("lines.1.code", "lines.1.code.deeper", False),
        ("lines.1.code", "lines.10", True),
        ("lines.1.code", "lines.1.cod", True),
        ("lines.1", "lines.1.code", False),
        ("receiver", "receiver.foreign_id.country", False),
        ("receiver", "receivers", True),
        ("." * 100_000, "lines", True),
    ],
)
def test_a_path_is_sound_unless_it_meets_a_broken_one(broken: str, path: str, sound: bool) -> None:
    assert Draft(broken=frozenset({broken})).sound(path) is sound


MOST = Decimal("999999999999.99")


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"lines": [line(), line(unit_price=MOST, itbms_rate="01")]}, "lines.1"),
        ({"lines": [line(quantity=Decimal("99999999999.999999"), unit_price=MOST)]}, "lines.0"),
        ({"lines": [line(unit_price=MOST, itbms_rate="00")] * 2}, "lines"),
        ({"lines": [line(unit_price=MOST, itbms_rate="00")], "freight": Decimal("0.01")}, "lines"),
        (
            {
                "lines": [line(unit_price=MOST, itbms_rate="00")] * 2,
                "discounts": [Discount("Promoción", MOST)],
            },
            "lines",
        ),
        (
            {"lines": [line(isc_rate=Decimal(5), isc_amount=MOST)]},
            "lines.0",
        ),
        ({"lines": [line(other_taxes=[OtherTax("10", MOST)])]}, "lines.0"),
    ],
)
def test_amounts_that_fit_no_column_are_refused(changes: dict[str, Any], path: str) -> None:
    assert faults_of(draft(**changes)) == [(path, "amount_too_large", None)]


def test_the_largest_amount_is_the_largest_that_can_be_paid() -> None:
    faults, reckoning = judged(draft(lines=[line(unit_price=MOST, itbms_rate="00")]))
    assert not faults
    assert reckoning is not None
    assert reckoning.totals.total == MOST


MILLION = line(quantity=Decimal(10), unit_price=Decimal("100000.00"), itbms_rate="00")


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"issued_at": NOW - timedelta(days=30)}, []),
        ({"issued_at": NOW - timedelta(days=30, seconds=1)}, ["issued_long_ago"]),
        ({"receiver": consumer(), "lines": [line(unit_price=Decimal("9345.79"))]}, []),
        (
            {"receiver": consumer(), "lines": [line(unit_price=Decimal("9345.80"))]},
            ["high_total_for_consumer"],
        ),
        ({"lines": [line(unit_price=Decimal("9345.80"))]}, []),
        ({"lines": [MILLION]}, []),
        ({"lines": [MILLION], "freight": Decimal("0.01")}, ["high_total"]),
    ],
)
def test_what_the_dgi_only_notifies_is_a_warning(changes: dict[str, Any], codes: list[str]) -> None:
    made = draft(**changes)
    faults, reckoning = judged(made)
    assert not faults
    assert reckoning is not None
    told = rules.warnings(made, reckoning, now=NOW, note_window=WINDOW)
    assert [found["code"] for found in told] == codes


def test_a_fault_says_the_dgis_code_in_its_sentence() -> None:
    assert str(Fault("a", "b", "Mend this.", "2510")) == "Mend this. (DGI 2510)"
    assert str(Fault("a", "b", "Mend this.")) == "Mend this."
