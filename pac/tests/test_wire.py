import json
from decimal import Decimal
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac import wire


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("100.00"), "100.00"),
        (Decimal("0.385"), "0.385"),
        (Decimal("1E+2"), "100"),
        (Decimal("1E-7"), "0.0000001"),
        (Decimal("12345678901234567890.123456"), "12345678901234567890.123456"),
        (True, "true"),
        (7, "7"),
        (None, "null"),
        ({"a": [1, (Decimal("2.50"), "ñ\n")]}, '{"a":[1,[2.50,"ñ\\n"]]}'),
        (StrEnum("Kind", {"ONE": "one"}).ONE, '"one"'),
        (IntEnum("Number", {"ONE": 1}).ONE, "1"),
    ],
)
def test_every_digit_is_written_as_it_is(value, text):
    assert wire.encode(value) == text


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, {1: "a"}, {"a"}, b"a", object()])
def test_floats_and_strangers_are_refused(value):
    with pytest.raises(TypeError):
        wire.encode(value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="no JSON number"):
        wire.encode(Decimal(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.decimals(-(10**12), 10**12),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON)
def test_what_is_written_is_json_with_the_same_values(value):
    assert json.loads(wire.encode(value), parse_float=Decimal) == value


def test_decimals_are_read_digit_by_digit():
    assert str(wire.decode(b'{"total": 223.30}')["total"]) == "223.30"


def test_text_that_a_database_refuses_is_replaced():
    assert wire.decode(rb'{"a\u0000": ["\u0000b", "\ud800"]}') == {"a\ufffd": ["\ufffdb", "?"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"NaN",
        b'{"a": Infinity}',
        b"\xff\xfe",
        b"[" * 100_000,
        b"[" * 65 + b"]" * 65,
        b"9" * 5000,
    ],
)
def test_what_is_not_json_is_a_value_error(body):
    with pytest.raises(ValueError):
        wire.decode(body)
