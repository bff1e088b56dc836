import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.dgi import ruc as ruc_rules
from pac.dgi.cufe import Cufe, MalformedCufe, build, check_digit, parse
from pac.dgi.ruc import RucType
from pac.tests.dgi import vectors

PUBLISHED = vectors.load("cufe")["cufe"]
EXAMPLE = PUBLISHED[0]["cufe"]

FIELDS = {
    "document_type": "01",
    "ruc_type": RucType.JURIDICO,
    "ruc": "155596713-2-2015",
    "dv": "59",
    "branch": "0000",
    "issued_on": date(2020, 7, 13),
    "number": "0000018580",
    "billing_point": "052",
    "issue_type": "01",
    "environment": 2,
    "security_code": "412159637",
}


def fields_of(vector: dict[str, str]) -> Cufe:
    return Cufe(
        document_type=vector["iDoc"],
        ruc_type=RucType.NATURAL if vector["dTipoRuc"] == "1" else RucType.JURIDICO,
        ruc=vector["dRuc"],
        dv=vector["dDV"],
        branch=vector["dSucEm"],
        issued_on=date.fromisoformat(vector["fecha"]),
        number=vector["dNroDF"],
        billing_point=vector["dPtoFacDF"],
        issue_type=vector["iTpEmis"],
        environment=int(vector["iAmb"]),
        security_code=vector["dSeg"],
    )


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["cufe"])
def test_it_takes_every_published_cufe_apart_and_builds_it_again(vector):
    assert parse(vector["cufe"]) == fields_of(vector)
    assert str(fields_of(vector)) == vector["cufe"]


@pytest.mark.parametrize("vector", PUBLISHED, ids=lambda vector: vector["cufe"])
def test_every_published_cufe_carries_the_dv_of_its_ruc(vector):
    cufe = parse(vector["cufe"])
    assert ruc_rules.check_digit(cufe.ruc, cufe.ruc_type) == cufe.dv


def test_build_gives_the_66_characters():
    assert build(**FIELDS) == EXAMPLE


def test_a_letter_in_the_ruc_counts_by_its_ascii_code():
    """N is 78 and counts 8, T is 84 and counts 4: as if the RUC had those digits."""
    lettered = build(**FIELDS | {"ruc": "8-NT-1-24", "ruc_type": RucType.NATURAL, "dv": "33"})
    assert len(lettered) == 66
    assert lettered[5:25] == "8-NT-1-24".rjust(20, "0")
    assert lettered[-1] == check_digit(lettered[2:-1].replace("NT", "84"))


def test_leading_zeros_of_the_ruc_are_taken_for_padding():
    padded = parse(build(**FIELDS | {"ruc": "8-1-1"}))
    assert padded.ruc == "8-1-1"
    with pytest.raises(MalformedCufe, match="without leading zeros"):
        build(**FIELDS | {"ruc": "08-1-1"})


def test_a_branch_may_have_letters():
    assert parse(build(**FIELDS | {"branch": "A1Z9"})).branch == "A1Z9"


def test_an_early_year_keeps_its_four_digits():
    assert build(**FIELDS | {"issued_on": date(20, 7, 13)})[32:40] == "00200713"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "66 characters, this has 0"),
        (EXAMPLE[:-1], "66 characters, this has 65"),
        (EXAMPLE + "\n", "66 characters, this has 67"),
        ("fe" + EXAMPLE[2:], "begins with FE"),
        (EXAMPLE[:25] + "5" + EXAMPLE[26:], "parted by a hyphen"),
        ("FEA1" + EXAMPLE[4:], "document_type must be 2 digits"),
        (EXAMPLE[:4] + "3" + EXAMPLE[5:], "ruc_type must be 1 or 2"),
        (EXAMPLE[:5] + "0" * 20 + EXAMPLE[25:], "ruc must be"),
        (EXAMPLE[:9] + "/" + EXAMPLE[10:], "ruc must be"),
        (EXAMPLE[:26] + "X9" + EXAMPLE[28:], "dv must be 2 digits"),
        (EXAMPLE[:28] + "00a0" + EXAMPLE[32:], "branch must be 4 digits or capitals"),
        (EXAMPLE[:32] + "20210229" + EXAMPLE[40:], "real AAAAMMDD, not '20210229'"),
        (EXAMPLE[:32] + "2021-2-9" + EXAMPLE[40:], "real AAAAMMDD"),
        (EXAMPLE[:40] + "00000 8580" + EXAMPLE[50:], "number must be 10 digits"),
        (EXAMPLE[:50] + "٠٥٢" + EXAMPLE[53:], "billing_point must be 3 digits"),
        (EXAMPLE[:53] + "0x" + EXAMPLE[55:], "issue_type must be 2 digits"),
        (EXAMPLE[:55] + "3" + EXAMPLE[56:], "environment must be 1 or 2"),
        (EXAMPLE[:56] + "41215963-" + EXAMPLE[65:], "security_code must be 9 digits"),
        (EXAMPLE[:65] + "3", "check digit must be 2, not '3'"),
        (EXAMPLE[:65] + "\n", "check digit must be 2"),
    ],
)
def test_the_complaint_says_which_part_is_wrong(text, complaint):
    with pytest.raises(MalformedCufe, match=re.escape(complaint)):
        parse(text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("document_type", "1"),
        ("ruc", ""),
        ("ruc", "1" * 21),
        ("ruc", "8-nt-1-24"),
        ("dv", "-59"),
        ("branch", "00001"),
        ("number", "18580"),
        ("billing_point", "52"),
        ("issue_type", "1"),
        ("environment", 0),
        ("security_code", "41215963"),
    ],
)
def test_a_field_that_does_not_fit_is_never_built(field, value):
    with pytest.raises(MalformedCufe, match=f"{field} must be"):
        build(**FIELDS | {field: value})


def test_a_moment_is_not_taken_for_a_panamanian_date():
    """At 02:00 UTC it is still the day before in Panama."""
    with pytest.raises(TypeError):
        build(**FIELDS | {"issued_on": datetime(2020, 7, 14, 2, tzinfo=UTC)})


@pytest.mark.parametrize("body", ["", "1" * 62, "1" * 64, "1" * 62 + "a", "1" * 62 + "٣"])
def test_the_check_digit_wants_its_63_characters(body):
    with pytest.raises(MalformedCufe):
        check_digit(body)


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text("0123456789", min_size=length, max_size=length)


cufes = st.builds(
    Cufe,
    document_type=digits(2),
    ruc_type=st.sampled_from(RucType),
    ruc=st.from_regex(r"\A[1-9A-Z][0-9A-Z-]{0,19}\Z"),
    dv=digits(2),
    branch=st.text("0123456789ABCXYZ", min_size=4, max_size=4),
    issued_on=st.dates(),
    number=digits(10),
    billing_point=digits(3),
    issue_type=digits(2),
    environment=st.sampled_from([1, 2]),
    security_code=digits(9),
)


@given(cufes)
def test_whatever_is_built_reads_back_the_same(cufe):
    text = str(cufe)
    assert len(text) == 66
    assert parse(text) == cufe


@given(cufes, st.data())
def test_changing_any_one_digit_is_noticed(cufe, data):
    text = str(cufe)
    places = [place for place, character in enumerate(text) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != text[place]]))
    with pytest.raises(MalformedCufe):
        parse(text[:place] + other + text[place + 1 :])


@given(cufes, st.data())
def test_the_check_digit_itself_changes_with_any_one_digit(cufe, data):
    body = str(cufe)[2:-1]
    places = [place for place, character in enumerate(body) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != body[place]]))
    assert check_digit(body[:place] + other + body[place + 1 :]) != check_digit(body)


@given(st.one_of(st.text(), st.text("FE0123456789-NT\n٣", min_size=66, max_size=66)))
def test_it_never_raises_anything_but_malformed_cufe(text):
    try:
        cufe = parse(text)
    except MalformedCufe:
        return
    assert str(cufe) == text
