import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.dgi.ruc import MalformedRuc, RucForm, RucType, check_digit, parse
from pac.tests.dgi import vectors

PAIRS = [
    pytest.param(pair["ruc"], pair["kind"], pair["dv"], id=f"{pair['ruc']}-{pair['kind']}")
    for source, pairs in vectors.load("ruc_dv").items()
    if source != "about"
    for pair in pairs
]


def type_of(kind: str) -> RucType:
    return RucType.NATURAL if kind.startswith("natural") else RucType.JURIDICO


@pytest.mark.parametrize(("ruc", "kind", "dv"), PAIRS)
def test_it_gives_the_digit_of_every_published_pair(ruc, kind, dv):
    assert check_digit(ruc, type_of(kind)) == dv


def test_every_published_pair_is_tested():
    assert len(PAIRS) == 145


def test_the_type_decides_the_digit_where_the_text_is_ambiguous():
    assert check_digit("8-NT-1-123456", RucType.NATURAL) == "76"
    assert check_digit("8-NT-1-123456", RucType.JURIDICO) == "52"


@pytest.mark.parametrize(
    ("ruc", "number"),
    [
        # Worked by hand from the DGI's layout, since no published pair has these shapes.
        ("PE-1234-5678", "5" "82" "75" "1234" "05678"),
        ("N-1234-123456", "5" "92" "40" "1234" "123456"),
        ("E-1234-123456", "5" "66" "50" "1234" "123456"),
        ("13PI-1234-5", "5" "9595" "1234" "00005"),
        ("PE-12-123456", "5" "00" "75" "012" "12345"),
        ("8-1-123456", "5" "08" "00" "001" "12345"),
    ],
)  # fmt: skip
def test_it_lays_out_the_shapes_without_a_published_pair(ruc, number):
    first = by_the_book(number)
    assert check_digit(ruc, RucType.NATURAL) == first + by_the_book(number + first)


def by_the_book(number: str, weights: Sequence[int] = range(2, 23)) -> str:
    total = sum(
        int(digit) * weight for digit, weight in zip(reversed(number), weights, strict=False)
    )
    return "0" if total % 11 < 2 else str(11 - total % 11)


OLD_WEIGHTS = [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]

CROSS_REFERENCE = """
00-00 10-01 11-02 12-03 13-04 14-05 15-06 16-07 17-08 18-09 19-01 20-02 21-03 22-04 23-07 24-08
25-09 26-02 27-03 28-04 29-05 30-06 31-07 32-08 33-09 34-01 35-02 36-03 37-04 38-05 39-06 40-07
41-08 42-09 43-01 44-02 45-03 46-04 47-05 48-06 49-07 01-01 05-05 09-09
"""


@pytest.mark.parametrize("entry", CROSS_REFERENCE.split())
def test_the_old_format_goes_through_the_cross_reference(entry):
    digits, replacement = entry.split("-")
    group = f"{digits}321".lstrip("0")
    number = f"00000{replacement}3210001000001"
    first = by_the_book(number, OLD_WEIGHTS)
    second = by_the_book(number + first, OLD_WEIGHTS)
    assert check_digit(f"{group}-1-1", RucType.JURIDICO) == first + second


@pytest.mark.parametrize("group", ["50000", "99321", "100321", "1000321"])
def test_the_new_format_begins_at_fifty_thousand(group):
    assert check_digit(f"{group}-1-1", RucType.JURIDICO)[0] == by_the_book(
        f"{group:0>10}0001000001"
    )


def test_it_forgives_spaces_and_lower_case():
    ruc = parse("  8-nt-1-24\n", RucType.NATURAL)
    assert (ruc.text, ruc.dv) == ("8-NT-1-24", "33")


@pytest.mark.parametrize(
    ("text", "ruc_type", "form", "groups"),
    [
        ("13-123-456", RucType.NATURAL, RucForm.CEDULA, ("13", "123", "456")),
        ("PE-842-3681", RucType.NATURAL, RucForm.LETTERED, ("PE", "842", "3681")),
        ("10AV-1-2", RucType.NATURAL, RucForm.PROVINCIAL, ("10", "AV", "1", "2")),
        ("8-NT-1-2", RucType.JURIDICO, RucForm.NT, ("8", "1", "2")),
        ("45400-2-299934", RucType.JURIDICO, RucForm.REGISTRY, ("45400", "2", "299934")),
    ],
)
def test_it_takes_a_ruc_apart(text, ruc_type, form, groups):
    ruc = parse(text, ruc_type)
    assert (ruc.form, ruc.groups) == (form, groups)


@pytest.mark.parametrize("province", range(1, 14))
def test_it_knows_the_thirteen_provinces(province):
    assert parse(f"{province}-1-1", RucType.NATURAL).groups[0] == str(province)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "8",
        "8-274",
        "0-1-1",
        "14-1-1",
        "08-274-125",
        "8-12345-1",
        "8-1-1234567",
        "8--1",
        "8-274-125-91",
        "8 274 125",
        "8-274-125 DV 91",
        "X-1-1",
        "AV-1-1",
        "8-AV-1-1",
        "8-NT-1234-1",
        "8-NT-1-1234567",
        "155596713-2-2015",
        "+8-1-1",
        "8-1-1\x00",
        "٨-٢٧٤-١٢٥",
        "８-274-125",
        "8-²74-125",
        "8Pı-1-80",
    ],
)
def test_it_refuses_what_no_natural_person_has(text):
    with pytest.raises(MalformedRuc):
        check_digit(text, RucType.NATURAL)


@pytest.mark.parametrize(
    "text",
    [
        "E-8-96407",
        "8AV-1-196",
        "12345678901-1-1",
        "1-12345-1",
        "1-1-1234567",
        "1234567890-1234-123456",
        "0155596713-2-2015",
        "8-NT-1-12345678",
        "14-NT-1-1",
        "155596713-2-2015-59",
    ],
)
def test_it_refuses_what_no_juridical_person_has(text):
    with pytest.raises(MalformedRuc):
        check_digit(text, RucType.JURIDICO)


def test_the_refusal_says_how_a_ruc_is_written():
    with pytest.raises(MalformedRuc, match=r"'8274125' is not the RUC of a natural .*8-123-456"):
        parse("8274125", RucType.NATURAL)


def test_the_refusal_does_not_repeat_a_long_text():
    with pytest.raises(MalformedRuc) as refusal:
        parse("9" * 100_000, RucType.JURIDICO)
    assert len(str(refusal.value)) < 200


def test_the_types_have_the_dgi_codes():
    assert [ruc_type.code for ruc_type in RucType] == [1, 2]


ruc_types = st.sampled_from(RucType)
nearly_rucs = st.text(alphabet="0123456789-ENPAVIT ٣８²enı", max_size=24)


@given(st.one_of(st.text(), nearly_rucs), ruc_types)
def test_it_answers_two_digits_or_malformed_ruc_whatever_comes_in(text, ruc_type):
    try:
        dv = check_digit(text, ruc_type)
    except MalformedRuc:
        return
    assert re.fullmatch("[0-9]{2}", dv)


@given(
    st.one_of(
        st.tuples(
            st.from_regex(r"([1-9]|1[0-3])(-NT|AV|PI)?-[0-9]{1,3}-[0-9]{1,6}", fullmatch=True),
            st.just(RucType.NATURAL),
        ),
        st.tuples(
            st.from_regex(r"[1-9][0-9]{0,8}-[0-9]{1,4}-[0-9]{1,4}", fullmatch=True),
            st.just(RucType.JURIDICO),
        ),
    )
)
def test_the_canonical_text_reads_back_to_itself(drawn):
    text, ruc_type = drawn
    ruc = parse(text, ruc_type)
    assert parse(ruc.text, ruc_type) == ruc
    assert ruc.text == text
