from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pac.errors import (
    AlreadyVoid,
    Ambiguous,
    Duplicate,
    NotFound,
    PacError,
    PacFault,
    Rejected,
    Unauthorized,
    Unavailable,
    from_response,
    read_faults,
    read_message,
    retry_after_seconds,
)

CODES = frozenset({"1002", "1513"})


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (300, Ambiguous),
        (302, Ambiguous),
        (304, Ambiguous),
        (400, Rejected),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (405, NotFound),
        (407, Unavailable),
        (408, Ambiguous),
        (409, Rejected),
        (413, Rejected),
        (422, Rejected),
        (425, Unavailable),
        (429, Unavailable),
        (500, Ambiguous),
        (502, Ambiguous),
        (503, Ambiguous),
        (504, Ambiguous),
        (599, Ambiguous),
    ],
)
def test_each_status_has_one_meaning(status, meaning):
    error = from_response(status, {"message": "no"})
    assert type(error) is meaning
    assert (error.status, error.message, str(error)) == (status, "no", "no")


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"code": "1513", "message": "x"}]},
        {"errors": [{"code": 1002, "message": "x"}]},
        {"code": "1002", "message": "x"},
        {"message": "x", "governmentResponse": [{"code": "1513", "message": "y"}]},
        {"message": "La numeración 0000000001 ya fue usada"},
        {"error": "Numeration already used"},
        {"response": [{"message": "Documento duplicado"}]},
        "documento DUPLICADO",
    ],
)
def test_a_used_numbering_is_a_duplicate(body):
    assert type(from_response(400, body, duplicate_codes=CODES)) is Duplicate


@pytest.mark.parametrize(
    "body",
    [
        {"message": "numeration must be ten digits"},
        {"errors": [{"code": "10020", "message": "x"}]},
        {"message": "the numeration was refused"},
    ],
)
def test_any_other_refusal_is_not_a_duplicate(body):
    assert type(from_response(400, body, duplicate_codes=CODES)) is Rejected


@pytest.mark.parametrize("status", [302, 401, 404, 408, 429, 500])
def test_only_a_refusal_can_be_a_duplicate(status):
    body = {"errors": [{"code": "1513", "message": "numeración usada"}]}
    assert not isinstance(from_response(status, body, duplicate_codes=CODES), Rejected)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Document already void", AlreadyVoid),
        ("El documento ya fue anulado", AlreadyVoid),
        ("El documento se encuentra ANULADO", AlreadyVoid),
        ("El documento no puede ser anulado: fuera de plazo", Rejected),
        ("Fuera de plazo para ser anulado", Rejected),
        ("reason is too short", Rejected),
    ],
)
def test_already_void_is_told_from_cannot_be_void(text, meaning):
    assert type(from_response(400, {"message": text}, voiding=True)) is meaning


def test_already_means_void_only_when_voiding():
    assert type(from_response(400, {"message": "already void"})) is Rejected


def test_a_wrong_id_is_not_already_void():
    assert type(from_response(404, {"message": "already gone"}, voiding=True)) is NotFound


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"errors": [{"message": "a"}, {"message": "b"}], "message": "m"}, "a; b"),
        ({"errors": [], "message": "m", "error": "e"}, "m"),
        ({"message": ["m", "n", "m"]}, "m; n"),
        ({"error": "e", "response": [{"message": "r"}]}, "e"),
        ({"error": {"code": "1", "message": "e"}}, "e"),
        ({"response": [{"message": "r"}], "governmentResponse": [{"message": "g"}]}, "r"),
        ({"governmentResponse": [{"message": "g"}]}, "g"),
        ({"errors": "plain"}, "plain"),
        ({"errors": {"ruc": ["is wrong"]}}, "is wrong"),
        ({"errors": {"code": "7", "message": "one"}}, "one"),
        ("  bad gateway ", "bad gateway"),
        ("  <html>a page for browsers</html> ", ""),
        (["a", {"message": "b"}], "a; b"),
        ({"unknown": 1}, ""),
        (None, ""),
        (5, ""),
    ],
)
def test_the_message_is_read_from_the_first_place_that_has_one(body, message):
    assert read_message(body) == message


def test_faults_carry_code_and_field():
    body = {
        "errors": [
            {"code": "E1", "field": "items[0].itbms", "message": 'requires property "rate"'},
            "plain",
            {"code": 7},
            {"ruc": ["is wrong"]},
        ],
        "message": "Validation failed",
    }
    assert read_faults(body) == (
        PacFault("E1", 'requires property "rate"', "items[0].itbms"),
        PacFault("", "plain", None),
        PacFault("7", "7", None),
        PacFault("", "is wrong", "ruc"),
    )


def test_a_message_alone_is_one_fault_with_the_body_s_code():
    body = {"code": "AP1010", "message": "QR not requested"}
    assert read_faults(body) == (PacFault("AP1010", "QR not requested"),)


def test_long_texts_are_cut_at_500_characters():
    error = from_response(400, "x" * 10_000)
    assert (len(error.message), len(error.faults[0].message)) == (500, 500)
    assert len(from_response(400, {"errors": ["y" * 600, "z" * 600]}).message) == 500


def test_an_answer_without_a_message_says_its_status():
    assert from_response(502, None).message == "The PAC answered 502 without a message."


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "errors",
                    "message",
                    "error",
                    "response",
                    "governmentResponse",
                    "code",
                    "field",
                    "x",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@given(st.integers(300, 599), ANYTHING, st.booleans())
def test_any_body_makes_an_error_that_can_be_read(status, body, voiding):
    error = from_response(status, body, duplicate_codes=CODES, voiding=voiding)
    assert isinstance(error, PacError)
    assert error.message
    assert all(type(fault.code) is type(fault.message) is str for fault in error.faults)


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Sun, 01 Mar 2026 12:02:00 GMT", 120.0),
        ("Sun, 01 Mar 2026 12:02:00 -0000", 120.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("9" * 400, 86_400.0),
        ("Sun, 01 Mar 2126 12:00:00 GMT", 86_400.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("nan", None),
        ("1e3", None),
        ("٣", None),
        ("soon", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header, seconds):
    assert retry_after_seconds(header, NOW) == seconds


def test_retry_after_comes_with_the_error():
    assert from_response(429, None, retry_after="3").retry_after == 3.0
