import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.dgi.shapes import is_coordinates, is_cpbs, is_currency, is_location, is_phone

NEVER = ["", " ", "٨-٨-٧", "8-8-7\n", "\x00"]


@pytest.mark.parametrize("text", ["8-8-7", "1-1-1", "13-99-99", "10-10-10"])
def test_a_location_is_province_district_and_corregimiento(text):
    assert is_location(text)


@pytest.mark.parametrize(
    "text",
    [*NEVER, "08-8-7", "8-08-7", "8-8-07", "0-1-1", "14-1-1", "8-8", "8-8-7-1", "8-0-1", "8-100-1"],
)
def test_nothing_else_is_a_location(text):
    assert not is_location(text)


@pytest.mark.parametrize("text", ["269-1234", "6123-4567"])
def test_a_phone_has_seven_or_eight_digits(text):
    assert is_phone(text)


@pytest.mark.parametrize(
    "text",
    [
        *NEVER,
        "2691234",
        "69-1234",
        "26912-1234",
        "269-123",
        "269 1234",
        "+507 269-1234",
        "٢٦٩-1234",
    ],
)
def test_nothing_else_is_a_phone(text):
    assert not is_phone(text)


@pytest.mark.parametrize("text", ["8111", "1010"])
def test_a_cpbs_code_is_a_family(text):
    assert is_cpbs(text)


@pytest.mark.parametrize("text", [*NEVER, "81", "811", "81112", "81-11", "８１１１", "81 1"])
def test_a_segment_alone_is_not_a_cpbs_code(text):
    assert not is_cpbs(text)


@pytest.mark.parametrize(
    "text", ["+9.0017832,-79.5275519", "9.0,-79.5", "-90,180", "0,0", "+90.0,-180.000"]
)
def test_coordinates_are_latitude_and_longitude(text):
    assert is_coordinates(text)


@pytest.mark.parametrize(
    "text",
    [*NEVER, "9.0", "9.0,", "9.0, -79.5", "9,0-79,5", "90.1,0", "0,180.1", "N9.0,W79.5", "9.,-79.",
     "nan,inf", "1e1,0"],
)  # fmt: skip
def test_nothing_else_is_coordinates(text):
    assert not is_coordinates(text)


@given(st.one_of(st.text(), st.text("0123456789-+.,٣")))
def test_any_text_gets_an_answer(text):
    for shape in (is_location, is_phone, is_cpbs, is_coordinates):
        assert shape(text) in {True, False}


@pytest.mark.parametrize("text", ["USD", "EUR", "PAB", "COP"])
def test_a_currency_is_a_code_of_iso_4217(text):
    assert is_currency(text)


@pytest.mark.parametrize("text", [*NEVER, "usd", "Usd", "US", "USDX", "QQQ", "840", "ＵＳＤ"])
def test_nothing_else_is_a_currency(text):
    assert not is_currency(text)
