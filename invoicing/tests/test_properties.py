"""What holds of any draft: the PAC takes what the rule book lets pass, and no cent drifts."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ulid import ULID

from invoicing.fiscal import rules
from invoicing.fiscal.complete import Reckoning, complete, reckon
from invoicing.fiscal.draft import (
    Contingency,
    Discount,
    Draft,
    Line,
    OtherTax,
    PaymentMethod,
    Receiver,
)
from invoicing.fiscal.payload import build_payload
from invoicing.models import Document
from invoicing.services.issue import content_columns, document_lines
from invoicing.tests.fiscal import consumer, draft, exportation, foreigner, line, receiver
from pac import wire
from pac.sandbox.kinds import Kind
from pac.sandbox.rules import check_document
from pac.sandbox.rules.money import amounts_of
from tenants.models import Office

RANDOM = settings(max_examples=150, deadline=None, database=None)
NOW = datetime.fromisoformat("2026-11-20T12:00:00-05:00")

CENTS = st.decimals("0.01", "5000", places=2)
RATES = st.sampled_from(["00", "01", "02", "03"])
TAXES = st.lists(
    st.builds(OtherTax, st.sampled_from(["01", "02", "10", "11"]), CENTS),
    max_size=3,
    unique_by=lambda tax: tax.code,
)


@st.composite
def lines(draw: st.DrawFn) -> Line:
    price = draw(st.decimals("0", "5000", places=6))
    discount = (price * draw(st.sampled_from([0, 0, 1, 3])) / 7).quantize(Decimal("0.000001"))
    isc = draw(st.none() | CENTS)
    return line(
        code=draw(st.sampled_from(["", "SRV-01", "x" * 20])),
        quantity=draw(st.decimals("0.000001", "500", places=6)),
        unit=draw(st.sampled_from(["und", "kg", "Caja"])),
        unit_price=price,
        unit_discount=min(discount, price),
        itbms_rate=draw(RATES),
        cpbs_code="8111",
        isc_rate=isc and Decimal(5),
        isc_amount=isc or Decimal(0),
        other_taxes=draw(TAXES),
    )


KINDS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"dgi_document_type": "01"},
        {"dgi_document_type": "02", "exportation": exportation(), "nature": "21"},
        {"dgi_document_type": "03", "exportation": exportation(port="Balboa")},
        {"dgi_document_type": "08"},
        {"dgi_document_type": "08", "destination": 2},
        {"dgi_document_type": "09"},
        {"dgi_document_type": "10", "destination": 2, "nature": "04"},
        {"issue_type": "02", "contingency": Contingency(NOW, "Caída del enlace de internet")},
        {"issue_type": "03"},
    ]
)
RECEIVERS: st.SearchStrategy[Receiver] = st.sampled_from(
    [
        receiver(),
        receiver(type="GOBIERNO", emails=["a@b.test"] * 5),
        receiver(ruc="8-274-125", ruc_type="NATURAL", phones=["269-1234"]),
        consumer(),
        consumer(name="Mesa 4", ruc="8-274-125", ruc_type="NATURAL"),
        foreigner(),
        foreigner(country="ZZ", other_country="Atlántida"),
    ]
)
METHODS = st.lists(
    st.builds(
        lambda code, amount: PaymentMethod(
            code, amount, "Canje por publicidad" if code == "99" else ""
        ),
        st.sampled_from(["01", "02", "03", "08", "99"]),
        CENTS,
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    """Drafts of every kind: most are sound, and some are not."""
    return draft(
        receiver=draw(RECEIVERS),
        lines=draw(st.lists(lines(), min_size=1, max_size=4)),
        discounts=draw(st.lists(st.builds(Discount, st.just("Promoción"), CENTS), max_size=2)),
        freight=draw(st.just(Decimal(0)) | CENTS),
        insurance=draw(st.just(Decimal(0)) | CENTS),
        due_date=draw(st.sampled_from([None, date(2026, 12, 20)])),
        retention_code=draw(st.sampled_from([None, "1", "2", "4"])),
        sale_type=draw(st.integers(1, 4)),
        notes=draw(st.sampled_from(["", "Orden de compra 77"])),
        **draw(KINDS),
    )


@st.composite
def paid_by_hand(draw: st.DrawFn) -> Draft:
    """The same, paid by these methods, and in cash or on credit what they do not reach."""
    made = draw(drafts())
    made.payment_methods = draw(METHODS)
    missing = reckon(made).totals.total - sum(method.amount for method in made.payment_methods)
    if missing > 0:
        code = draw(st.sampled_from(["01", "02"]))
        made.payment_methods.append(PaymentMethod(code, missing))
    return made


def sent_to_the_pac(made: Draft, reckoning: Reckoning) -> Any:
    """The payload as the PAC reads it; nothing is stored."""
    office = Office(code="0001", pac_office_id=str(ULID()))
    columns = content_columns(office, made, reckoning, NOW)
    document = Document(number="0000000123", security_code="481516234", **columns)
    made_lines = document_lines(document, made, reckoning)
    return json.loads(wire.encode(build_payload(document, made_lines)), parse_float=Decimal)


@RANDOM
@given(drafts() | paid_by_hand())
def test_what_the_rule_book_lets_pass_the_strict_pac_takes_to_the_cent(made: Draft) -> None:
    complete(made, now=NOW, billing_point="001")
    faults, reckoning = rules.check(made, now=NOW)
    if faults:
        return
    assert reckoning is not None
    payload = sent_to_the_pac(made, reckoning)
    assert check_document(Kind.INVOICE, payload, NOW).problems == []
    theirs, ours = amounts_of(payload), reckoning.totals
    assert theirs == ours
    assert sum(each.total for each in reckoning.lines) == ours.net + ours.taxes
    charges = made.freight + made.insurance + made.other_expenses
    assert ours.total == ours.net + ours.taxes + charges - ours.discount


@RANDOM
@given(st.lists(lines(), min_size=1, max_size=6), st.randoms())
def test_neither_order_nor_splitting_of_the_lines_moves_a_cent(
    given_lines: list[Line], chance: Any
) -> None:
    whole = reckon(draft(lines=given_lines)).totals
    shuffled = list(given_lines)
    chance.shuffle(shuffled)
    assert reckon(draft(lines=shuffled)).totals == whole
    parts = [reckon(draft(lines=[each])).totals for each in given_lines]
    for name in ("net", "itbms", "isc", "other_taxes", "taxes", "total"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)
