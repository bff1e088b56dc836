"""Alanube computes the money; payments, instalments and withholding have to meet it."""

import json

import pytest

from pac.tests.sandbox.caller import CASH, codes, put

TOTAL = 223.30


def paid(alice, *methods, time=1, **totals):
    made = [{"type": method, "amount": amount} for method, amount in methods]
    return alice.invoice() | {"totals": {"paymentTime": time, "paymentMethods": made} | totals}


def instalments(*amounts):
    return [
        {"sequence": position, "dueDate": "2026-03-31T12:00:00-05:00", "amount": amount}
        for position, amount in enumerate(amounts, 1)
    ]


def test_payments_have_to_reach_the_total(alice):
    assert codes(alice.issue(paid(alice, ("08", 223.29)))) == ["2510"]
    alice.issued(paid(alice, ("08", 200), ("03", 23.30)))


def test_more_than_the_total_is_change_and_comes_out_of_cash(alice):
    assert codes(alice.issue(paid(alice, ("08", 240)))) == ["2511"]
    assert codes(alice.issue(paid(alice, ("08", 230), ("02", 5)))) == ["2511"]
    alice.issued(paid(alice, ("08", 200), ("02", 50)))


def test_instalments_add_up_to_what_is_on_credit(alice):
    mixed = [("02", 100), ("01", 123.30)]
    assert codes(alice.issue(paid(alice, *mixed, time=3))) == ["2512", "2508"]
    short = paid(alice, *mixed, time=3, installmentPayment=instalments(100, 23.29))
    assert codes(alice.issue(short)) == ["2508"]
    alice.issued(paid(alice, *mixed, time=3, installmentPayment=instalments(100, 23.30)))


def test_immediate_payment_has_no_instalments_and_no_credit(alice):
    given = paid(alice, ("02", TOTAL), installmentPayment=instalments(TOTAL))
    assert codes(alice.issue(given)) == ["2512", "2508"]
    assert codes(alice.issue(paid(alice, ("01", TOTAL)))) == ["2508"]


def test_instalments_are_numbered(alice):
    wrong = [each | {"sequence": 1} for each in instalments(123.30, 100)]
    body = paid(alice, ("01", TOTAL), time=2, installmentPayment=wrong)
    assert codes(alice.issue(body)) == ["2508"]


@pytest.mark.parametrize(
    ("retention", "accepted"),
    [
        ({"code": "4", "amount": 6.65}, True),
        ({"code": "1", "amount": 13.30}, True),
        ({"code": "4", "amount": 6.64}, False),
        ({"code": "8", "amount": 1.23}, True),
    ],
)
def test_withholding_is_its_part_of_the_itbms(alice, retention, accepted):
    answer = alice.issue(paid(alice, ("02", TOTAL), retention=retention))
    if accepted:
        assert answer.status_code == 201
    else:
        assert codes(answer) == ["2651"]


def test_method_99_says_what_it_is_and_the_others_do_not(alice):
    assert codes(alice.issue(paid(alice, ("99", TOTAL)))) == ["2601"]
    listed = paid(alice, ("02", TOTAL))
    listed["totals"]["paymentMethods"][0]["otherType"] = "Trueque por café"
    assert codes(alice.issue(listed)) == ["2602"]
    listed["totals"]["paymentMethods"][0]["type"] = "99"
    alice.issued(listed)


def test_there_are_at_most_ten_payment_methods(alice):
    assert codes(alice.issue(paid(alice, *[("08", 20.30)] * 11))) == ["VALIDATION"]


def test_lines_are_numbered_in_sequence(alice):
    assert codes(alice.issue(put(alice.invoice(), "items.1.number", "0003"))) == ["2001"]


def test_a_thousand_lines_are_allowed_and_one_more_is_not(alice):
    line = {"description": "Tornillo", "quantity": 1, "prices": {"transfer": 0}}
    items = [line | {"number": f"{n:04}", "itbms": {"rate": "00"}} for n in range(1, 1002)]
    totals = {"paymentTime": 1, "paymentMethods": [{"type": "02", "amount": 0}]}
    body = alice.invoice() | {"items": items, "totals": totals}
    assert codes(alice.issue(body)) == ["VALIDATION"]
    alice.issued(body | {"items": items[:1000]})


def test_a_discount_stays_within_its_price(alice):
    assert "2051" in codes(alice.issue(put(alice.invoice(), "items.0.prices.discount", 100.01)))


def test_a_tax_code_comes_once_per_line(alice):
    taxes = [{"code": "01", "amount": 1.00}] * 2
    body = alice.invoice() | {"totals": CASH}
    assert "2300" in codes(alice.issue(put(body, "items.0.otherTaxes", taxes)))


def test_a_document_discount_lowers_the_total_and_charges_raise_it(alice):
    extras = {"discounts": [{"description": "Lealtad", "amount": 3.30}], "transport": 10}
    alice.issued(paid(alice, ("08", 230), **extras))


def test_a_total_below_nothing_is_refused(alice):
    discounts = [{"description": "Todo y más", "amount": 300}]
    assert codes(alice.issue(paid(alice, ("02", 0), discounts=discounts))) == ["2507"]


def test_amounts_beyond_the_format_are_refused_not_computed(alice):
    body = json.dumps(alice.invoice()).replace('"transfer": 20.0', '"transfer": 1e999999')
    url = f"{alice.box.url}/pan/v1/invoices?idCompany={alice.ids.company_id}"
    answer = alice.session.post(url, body, headers={"Content-Type": "application/json"}, timeout=5)
    assert codes(answer) == ["VALIDATION"]
