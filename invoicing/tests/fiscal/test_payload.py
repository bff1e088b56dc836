"""What goes to the PAC, against bodies written by hand from the PAC's documentation."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import work
from invoicing.fiscal.payload import build_payload
from invoicing.models import Document
from invoicing.tests.fiscal import EVERYTHING, ISSUED_AT
from pac import wire
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db

Payload = Callable[[dict[str, Any]], Any]
HERE = Path(__file__).parent
SAMPLES = HERE.parent / "samples"
OFFICE = "01HYYYYYYYYYYYYYYYYYYYYYYY"

UNLISTED_COUNTRY = {
    "dgi_document_type": "10",
    "nature": "04",
    "destination": 2,
    "receiver": {
        "type": "EXTRANJERO",
        "name": "Comercial Atlántida",
        "country": "ZZ",
        "other_country": "Atlántida",
        "foreign_id": {"number": "P-77", "country": "CO"},
    },
    "lines": [
        {"description": "Soporte", "quantity": "1", "unit_price": "50.00", "itbms_rate": "00"}
    ],
}
OTHERS = {"everything": EVERYTHING, "unlisted-country": UNLISTED_COUNTRY}
NAMES = [path.stem for path in sorted((HERE / "golden").glob("*.json"))]


def posted(name: str) -> dict[str, Any]:
    if name in OTHERS:
        return deepcopy(OTHERS[name])
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))
    return found


def golden(name: str) -> Any:
    return json.loads((HERE / "golden" / f"{name}.json").read_text("utf-8"), parse_float=Decimal)


@pytest.fixture
def wire_of(api: APIClient) -> Callable[[dict[str, Any]], str]:
    """What goes over the wire for a body that is issued on 1 March 2026 as number 123."""

    def make(body: dict[str, Any]) -> str:
        response = api.post("/api/v1/invoices", {"issued_at": ISSUED_AT} | body)
        assert response.status_code == 201, response.content
        document = Document.unscoped.select_related("office").get(pk=response.data["id"])
        document.number, document.security_code = "0000000123", "481516234"
        document.office.pac_office_id = OFFICE
        return wire.encode(build_payload(document, document.lines.all()))

    return make


@pytest.fixture
def payload_of(wire_of: Callable[[dict[str, Any]], str]) -> Payload:
    """The same, as the PAC reads it."""
    return lambda body: json.loads(wire_of(body), parse_float=Decimal)


def test_every_sample_has_its_golden_payload() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} | set(OTHERS) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_payload_is_what_the_documentation_asks_for(name: str, payload_of: Payload) -> None:
    assert payload_of(posted(name)) == golden(name)


@pytest.mark.parametrize("name", NAMES)
def test_codes_that_are_numbers_go_out_as_json_integers(name: str, payload_of: Payload) -> None:
    sent = payload_of(posted(name))
    information = sent["information"]
    numbers = [
        *(
            information[key]
            for key in ("operationType", "destination", "receiverContainer", "saleType")
        ),
        *information["cafe"].values(),
        sent["totals"]["paymentTime"],
        *(part["sequence"] for part in sent["totals"].get("installmentPayment", [])),
        *([sent["receiver"]["ruc"]["type"]] if "ruc" in sent["receiver"] else []),
    ]
    assert {type(number) for number in numbers} == {int}


def test_a_foreigner_inside_panama_goes_out_with_the_country_panama(payload_of: Payload) -> None:
    body = UNLISTED_COUNTRY | {"dgi_document_type": "01", "destination": 1, "nature": "01"}
    receiver = payload_of(body)["receiver"]
    assert receiver["country"] == "PA"
    assert receiver["foreign"] == {"number": "P-77", "country": "CO"}
    assert "otherCountry" not in receiver
    assert "location" not in receiver


def test_a_final_consumer_without_a_word_about_himself_is_two_fields(payload_of: Payload) -> None:
    body = posted("consumer-cash") | {"receiver": {"type": "CONSUMIDOR_FINAL"}}
    assert payload_of(body)["receiver"] == {"type": "02", "country": "PA"}


def test_a_final_consumer_may_have_his_own_ruc(payload_of: Payload) -> None:
    receiver = {"type": "CONSUMIDOR_FINAL", "ruc": "8-274-125", "ruc_type": "NATURAL"}
    sent = payload_of(posted("consumer-cash") | {"receiver": receiver})["receiver"]
    assert sent["ruc"] == {"type": 1, "ruc": "8-274-125"}


def test_an_isc_rate_of_zero_is_no_isc(payload_of: Payload, api: APIClient) -> None:
    plain = posted("consumer-cash") | {"external_id": None}
    zero = deepcopy(plain)
    for line in zero["lines"]:
        line["isc_rate"] = "0"
    assert payload_of(zero) == payload_of(plain)
    shown = api.get("/api/v1/invoices").data["results"]
    assert shown[0]["totals"] == shown[1]["totals"]
    assert shown[0]["totals"]["isc"] == "0.00"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1", "1"),
        ("10", "10"),
        ("100.000000", "100"),
        ("0.100000", "0.1"),
        ("0.000001", "0.000001"),
        ("999999999.999999", "999999999.999999"),
    ],
)
def test_quantities_go_out_digit_by_digit_and_never_with_an_exponent(
    text: str, number: str, wire_of: Callable[[dict[str, Any]], str]
) -> None:
    body = posted("consumer-cash")
    body["lines"] = [body["lines"][0] | {"quantity": text, "unit_price": "0.000001"}]
    body["payment_methods"] = [{"method": "02", "amount": "99999999999.99"}]
    sent = wire_of(body).replace(" ", "")
    assert f'"quantity":{number},' in sent
    assert '"transfer":0.000001}' in sent
    assert '"amount":99999999999.99}' in sent


@pytest.mark.parametrize(
    "issued_at",
    ["2026-03-02T00:15:00.999999+09:00", "2026-03-01T15:15:00Z", "2026-03-01T10:15:00-05:00"],
)
def test_an_issue_date_goes_out_in_panamas_time_whatever_offset_it_came_with(
    issued_at: str, payload_of: Payload
) -> None:
    sent = payload_of(posted("consumer-cash") | {"issued_at": issued_at})
    assert sent["information"]["issueDate"] == ISSUED_AT


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", NAMES)
def test_the_sandbox_accepts_it_and_got_what_the_documentation_asks_for(
    name: str, api: APIClient, box: Sandbox
) -> None:
    response = api.post("/api/v1/invoices", posted(name) | {"issued_at": ISSUED_AT})
    assert response.status_code == 201, response.content
    if name == "proforma":
        api.post(f"/api/v1/invoices/{response.data['id']}/submit")
    work()
    document = Document.unscoped.select_related("office").get()
    assert document.legal_status == "DGI_AUTHORIZED", document.pac_errors
    [received] = box.documents
    wanted = golden(name)
    wanted["idOffice"] = document.office.pac_office_id
    wanted["information"] |= {"numeration": "0000000001", "securityCode": document.security_code}
    if name == "proforma":  # which is issued when it is submitted
        wanted["information"]["issueDate"] = received.payload["information"]["issueDate"]
    assert received.payload == wanted
    assert received.cufe == document.computed_cufe == document.invoice_number
    assert received.total == document.total
    assert build_payload(document, document.lines.all()) == document.pac_input
