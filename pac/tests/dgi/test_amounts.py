import decimal
from dataclasses import asdict
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.dgi.amounts import (
    LineAmounts,
    Totals,
    cents,
    document_totals,
    line_amounts,
    retention_amount,
)
from pac.dgi.codes import ITBMS_RATES
from pac.tests.dgi import vectors

CASES = vectors.load("totals")["cases"]


def line_of(fields: dict) -> LineAmounts:
    return line_amounts(
        quantity=Decimal(fields["quantity"]),
        unit_price=Decimal(fields["unit_price"]),
        unit_discount=Decimal(fields.get("unit_discount", 0)),
        itbms_rate=fields["itbms_rate"],
        isc_amount=Decimal(fields.get("isc_amount", 0)),
        other_taxes=[Decimal(tax["amount"]) for tax in fields.get("other_taxes", [])],
    )


def totals_of(document: dict) -> Totals:
    return document_totals(
        [line_of(fields) for fields in document["lines"]],
        discounts=[Decimal(discount["amount"]) for discount in document.get("discounts", [])],
        freight=Decimal(document.get("freight", 0)),
    )


def texts(amounts: LineAmounts | Totals, names: dict) -> dict[str, str]:
    """As text, so that a missing or superfluous decimal shows."""
    return {name: str(value) for name, value in asdict(amounts).items() if name in names}


@pytest.mark.parametrize("case", CASES, ids=range(len(CASES)))
def test_every_known_document_comes_to_its_amounts(case):
    document, expected = case["input"], case["expected"]
    for fields, line in zip(document["lines"], expected["lines"], strict=True):
        assert texts(line_of(fields), line) == line
    totals = totals_of(document)
    answer = texts(totals, expected["totals"])
    if code := document.get("retention_code"):
        answer["retention"] = str(retention_amount(code, totals.itbms))
    assert answer == expected["totals"]


def test_every_known_document_is_tested():
    assert len(CASES) == 32


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.005", "0.01"),
        ("0.015", "0.02"),
        ("0.025", "0.03"),
        ("0.0049999999999999999999999999999999999999", "0.00"),
        ("-0.005", "-0.01"),
        ("-0.004", "0.00"),
        ("-0", "0.00"),
        ("7", "7.00"),
        ("1E+3", "1000.00"),
        ("99999999999999.995", "100000000000000.00"),
        ("12345678901234567890123456789012345.675", "12345678901234567890123456789012345.68"),
    ],
)
def test_cents_round_half_up(value, rounded):
    assert str(cents(Decimal(value))) == rounded


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_no_amount(value):
    with pytest.raises(ValueError, match="not an amount"):
        cents(Decimal(value))


def test_the_caller_s_decimal_context_does_not_matter():
    with decimal.localcontext() as context:
        context.prec = 3
        context.rounding = decimal.ROUND_DOWN
        line = line_amounts(quantity=Decimal("3"), unit_price=Decimal("12345.335"), itbms_rate="01")
        totals = document_totals([line, line], discounts=[Decimal("0.005")])
    assert (line.net, line.itbms) == (Decimal("37036.01"), Decimal("2592.52"))
    assert totals.total == Decimal("79257.05")


def test_fourteen_digits_lose_nothing():
    line = line_amounts(
        quantity=Decimal("99999999999999.999999"),
        unit_price=Decimal("99999999999999.999999"),
        itbms_rate="01",
    )
    net = (10**20 - 1) ** 2  # in units of 10^-12
    assert line.net == Decimal((net + 5 * 10**9) // 10**10).scaleb(-2)
    hundredths = int(line.net * 100)
    assert line.itbms == Decimal((hundredths * 7 + 50) // 100) / 100
    totals = document_totals([line] * 1000)
    assert int(totals.total * 100) == 1000 * int(line.total * 100)


def test_figures_beyond_the_working_precision_raise_instead_of_losing_digits():
    with pytest.raises(ArithmeticError):
        line_amounts(quantity=Decimal("1E+99"), unit_price=Decimal("1.01"), itbms_rate="00")
    with pytest.raises(ArithmeticError):
        line_amounts(
            quantity=Decimal("1"), unit_price=Decimal("1E+60") + Decimal(1).scaleb(-60),
            unit_discount=Decimal(1).scaleb(-60), itbms_rate="00",
        )  # fmt: skip


def test_the_itbms_is_taken_from_the_rounded_net():
    line = line_amounts(quantity=Decimal(1), unit_price=Decimal("7.064"), itbms_rate="01")
    assert (line.net, line.itbms) == (Decimal("7.06"), Decimal("0.49"))
    line = line_amounts(quantity=Decimal(1), unit_price=Decimal("7.0650"), itbms_rate="01")
    assert (line.net, line.itbms) == (Decimal("7.07"), Decimal("0.49"))
    line = line_amounts(quantity=Decimal(1), unit_price=Decimal("9.9951"), itbms_rate="03")
    assert (line.net, line.itbms) == (Decimal("10.00"), Decimal("1.50"))


def test_the_itbms_is_rounded_half_up_on_each_line_and_then_summed():
    line = line_amounts(quantity=Decimal(1), unit_price=Decimal("0.50"), itbms_rate="01")
    assert line.itbms == Decimal("0.04")
    assert document_totals([line] * 10).itbms == Decimal("0.40")


def test_isc_and_other_taxes_add_to_the_line_and_bear_no_itbms():
    line = line_amounts(
        quantity=Decimal(1),
        unit_price=Decimal(100),
        itbms_rate="01",
        isc_amount=Decimal("5.005"),
        other_taxes=iter([Decimal("1.005"), Decimal("2.005")]),
    )
    assert asdict(line) == {
        "net": Decimal("100.00"),
        "itbms": Decimal("7.00"),
        "isc": Decimal("5.01"),
        "other_taxes": Decimal("3.02"),
        "total": Decimal("115.03"),
    }


def test_charges_and_discounts_change_the_total_only():
    line = line_amounts(quantity=Decimal(1), unit_price=Decimal(100), itbms_rate="01")
    totals = document_totals(
        iter([line]),
        discounts=iter([Decimal("10"), Decimal("0.5")]),
        freight=Decimal("1"),
        insurance=Decimal("2"),
        other_expenses=Decimal("4"),
    )
    assert asdict(totals) == {
        "net": Decimal("100.00"),
        "itbms": Decimal("7.00"),
        "isc": Decimal("0.00"),
        "other_taxes": Decimal("0.00"),
        "taxes": Decimal("7.00"),
        "discount": Decimal("10.50"),
        "total": Decimal("103.50"),
    }


def test_no_lines_come_to_nothing():
    assert {str(amount) for amount in asdict(document_totals([])).values()} == {"0.00"}


def test_an_unknown_itbms_rate_is_refused():
    with pytest.raises(ValueError, match="'07' is none of 00, 01, 02, 03"):
        line_amounts(quantity=Decimal(1), unit_price=Decimal(1), itbms_rate="07")


@pytest.mark.parametrize(
    ("code", "amount"),
    [("1", "13.31"), ("2", "6.66"), ("3", "13.31"), ("4", "6.66"), ("7", "6.66")],
)
def test_the_retention_is_a_part_of_the_itbms_rounded_half_up(code, amount):
    assert str(retention_amount(code, Decimal("13.31"))) == amount


def test_retention_code_8_takes_the_given_amount():
    assert retention_amount("8", Decimal("13.31"), Decimal("2.005")) == Decimal("2.01")
    with pytest.raises(ValueError, match="needs its amount"):
        retention_amount("8", Decimal("13.31"))


@pytest.mark.parametrize("code", ["", "0", "5", "6", "9", "01"])
def test_an_unknown_retention_code_is_refused(code):
    with pytest.raises(ValueError, match="is none of 1, 2, 3, 4, 7, 8"):
        retention_amount(code, Decimal("13.31"))


def amounts(places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(min_value=0, max_value=10**14, places=places)


lines = st.builds(
    line_amounts,
    quantity=amounts(6),
    unit_price=amounts(6),
    itbms_rate=st.sampled_from(sorted(ITBMS_RATES)),
    isc_amount=amounts(6),
    other_taxes=st.lists(amounts(6), max_size=3),
)


@given(
    st.lists(lines, max_size=20), st.lists(amounts(6), max_size=3), amounts(6), amounts(6)
)  # fmt: skip
def test_lines_and_document_never_drift_by_a_cent(drawn, discounts, freight, insurance):
    totals = document_totals(drawn, discounts=discounts, freight=freight, insurance=insurance)

    def in_cents(value: Decimal) -> int:
        assert value.as_tuple().exponent == -2
        return int(value.scaleb(2, decimal.Context(prec=200)))

    for name in ("net", "itbms", "isc", "other_taxes"):
        summed = sum(in_cents(getattr(line, name)) for line in drawn)
        assert in_cents(getattr(totals, name)) == summed
    assert in_cents(totals.taxes) == sum(
        in_cents(amount) for amount in (totals.itbms, totals.isc, totals.other_taxes)
    )
    charges = in_cents(cents(freight)) + in_cents(cents(insurance))
    assert in_cents(totals.total) == (
        in_cents(totals.net) + in_cents(totals.taxes) + charges - in_cents(totals.discount)
    )


@given(amounts(6))
def test_cents_agree_with_whole_number_arithmetic(value):
    millionths = int(value.scaleb(6))
    assert cents(value) == Decimal((millionths + 5_000) // 10_000).scaleb(-2)
    assert cents(cents(value)) == cents(value)
    assert cents(-value) == -cents(value)


@given(amounts(2), st.sampled_from(["1", "2", "3", "4", "7"]))
def test_the_retention_never_exceeds_the_itbms(itbms, code):
    assert 0 <= retention_amount(code, itbms) <= itbms
    full = code in {"1", "3"}
    half = (itbms / 2).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert retention_amount(code, itbms) == (itbms if full else half)
