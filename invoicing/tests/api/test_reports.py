"""`GET /reports/documents`."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone
from rest_framework.test import APIClient

from invoicing.api.reports import MOST_DAYS, read_query
from invoicing.api.spreadsheets import cell
from invoicing.models import Document
from invoicing.tests.api import errors
from pac.dgi.calendar import PANAMA
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

URL = "/api/v1/reports/documents"
MONDAY = datetime(2026, 3, 2, 10, tzinfo=PANAMA)
TUESDAY = MONDAY + timedelta(days=1)
MARCH = {"from": "2026-03-01", "to": "2026-03-31"}

_numbers = count(1)


def document(tenant: Tenant, at: datetime = MONDAY, **changes: Any) -> Document:
    """An invoice of B/.107.00 as the database has it."""
    number = f"{next(_numbers):010d}"
    columns: dict[str, Any] = {
        "document_type": "01",
        "dgi_document_type": "01",
        "generation_mode": "DGI",
        "office": tenant.main_office,
        "billing_point": "001",
        "number": number,
        "issued_at": at,
        "nature": "01",
        "destination": 1,
        "sale_type": 1,
        "payment_time": "CREDIT",
        "net": Decimal("100.00"),
        "itbms": Decimal("7.00"),
        "total": Decimal("107.00"),
    } | changes
    if columns.get("legal_status") in ("PAC_AUTHORIZED", "DGI_AUTHORIZED"):
        columns |= {"invoice_number": f"FE{number}", "document_id": number}
    made: Document = Document.unscoped.create(tenant=tenant, **columns)
    return made


def report(api: APIClient, **params: str) -> dict[str, Any]:
    answer = api.get(URL, MARCH | params)
    assert answer.status_code == 200, answer.data
    found: dict[str, Any] = answer.json()
    return found


def test_it_counts_and_adds_by_day_type_and_legal_status(api: APIClient, alice: Tenant) -> None:
    document(alice, legal_status="DGI_AUTHORIZED")
    document(alice, legal_status="DGI_AUTHORIZED", net="0.10", itbms="0.01", total="0.11")
    document(alice, TUESDAY)
    document(alice, MONDAY, document_type="02", legal_status="DGI_AUTHORIZED")
    assert report(api) == {
        "from": "2026-03-01",
        "to": "2026-03-31",
        "group_by": ["day", "type", "legal_status"],
        "results": [
            {
                "day": "2026-03-02",
                "type": "01",
                "legal_status": "DGI_AUTHORIZED",
                "count": 2,
                "net": "100.10",
                "itbms": "7.01",
                "total": "107.11",
            },
            {
                "day": "2026-03-02",
                "type": "02",
                "legal_status": "DGI_AUTHORIZED",
                "count": 1,
                "net": "100.00",
                "itbms": "7.00",
                "total": "107.00",
            },
            {
                "day": "2026-03-03",
                "type": "01",
                "legal_status": None,
                "count": 1,
                "net": "100.00",
                "itbms": "7.00",
                "total": "107.00",
            },
        ],
        "totals": {"count": 4, "net": "300.10", "itbms": "21.01", "total": "321.11"},
    }


@pytest.mark.parametrize(
    ("group_by", "keys", "counts"),
    [
        ("day", ["day"], {"2026-03-02": 2, "2026-03-03": 1}),
        ("type", ["type"], {"01": 2, "03": 1}),
        ("legal_status", ["legal_status"], {None: 2, "PAC_REJECTED": 1}),
        ("type, day,type", ["type", "day"], {"01": 2, "03": 1}),
    ],
)
def test_it_groups_by_what_is_asked_for(
    api: APIClient,
    alice: Tenant,
    group_by: str,
    keys: list[str],
    counts: dict[str | None, int],
) -> None:
    document(alice)
    document(alice, document_type="03")
    document(alice, TUESDAY, legal_status="PAC_REJECTED")
    found = report(api, group_by=group_by)
    assert found["group_by"] == keys
    assert all(set(row) == {*keys, "count", "net", "itbms", "total"} for row in found["results"])
    seen: dict[str | None, int] = {}
    for row in found["results"]:
        seen[row[keys[0]]] = seen.get(row[keys[0]], 0) + row["count"]
    assert seen == counts


def test_a_day_begins_and_ends_at_midnight_in_panama(api: APIClient, alice: Tenant) -> None:
    for hour in ("2026-02-28T23:59:59", "2026-03-01T00:00:00", "2026-03-31T23:59:59.999999"):
        document(alice, datetime.fromisoformat(hour).replace(tzinfo=PANAMA))
    document(alice, datetime(2026, 4, 1, tzinfo=PANAMA))
    found = report(api, group_by="day")["results"]
    assert [(row["day"], row["count"]) for row in found] == [("2026-03-01", 1), ("2026-03-31", 1)]


def test_what_no_group_would_tell_from_a_document_in_force_is_left_out(
    api: APIClient, alice: Tenant
) -> None:
    document(alice, generation_mode="PROFORM")
    document(alice, legal_status="DGI_AUTHORIZED", voided_at=TUESDAY, status="VOID")
    document(alice, generation_mode="DGI_IMPORT")
    assert report(api)["totals"]["count"] == 1


def test_another_tenants_documents_are_not_in_it(
    api: APIClient, alice: Tenant, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    document(bob, total="9000.00")
    document(alice)
    assert report(api)["totals"] == {
        "count": 1,
        "net": "100.00",
        "itbms": "7.00",
        "total": "107.00",
    }
    assert report(client_of(bob))["totals"]["total"] == "9000.00"


def test_an_empty_period_has_totals_of_zero(api: APIClient) -> None:
    found = report(api)
    assert found["results"] == []
    assert found["totals"] == {"count": 0, "net": "0.00", "itbms": "0.00", "total": "0.00"}


def test_it_takes_one_query_beside_that_of_the_key(
    api: APIClient, alice: Tenant, django_assert_num_queries: Any
) -> None:
    report(api)
    for hours in range(30):
        document(alice, MONDAY + timedelta(hours=hours))
    with django_assert_num_queries(2):
        assert report(api)["totals"]["count"] == 30


def test_left_to_itself_it_reports_the_last_thirty_days(api: APIClient, alice: Tenant) -> None:
    now = timezone.now()
    for days in (0, 29, 30):
        document(alice, now - timedelta(days=days))
    found = api.get(URL).json()
    assert found["totals"]["count"] == 2
    assert date.fromisoformat(found["to"]) - date.fromisoformat(found["from"]) == timedelta(29)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("", "2026-02-10", "2026-03-11"),
        ("from=2026-03-01", "2026-03-01", "2026-03-11"),
        ("to=2026-01-31", "2026-01-02", "2026-01-31"),
        ("from=2024-01-01&to=2024-12-31", "2024-01-01", "2024-12-31"),
    ],
)
def test_the_period_that_is_meant(asked: str, first: str, last: str) -> None:
    query = read_query(QueryDict(asked), today=date(2026, 3, 11))
    assert (str(query.first), str(query.last)) == (first, last)


def test_every_fault_of_the_query_is_told_at_once(api: APIClient) -> None:
    answer = api.get(
        URL, {"from": "yesterday", "to": "", "group_by": "day,planet,x", "format": "pdf"}
    )
    assert answer.status_code == 400
    assert errors(answer) == [
        ("format", "invalid_choice"),
        ("from", "invalid"),
        ("group_by", "invalid_choice"),
        ("to", "invalid"),
    ]
    assert "planet, x" in answer.content.decode()


@pytest.mark.parametrize(
    ("first", "last", "fault"),
    [
        ("2026-03-02", "2026-03-01", ("from", "period_reversed")),
        ("2025-01-01", "2026-01-02", ("from", "period_too_long")),
        ("0001-01-01", "2026-01-01", ("from", "out_of_range")),
        ("2026-01-01", "9999-12-31", ("to", "out_of_range")),
        ("2026-02-30", "2026-03-01", ("from", "invalid")),
        ("2026-03-01\0", "2026-03-01", ("from", "invalid")),
    ],
)
def test_a_period_that_makes_no_sense_is_refused(
    api: APIClient, first: str, last: str, fault: tuple[str, str]
) -> None:
    answer = api.get(URL, {"from": first, "to": last})
    assert answer.status_code == 400
    assert errors(answer) == [fault]


def test_a_year_fits_even_a_leap_one() -> None:
    query = read_query(QueryDict("from=2024-01-01&to=2024-12-31"), today=date(2026, 3, 11))
    assert (query.last - query.first).days + 1 == MOST_DAYS


def test_as_csv_it_is_a_file_to_download(api: APIClient, alice: Tenant) -> None:
    document(alice, legal_status="DGI_AUTHORIZED")
    document(alice)
    answer = api.get(URL, MARCH | {"format": "csv"}, HTTP_ACCEPT="text/csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == (
        'attachment; filename="documents_2026-03-01_2026-03-31.csv"'
    )
    assert list(csv.reader(io.StringIO(answer.content.decode("utf-8"), newline=""))) == [
        ["day", "type", "legal_status", "count", "net", "itbms", "total"],
        ["2026-03-02", "01", "", "1", "100.00", "7.00", "107.00"],
        ["2026-03-02", "01", "DGI_AUTHORIZED", "1", "100.00", "7.00", "107.00"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+507", "-x", "@SUM(A1)", "\tx", "\rx"])
def test_a_text_in_a_csv_never_becomes_a_formula(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("value", "text"), [("a=b", "a=b"), (Decimal("-5.00"), "-5.00"), (None, ""), (0, "0")]
)
def test_other_cells_stay_what_they_are(value: object, text: str) -> None:
    assert cell(value) == text


def test_a_key_that_may_read_is_enough(alice: Tenant, client_of: Callable[..., APIClient]) -> None:
    assert client_of(alice, "read").get(URL).status_code == 200
    assert client_of(alice, "write").get(URL).status_code == 403


@pytest.mark.parametrize("asked", ["", "?format=csv", "?from=nonsense"])
def test_no_key_is_401(asked: str) -> None:
    assert APIClient().get(URL + asked).status_code == 401
