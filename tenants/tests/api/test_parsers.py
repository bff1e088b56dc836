"""The JSON parser: it reads what can be read in one way only."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from tenants.api.parsers import DEEPEST, StrictJSONParser


def parse(content: bytes | str) -> Any:
    raw = content.encode() if isinstance(content, str) else content
    return StrictJSONParser().parse(BytesIO(raw))


@pytest.mark.parametrize(
    ("content", "value"),
    [
        ("{}", {}),
        (' {"a": [1, 2.5, true, null, "x"]} ', {"a": [1, 2.5, True, None, "x"]}),
        ('{"a": {"a": 1}, "b": {"a": 1}}', {"a": {"a": 1}, "b": {"a": 1}}),
        ('"\\ud83e\\uddfe"', "🧾"),
        ('"🧾"', "🧾"),
        ('"\\\\u0000"', "\\u0000"),  # a backslash and five letters
        ("[" * DEEPEST + "]" * DEEPEST, None),
        ("1" * 4300, None),
    ],
)
def test_sound_json_is_read(content: str, value: Any) -> None:
    found = parse(content)
    if value is not None:
        assert found == value


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"[1,]", "not JSON"),
        (b"01", "not JSON"),
        (b"NaN", "NaN is no number"),
        (b"[Infinity]", "Infinity is no number"),
        (b"-Infinity", "-Infinity is no number"),
        (b"1" * 4301, "not JSON"),
        (b'{"a":1,"a":1}', "'a' stands twice"),
        (b'{"a":1,"\\u0061":2}', "'a' stands twice"),
        (b'[{"x":{"b":1,"a":2,"b":3}}]', "'b' stands twice"),
        (b"\xff", "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xc0\x80"', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'"\\u0000"', "NUL"),
        (b'{"\\u0000":1}', "NUL"),
        (b'[[{"a":["\\u0000"]}]]', "NUL"),
        (b'"\x00"', "not JSON"),
        (b'"\\ud800"', "surrogate"),
        (b'"\\udc00\\ud800"', "surrogate"),
        (b'{"a":{"\\udfff":1}}', "surrogate"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "too deeply"),
        (b'{"a":' * (DEEPEST + 1) + b"1" + b"}" * (DEEPEST + 1), "too deeply"),
        (b"[" * 100_000, "too deeply"),
        (b"[" * 900 + b"]" * 900, "too deeply"),
        (b'{"a":[' * 50_000, "too deeply"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_what_could_be_read_in_two_ways_or_not_be_stored_is_refused(
    content: bytes, sentence: str
) -> None:
    with pytest.raises(ParseError, match=sentence):
        parse(content)


@pytest.mark.parametrize(
    "content",
    [
        "{" + ",".join(f'"a{n}":1' for n in range(100_000)) + "}",
        "[" + "0," * 500_000 + "0]",
        '["\\u00e9",' + '"x",' * 300_000 + '"x"]',
    ],
    ids=["keys", "numbers", "texts"],
)
def test_a_large_body_is_read_quickly(content: str) -> None:
    began = time.process_time()
    parse(content)
    assert time.process_time() - began < 3


def test_a_late_twin_among_many_keys_is_found_quickly() -> None:
    keys = ",".join(f'"a{n}":1' for n in range(100_000))
    began = time.process_time()
    with pytest.raises(ParseError, match="'a99999' stands twice"):
        parse(f'{{{keys},"a99999":1}}')
    assert time.process_time() - began < 3


def test_the_name_of_a_twin_is_told_in_short() -> None:
    name = "x" * 10_000
    with pytest.raises(ParseError) as caught:
        parse(f'{{"{name}":1,"{name}":2}}')
    assert len(str(caught.value)) < 300


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=100, deadline=None, database=None)
@given(JSON, st.booleans())
def test_what_json_can_say_is_read_as_it_was_meant(value: Any, ascii_only: bool) -> None:
    assert parse(json.dumps(value, ensure_ascii=ascii_only)) == value


@settings(max_examples=200, deadline=None, database=None)
@given(st.binary(max_size=40) | st.text('{}[]",:0123\\ude"Nan -.', max_size=30).map(str.encode))
def test_whatever_comes_is_read_or_refused(content: bytes) -> None:
    with suppress(ParseError):
        parse(content)
