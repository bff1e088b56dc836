"""The rules on whatever is posted: judged without an exception, and added up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoicing.api.inputs import InvoiceInput, to_draft
from invoicing.api.thorough import read
from invoicing.fiscal import rules
from invoicing.fiscal.complete import complete
from invoicing.fiscal.draft import (
    Discount,
    OtherTax,
)
from invoicing.tests.fiscal import (
    NOW,
    draft,
    judged,
    line,
)

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


AMOUNT = st.sampled_from(
    ["0", "0.00", "-0", "1", "0.01", "107.00", "999999999999.99", "-5", "1e3", "NaN", "x", " 7 "]
)


WORD = st.sampled_from(
    [
        *("01", "02", "03", "00", "99", "8", "4", "PA", "ZZ", "CO", "XX", "8111", "8-8-7", "8-8-8"),
        *("NATURAL", "JURIDICO", "CONTRIBUYENTE", "CONSUMIDOR_FINAL", "GOBIERNO", "EXTRANJERO"),
        *("CREDIT", "IMMEDIATE", "MIXED", "155646463-2-2017", "Soporte", "269-1234", "FOB", "USD"),
        *("2026-11-20T10:00:00-05:00", "2099-12-22", "0001-01-01", "a@b.test", "DGI"),
    ]
)


def field_values(field: Any) -> st.SearchStrategy[Any]:
    """Values of the kind that a field takes, right and wrong, and now and then anything else."""
    child = getattr(field, "child", None)
    if hasattr(field, "fields"):
        inner = st.fixed_dictionaries(
            {}, optional={name: field_values(part) for name, part in field.fields.items()}
        )
    elif child is not None and not isinstance(child, str):
        inner = st.lists(field_values(child), max_size=3)
    else:
        inner = st.integers(0, 3) | AMOUNT | WORD
    return st.one_of(inner, inner, inner, inner, inner, ANYTHING)


BODY = st.fixed_dictionaries(
    {}, optional={name: field_values(field) for name, field in InvoiceInput().fields.items()}
)


RANDOM = settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@RANDOM
@given(BODY)
def test_whatever_is_posted_is_judged_without_an_exception(posted: dict[str, Any]) -> None:
    found, faults = read(InvoiceInput(), posted)
    made = to_draft(found, faults)
    complete(made, now=NOW, billing_point="001")
    told, reckoning = rules.check(made, now=NOW)
    assert all(fault.path and fault.code and fault.message for fault in told)
    if not faults and not told:
        assert reckoning is not None


CENTS = st.decimals("0", "10000", places=2)


PRICES = st.decimals("0", "10000", places=6)


LINES = st.builds(
    lambda price, share, **values: line(unit_price=price, unit_discount=price * share, **values),
    PRICES,
    st.sampled_from([Decimal(0), Decimal("0.5"), Decimal(1)]),
    quantity=st.decimals("0.000001", "1000", places=6),
    itbms_rate=st.sampled_from(["00", "01", "02", "03"]),
    other_taxes=st.lists(
        st.builds(OtherTax, st.sampled_from(["01", "02", "10"]), CENTS),
        max_size=2,
        unique_by=lambda tax: tax.code,
    ),
)


@RANDOM
@given(
    lines=st.lists(LINES, min_size=1, max_size=5),
    freight=CENTS,
    insurance=CENTS,
    discounts=st.lists(
        st.builds(Discount, st.just("Promoción"), st.decimals("0.01", "50", places=2)), max_size=2
    ),
    retention_code=st.sampled_from([None, "1", "2", "3", "4", "7"]),
    due_date=st.sampled_from([None, date(2026, 12, 20)]),
)
def test_the_lines_of_a_sound_document_add_up_to_its_total(**values: Any) -> None:
    made = draft(**values)
    faults, reckoning = judged(made)
    if faults:
        # Nothing but discounts or withholding above the little that there is can be wrong here.
        assert {path for path, _, _ in faults} <= {"discounts", "retention_amount"}
        return
    assert reckoning is not None
    totals = reckoning.totals
    lines = sum(part.total for part in reckoning.lines)
    discounts = sum(discount.amount for discount in made.discounts)
    assert totals.total == lines + made.freight + made.insurance - discounts
    assert lines == totals.net + totals.taxes
    assert totals.taxes == totals.itbms + totals.isc + totals.other_taxes
    assert reckoning.due == totals.total - reckoning.retention >= 0
    assert made.payment_methods is not None
    assert sum(method.amount for method in made.payment_methods) == totals.total
    assert sum(part.amount for part in made.installments or []) == (
        totals.total if made.due_date else 0
    )
    assert all(amount == round(amount, 2) for amount in (totals.total, reckoning.retention))
