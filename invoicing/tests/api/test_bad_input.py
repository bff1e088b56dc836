"""Whatever is posted, the answer says what is wrong: never a 500, and nothing is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from rest_framework import serializers
from rest_framework.test import APIClient

from conftest import body
from invoicing.api.inputs import InvoiceInput
from invoicing.api.thorough import AmountField, TextField, WholeNumberField
from invoicing.tests.api import EVERYTHING, ISSUED_AT, URL, cash, errors, post_raw, stored
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

MIB = 1024 * 1024


@pytest.fixture
def api(api: APIClient) -> APIClient:
    """Shows a 500 as the answer that it would be."""
    api.raise_request_exception = False
    return api


# Between them, the two sound bodies have every field.
FULL: dict[str, Any] = EVERYTHING | {
    "generation_mode": "DGI",
    "office": "0001",
    "external_id": "order-1",
    "customer": None,
    "issued_at": ISSUED_AT,
    "due_date": "2026-05-01",
    "destination": 1,
    "payment_time": "MIXED",
    "emails": ["entrega@cliente.test"],
    "metadata": {"channel": "web"},
    "payment_methods": EVERYTHING["payment_methods"][::-1],
}
FOREIGN: dict[str, Any] = {
    "dgi_document_type": "03",
    "receiver": {
        "type": "EXTRANJERO",
        "name": "Comercial Atlántida",
        "country": "ZZ",
        "other_country": "Atlántida",
        "foreign_id": {"number": "P-77", "country": "CO"},
    },
    "lines": body()["lines"],
    "exportation": FULL["exportation"] | {"port": "Balboa"},
}

Path = tuple[str | int, ...]


def walk(field: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field of a body, at every depth, by its path."""
    if path:
        yield path, field
    if isinstance(field, serializers.Serializer):
        for name, inner in field.fields.items():
            yield from walk(inner, (*path, name))
    elif isinstance(field, serializers.ListField):
        yield from walk(field.child, (*path, 0))
    elif isinstance(field, serializers.DictField):
        yield (*path, "channel"), field.child


FIELDS = dict(walk(InvoiceInput()))
ids = {"ids": lambda value: ".".join(str(part) for part in value)}


def holder_of(made: Any, path: Path) -> Any:
    """What holds the value at `path`; None where this body has no such place."""
    for part in path[:-1]:
        try:
            made = made[part]
        except (KeyError, IndexError):
            return None
    return made


def body_with(path: Path, value: Any) -> dict[str, Any]:
    """The sound body that has `path`, with something else there."""
    for sound in (FULL, FOREIGN):
        made = deepcopy(sound)
        holder = holder_of(made, path)
        if holder and (not isinstance(holder, dict) or path[-1] in holder):
            holder[path[-1]] = value
            return made
    raise AssertionError(f"neither body has {path}")


def refused(api: APIClient, path: Path, value: Any) -> None:
    """Asserts a 400 that names `path`, or what lies in it or around it."""
    where = ".".join(str(part) for part in path)
    response = api.post(URL, body_with(path, value))
    assert response.status_code == 400, (where, value, response.content)
    told = [attr for attr, _ in errors(response)]
    assert all(told)
    assert any(f"{attr}.".startswith(f"{where}.") for attr in told) or where.startswith(
        tuple(f"{attr}." for attr in told)
    ), told


@pytest.mark.parametrize("sound", [FULL, FOREIGN], ids=["full", "foreign"])
def test_the_bodies_that_are_spoiled_here_are_sound(sound: dict[str, Any], api: APIClient) -> None:
    response = api.post(URL, sound)
    assert response.status_code == 201, response.content


@pytest.mark.parametrize("path", FIELDS, **ids)
def test_a_value_of_another_type_is_refused_where_it_stands(path: Path, api: APIClient) -> None:
    before = stored()
    field = FIELDS[path]
    bad: list[Any] = [5, 10**30, 1.5, True, [5], {"x": 5}, "x" * 5000]
    if not isinstance(field, (serializers.ListField,)):
        bad.append([])
    if not isinstance(field, serializers.DictField):
        bad.append({})
    if not field.allow_null:
        bad.append(None)
    for value in bad:
        refused(api, path, value)
    assert stored() == before


@pytest.mark.parametrize("path", FIELDS, **ids)
def test_odd_text_is_refused_or_taken_for_text(path: Path, api: APIClient) -> None:
    for value in ("🧾 factura", "", "\u202e", "' OR 1=1 --<b>{}%s"):
        response = api.post(URL, body_with(path, value))
        assert response.status_code in (201, 400, 409), (value, response.content)
        if response.status_code == 400:
            assert all(attr for attr, _ in errors(response))


@pytest.mark.parametrize("path", FIELDS, **ids)
def test_no_text_holds_a_nul_or_half_a_surrogate(path: Path, api: APIClient) -> None:
    before = stored()
    for escape in ("\\u0000", "\\udd16 \\ud83e"):
        content = json.dumps(body_with(path, "@@@")).replace("@@@", f"ab{escape}")
        response = post_raw(api, content)
        assert (response.status_code, errors(response)) == (400, [(None, "parse_error")])
    assert stored() == before


@pytest.mark.parametrize(
    "path", [path for path in FIELDS if isinstance(FIELDS[path], AmountField)], **ids
)
def test_an_amount_is_a_plain_decimal_in_a_string(path: Path, api: APIClient) -> None:
    for value in [
        *("1e2", "NaN", "sNaN", "-Infinity", "inf", "1,000.00", "1_000", "１０", "٣", "½", "0x10"),
        *("", " ", "1.0000001", "--1", "B/.5", "1.00\n2", "-1.00", "999999999999999"),
        *("1" * 16, "1" * 2000, "0." + "0" * 2000),
    ]:
        refused(api, path, value)


@pytest.mark.parametrize("path", [("issued_at",), ("contingency", "started_at")], **ids)
def test_a_moment_has_its_offset_and_exists(path: Path, api: APIClient) -> None:
    for value in [
        *("2026-02-01T10:15:00", "2026-02-01", "yesterday", "10:15", "2026-02-30T10:15:00Z"),
        *("2026-02-01T25:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"),
        *("9999-12-31T23:59:59Z", "２０２６-02-01T10:15:00Z", "2026-02-01T10:15:00+99:00"),
        *("10000-01-01T00:00:00Z", "-2026-02-01T00:00:00Z", "2026-02-01T10:15:00 America/Panama"),
        *("2026-02-01T10:15:61Z", "1767225600"),
    ]:
        refused(api, path, value)


@pytest.mark.parametrize("path", [("due_date",), ("installments", 0, "due_date")], **ids)
def test_a_day_is_a_date(path: Path, api: APIClient) -> None:
    for value in [
        *("2026-02-30", "tomorrow", "0000-01-01", "10000-01-01", "２０２７-01-01", "2027-1-1x"),
        *("0001-01-01", "22/12/2027", "2027-13-01"),
    ]:
        refused(api, path, value)


def test_the_last_day_of_all_is_a_date(api: APIClient) -> None:
    response = api.post(URL, body(due_date="9999-12-31"))
    assert response.status_code == 201
    assert api.get(f"{URL}/{response.data['id']}").data["due_date"] == "9999-12-31"


@pytest.mark.parametrize(
    "path",
    [path for path in FIELDS if isinstance(FIELDS[path], serializers.Serializer)] + [()],
    **ids,
)
def test_an_unknown_field_is_refused_at_every_depth(path: Path, api: APIClient) -> None:
    where = ".".join(str(part) for part in (*path, "colour"))
    holders = 0
    for sound in (FULL, FOREIGN):
        posted = deepcopy(sound)
        holder = holder_of(posted, (*path, "colour"))
        if holder is not None:
            holder["colour"] = "red"
            holders += 1
            assert errors(api.post(URL, posted)) == [(where, "unknown_field")]
    assert holders


@pytest.mark.parametrize(
    "name", ["", ".", "lines.0", "non_field_errors", "id", "total", "🧾", "__proto__"]
)
def test_an_unknown_field_may_be_called_anything(name: str, api: APIClient) -> None:
    response = api.post(URL, body() | {name: 1})
    assert response.status_code == 400
    assert [code for _, code in errors(response)] == ["unknown_field"]


@pytest.mark.parametrize("name", ["²", "1" * 5000, "①"], ids=["²", "long", "①"])
@pytest.mark.parametrize("where", ["body", "metadata"])
def test_a_name_that_is_almost_a_number_is_refused_like_any_other(
    where: str, name: str, api: APIClient
) -> None:
    posted = body(metadata={name: 1}) if where == "metadata" else body() | {name: 1}
    assert api.post(URL, posted).status_code == 400


@pytest.mark.parametrize(
    "name", [name for name, field in InvoiceInput().fields.items() if field.required]
)
def test_what_is_needed_is_asked_for(name: str, api: APIClient) -> None:
    posted = body()
    del posted[name]
    assert (name, "required") in errors(api.post(URL, posted))


def test_what_every_part_needs_is_asked_for(api: APIClient) -> None:
    response = api.post(
        URL,
        {
            "receiver": {"foreign_id": {}},
            "lines": [{"other_taxes": [{}]}],
            "discounts": [{}],
            "payment_methods": [{}],
            "installments": [{}],
            "exportation": {},
            "contingency": {},
        },
    )
    assert {attr for attr, code in errors(response) if code == "required"} == {
        "receiver.type",
        "receiver.foreign_id.number",
        "receiver.foreign_id.country",
        "lines.0.description",
        "lines.0.quantity",
        "lines.0.unit_price",
        "lines.0.itbms_rate",
        "lines.0.other_taxes.0.code",
        "lines.0.other_taxes.0.amount",
        "discounts.0.description",
        "discounts.0.amount",
        "payment_methods.0.method",
        "payment_methods.0.amount",
        "installments.0.due_date",
        "installments.0.amount",
        "exportation.incoterm",
        "exportation.currency",
        "exportation.exchange_rate",
        "exportation.amount",
        "contingency.started_at",
        "contingency.reason",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"5",
        b'"text"',
        b"{",
        b"nonsense",
        b"{'a': 1}",
        b'{"lines": [1,]}',
        b'{"freight": NaN}',
        b'{"freight": Infinity}',
        b'{"freight": -Infinity}',
        b'{"freight": 1' + b"0" * 5000 + b"}",
        b'{"notes": "a", "notes": "a"}',
        b'{"receiver": {"type": "x", "type": "y"}}',
        b'{"notes": "\xe9"}',
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        "{}".encode("utf-16"),
        b'{"notes": "\x00"}',
        b'{"notes": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"notes": "\\ud800"}',
        b'{"metadata": {"\\udc00": "x"}}',
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"notes": "a"} {"notes": "b"}',
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_no_body_is_refused(content: bytes, api: APIClient) -> None:
    before = stored()
    response = post_raw(api, content)
    assert response.status_code == 400, response.content[:300]
    assert errors(response)
    assert stored() == before


def test_a_pair_of_surrogates_is_a_character(api: APIClient) -> None:
    content = json.dumps(body(notes="%%")).replace("%%", "\\ud83e\\uddfe")
    response = post_raw(api, content)
    assert (response.status_code, response.data["notes"]) == (201, "🧾")


@pytest.mark.parametrize("depth", [33, 900, 940, 960])
@pytest.mark.parametrize("name", ["generation_mode", "metadata", "nonsense"])
def test_what_is_nested_too_deeply_is_refused_whether_it_can_just_be_read_or_not(
    name: str, depth: int, api: APIClient
) -> None:
    content = json.dumps(body() | {name: "@"}).replace('"@"', "[" * depth + "]" * depth)
    response = api.generic(
        "POST", URL, content, content_type="application/json", HTTP_IDEMPOTENCY_KEY="deep"
    )
    assert (response.status_code, errors(response)) == (400, [(None, "parse_error")])


def test_a_body_over_two_mib_is_refused_by_its_announced_size(api: APIClient) -> None:
    before = stored()
    response = post_raw(api, json.dumps(body(notes="x" * 3 * MIB)))
    assert (response.status_code, errors(response)) == (413, [(None, "body_too_large")])
    assert stored() == before


def test_a_body_just_under_two_mib_is_read(api: APIClient) -> None:
    response = post_raw(api, json.dumps(body(notes="x" * (2 * MIB - 2000))))
    assert (response.status_code, errors(response)) == (400, [("notes", "max_length")])


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("text/plain", 415),
        ("application/xml", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("multipart/form-data", 415),
        ("application/jsonx", 415),
        ("", 415),
        ("nonsense", 415),
        ("application/json; charset=utf-8", 201),
        ("APPLICATION/JSON", 201),
    ],
)
def test_a_body_is_json(content_type: str, status: int, api: APIClient) -> None:
    response = post_raw(api, json.dumps(body()), content_type=content_type)
    assert response.status_code == status, response.content
    if status == 415:
        assert errors(response) == [(None, "unsupported_media_type")]


def test_a_thousand_and_one_lines_are_too_many(api: APIClient) -> None:
    response = api.post(URL, cash(lines=body()["lines"] * 1001))
    assert errors(response) == [("lines", "max_length")]


@pytest.mark.parametrize(
    "posted",
    [
        cash(lines=[{}] * 1000),
        cash(lines=[{f"field{n}": 1 for n in range(12)}] * 1000),
        cash() | {"." * 500_000: 1},
        cash() | {"a." * 200_000: 1},
        cash(discounts=[{"amount": "x"}] * 3_000),
    ],
    ids=["empty lines", "unknown fields in lines", "dots", "parts", "discounts"],
)
def test_a_body_full_of_faults_is_refused_in_a_time_that_grows_with_its_size_only(
    posted: dict[str, Any], api: APIClient
) -> None:
    began = time.process_time()
    assert api.post(URL, posted).status_code == 400
    assert time.process_time() - began < 8


def test_a_key_that_stands_twice_is_found_in_a_large_object(api: APIClient) -> None:
    keys = ",".join(f'"a{n}":1' for n in range(100_000))
    began = time.process_time()
    response = post_raw(api, f'{{{keys},"a99999":1}}')
    assert "'a99999' stands twice" in response.json()["errors"][0]["detail"]
    assert time.process_time() - began < 8


@pytest.mark.parametrize(
    ("quantity", "price"),
    [
        ("99999999999.999999", "99999999999.999999"),
        ("999999999.999999", "999999999.999999"),
        ("1000.01", "999999999.999999"),
    ],
)
def test_amounts_over_what_can_be_stored_are_a_fault(
    quantity: str, price: str, api: APIClient
) -> None:
    before = stored()
    line = body()["lines"][0] | {"quantity": quantity, "unit_price": price}
    for mode in ("DGI", "PROFORM"):
        response = api.post(URL, cash(lines=[line], generation_mode=mode))
        assert response.status_code == 400, response.content
        assert all(str(attr).startswith("lines.0") for attr, _ in errors(response))
    assert stored() == before


def test_lines_that_only_together_are_too_much_are_a_fault(api: APIClient) -> None:
    line = body()["lines"][0] | {"quantity": "900", "unit_price": "999999999.99"}
    response = api.post(URL, cash(lines=[line] * 1000))
    assert errors(response) == [("lines", "amount_too_large")]


@pytest.mark.parametrize("value", ["5000", "1000000", "100.000001", "-1", "999999999"])
def test_a_rate_that_fits_no_column_is_a_fault(value: str, api: APIClient) -> None:
    line = body()["lines"][0] | {"isc_rate": value, "isc_amount": "1.00"}
    response = api.post(URL, body(lines=[line]))
    assert errors(response) == [("lines.0.isc_rate", "isc_rate_out_of_range")]
    assert api.get(URL).status_code == 200


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        ({"k": 5}, [("metadata.k", "invalid")]),
        ({"k": None}, [("metadata.k", "null")]),
        ({"k": ["x"]}, [("metadata.k", "invalid")]),
        ({"k": {"x": "y"}}, [("metadata.k", "invalid")]),
        ({"k": "x" * 4096}, [("metadata", "too_large")]),
        ({f"key{n}": "é" * 20 for n in range(100)}, [("metadata", "too_large")]),
        (["x"], [("metadata", "not_a_dict")]),
    ],
)
def test_metadata_is_a_small_flat_map_of_strings(
    metadata: Any, told: list[tuple[str, str]], api: APIClient
) -> None:
    assert errors(api.post(URL, body(metadata=metadata))) == told


def test_metadata_of_4096_bytes_is_kept(api: APIClient) -> None:
    metadata = {"k": "x" * 4095, "": ""}
    assert api.post(URL, body(metadata=metadata)).data["metadata"] == metadata


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a\x7fb", "a\tb"])
def test_an_idempotency_key_is_printable_and_short(key: str, api: APIClient) -> None:
    response = api.post(URL, body(), HTTP_IDEMPOTENCY_KEY=key)
    assert errors(response) == [("Idempotency-Key", "invalid")]
    assert stored()["Document"] == 0


@pytest.mark.parametrize("content", [b"", b"null", b"[]", b"5", b'{"receiver": null}', b'{"x": 1}'])
@pytest.mark.parametrize("mode", ["DGI", "PROFORM"])
def test_a_patch_of_anything_else_is_refused(
    mode: str, content: bytes, api: APIClient, alice: Tenant
) -> None:
    url = f"{URL}/{api.post(URL, body(generation_mode=mode)).data['id']}"
    response = api.generic("PATCH", url, content, content_type="application/json")
    if mode == "DGI":
        assert response.status_code == 409
    else:
        assert response.status_code == (200 if content == b"" else 400), response.content


def test_every_kind_of_field_is_tried_here() -> None:
    kinds = {type(field) for field in FIELDS.values()}
    assert {AmountField, TextField, WholeNumberField} < kinds
    assert len(FIELDS) > 70
