"""GET /invoices: pages, filters, and what they cost."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import Document
from invoicing.tests.api import URL, cash, errors, sample, with_line
from tenants.api.pagination import CursorPage
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def numbers(api: APIClient, **query: str) -> list[str]:
    """The series and numbers that a list shows."""
    response = api.get(URL, query)
    assert response.status_code == 200, response.content
    return [f"{row['generation_mode'][0]}{int(row['number'])}" for row in response.data["results"]]


def test_pages_lead_from_the_newest_to_the_oldest_and_back(api: APIClient) -> None:
    for _ in range(5):
        api.post(URL, cash())
    seen, url, pages = [], f"{URL}?page_size=2", []
    while url:
        page = api.get(url).json()
        assert set(page) == {"next", "previous", "results"}
        pages.append(page)
        seen += [int(row["number"]) for row in page["results"]]
        url = page["next"]
    assert seen == [5, 4, 3, 2, 1]
    assert len(pages) == 3
    assert pages[0]["previous"] is None
    back = api.get(pages[2]["previous"]).json()
    assert [row["number"] for row in back["results"]] == [
        row["number"] for row in pages[1]["results"]
    ]


def test_what_is_issued_while_somebody_turns_pages_moves_nothing(api: APIClient) -> None:
    for _ in range(3):
        api.post(URL, cash())
    page = api.get(f"{URL}?page_size=2").json()
    api.post(URL, cash())
    rest = api.get(page["next"]).json()["results"]
    assert [int(row["number"]) for row in rest] == [1]


@pytest.mark.parametrize(("wanted", "given"), [("3", 3), ("0", 3), ("-1", 3), ("x", 3), ("2", 2)])
def test_a_page_has_the_size_that_was_asked_for_where_that_is_one(
    wanted: str, given: int, api: APIClient
) -> None:
    for _ in range(3):
        api.post(URL, cash())
    assert len(api.get(URL, {"page_size": wanted}).data["results"]) == given


def test_a_page_has_at_most_two_hundred(api: APIClient) -> None:
    assert CursorPage.max_page_size == 200
    assert api.get(URL, {"page_size": "100000"}).status_code == 200


@pytest.mark.parametrize(
    "cursor",
    ["nonsense", "", "=", "%%%", b64encode(b"o=x").decode(), b64encode(b"o=99999999").decode()],
)
def test_a_cursor_of_somebodys_own_making_finds_nothing(cursor: str, api: APIClient) -> None:
    api.raise_request_exception = False
    assert api.get(URL, {"cursor": cursor}).status_code in (200, 404)


@pytest.mark.parametrize("position", ["x", "", "\x00", "5", "' OR 1=1", "ffffffff"])
@pytest.mark.parametrize("path", [URL, "/api/v1/offices"])
def test_a_cursor_that_leads_nowhere_is_no_accident(
    path: str, position: str, api: APIClient
) -> None:
    api.raise_request_exception = False
    cursor = b64encode(f"p={position}".encode()).decode()
    assert api.get(path, {"cursor": cursor}).status_code in (200, 404)


@pytest.fixture
def some(api: APIClient) -> dict[str, str]:
    """An invoice on credit, a cash sale, a proforma and a rejected one, by name."""
    made = {
        "D1": body(external_id="order-1", issued_at="2026-11-01T12:00:00-05:00"),
        "D2": cash(receiver={"type": "CONSUMIDOR_FINAL"}, issued_at="2026-11-02T23:30:00-05:00"),
        "P1": sample("proforma") | {"issued_at": "2026-11-03T12:00:00-05:00"},
        "D3": with_line(cash(issued_at="2026-11-04T00:10:00-05:00", dgi_document_type="01")),
    }
    ids = {name: api.post(URL, posted).data["id"] for name, posted in made.items()}
    Document.unscoped.filter(pk=ids["D3"]).update(
        legal_status="PAC_REJECTED", submission_state="DONE", status="CANCELED"
    )
    Document.unscoped.filter(pk=ids["D1"]).update(
        legal_status="DGI_AUTHORIZED",
        submission_state="DONE",
        document_id="01DOCUMENT",
        invoice_number="FE-ONE",
    )
    return ids


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, ["D3", "P1", "D2", "D1"]),
        ({"legal_status": "DGI_AUTHORIZED"}, ["D1"]),
        ({"legal_status": "PAC_REJECTED"}, ["D3"]),
        ({"pending": "true"}, ["P1", "D2"]),
        ({"pending": "false"}, ["D3", "D1"]),
        ({"pending": "true", "generation_mode": "DGI"}, ["D2"]),
        ({"status": "PAID"}, ["D2"]),
        ({"status": "CANCELED"}, ["D3"]),
        ({"generation_mode": "PROFORM"}, ["P1"]),
        ({"submission_state": "QUEUED"}, ["D2"]),
        ({"dgi_document_type": "01"}, ["D3", "P1", "D2", "D1"]),
        ({"dgi_document_type": "03"}, []),
        ({"number": "0000000002"}, ["D2"]),
        ({"external_id": "order-1"}, ["D1"]),
        ({"external_id": "order-9"}, []),
        ({"cufe": "FE-ONE"}, ["D1"]),
        ({"receiver_ruc": "8-999-99999"}, ["P1"]),
        ({"issued_from": "2026-11-02"}, ["D3", "P1", "D2"]),
        ({"issued_to": "2026-11-02"}, ["D2", "D1"]),
        ({"issued_from": "2026-11-02", "issued_to": "2026-11-03"}, ["P1", "D2"]),
        ({"issued_from": "2026-11-04", "issued_to": "2026-11-04"}, ["D3"]),
        ({"issued_from": "0001-01-01", "issued_to": "9999-12-31"}, ["D3", "P1", "D2", "D1"]),
        ({"unknown": "ignored"}, ["D3", "P1", "D2", "D1"]),
    ],
)
def test_a_filter_finds_what_it_names_by_the_day_in_panama(
    query: dict[str, str], found: list[str], some: dict[str, str], api: APIClient
) -> None:
    assert numbers(api, **query) == found


@pytest.mark.parametrize(
    "query",
    [
        {"legal_status": "nonsense"},
        {"status": "paid"},
        {"generation_mode": "X"},
        {"submission_state": "GONE"},
        {"issued_from": "yesterday"},
        {"issued_to": "2026-02-30"},
        {"external_id": "\x00"},
        {"number": "\x00"},
    ],
    ids=str,
)
def test_a_filter_that_makes_no_sense_is_refused_by_name(
    query: dict[str, str], api: APIClient
) -> None:
    response = api.get(URL, query)
    assert response.status_code == 400
    assert [attr for attr, _ in errors(response)] == list(query)


def test_a_list_shows_the_tenants_own_only(
    some: dict[str, str], api: APIClient, bob: Tenant, client_of: Any
) -> None:
    client = client_of(bob)
    assert numbers(client) == []
    client.post(URL, cash())
    assert numbers(client) == ["D1"]
    assert len(numbers(api)) == 4


def cost(api: APIClient, url: str) -> int:
    with CaptureQueriesContext(connection) as context:
        assert api.get(url).status_code == 200
    return len(context)


def test_a_list_costs_the_same_whatever_is_in_it(api: APIClient) -> None:
    def make(many: int) -> None:
        for _ in range(many):
            api.post(URL, cash(lines=body()["lines"] * 3))
            api.post(URL, sample("proforma") | {"external_id": None})

    make(1)
    few = cost(api, URL)
    make(6)
    assert cost(api, URL) == few
    assert few <= 8


def test_one_invoice_costs_the_same_whatever_is_in_it(api: APIClient) -> None:
    small = api.post(URL, cash()).data["id"]
    large = api.post(URL, cash(lines=body()["lines"] * 50)).data["id"]
    assert cost(api, f"{URL}/{small}") == cost(api, f"{URL}/{large}") <= 8


@pytest.mark.parametrize("name", ["abc", "00000000-0000-0000-0000-000000000000", "1", "%00"])
def test_what_does_not_exist_is_not_found_in_the_one_shape_of_errors(
    name: str, api: APIClient
) -> None:
    response = api.get(f"{URL}/{name}")
    assert (response.status_code, errors(response)) == (404, [(None, "not_found")])


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_a_list_takes_no_other_method(method: str, api: APIClient) -> None:
    response = getattr(api, method)(URL)
    assert (response.status_code, errors(response)) == (405, [(None, "method_not_allowed")])
