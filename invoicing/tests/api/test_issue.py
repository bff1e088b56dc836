"""POST /invoices: what a sound body becomes, and that a refused one leaves nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import Document, HistoryEntry
from invoicing.tests.api import EVERYTHING, ISSUED_AT, URL, cash, errors, sample, stored, with_line
from pac.dgi import cufe
from pac.sandbox import Sandbox
from tenants.models import ApiKey, NumberSeries, Office, Tenant

pytestmark = pytest.mark.django_db


def test_an_invoice_is_born_queued_numbered_and_with_its_cufe(
    api: APIClient, alice: Tenant
) -> None:
    response = api.post(URL, body(issued_at="2026-11-01T23:30:00-05:00"))
    document = Document.unscoped.get()
    assert response.data["submission"] == {
        "state": "QUEUED",
        "attempts": 0,
        "next_attempt_at": response.data["submission"]["next_attempt_at"],
        "error": None,
    }
    assert (response.data["document_type"], response.data["dgi_document_type"]) == ("01", "01")
    assert response.data["number"] == "0000000001"
    assert (response.data["cufe"], response.data["invoice_number"]) == (None, None)
    assert response.data["legal_status"] is None
    assert response.data["is_fiscally_valid"] is False
    assert document.computed_cufe == cufe.build(
        document_type="01",
        ruc_type=alice.issuer_ruc_type,
        ruc=alice.ruc,
        dv=alice.dv,
        branch="0001",
        issued_on=datetime(2026, 11, 1, tzinfo=UTC).date(),
        number="0000000001",
        billing_point="001",
        issue_type="01",
        environment=2,
        security_code=document.security_code,
    )
    assert re.fullmatch("[0-9]{9}", document.security_code)
    [entry] = HistoryEntry.unscoped.all()
    assert (entry.event, entry.owner_id) == ("issued", document.pk)


def test_numbers_follow_each_other_in_each_series(api: APIClient, alice: Tenant) -> None:
    branch = Office.unscoped.create(tenant=alice, code="0002", pac_office_id="01OFFICE2")

    def number(**changes: Any) -> str:
        response = api.post(URL, body(**changes))
        assert response.status_code == 201, response.content
        return response.data["number"].lstrip("0")  # type: ignore[no-any-return]

    assert [number() for _ in range(3)] == ["1", "2", "3"]
    assert number(billing_point="002") == "1"
    assert number(office=branch.code) == "1"
    assert number(dgi_document_type="08") == "1"
    assert number(generation_mode="PROFORM") == "1"
    assert number() == "4"
    assert NumberSeries.unscoped.count() == 5


def test_a_proforma_is_never_queued_and_has_its_page_at_once(api: APIClient) -> None:
    response = api.post(URL, sample("proforma"))
    assert response.data["submission"]["state"] == "NONE"
    assert response.data["submission"]["next_attempt_at"] is None
    [file] = response.data["files"]
    assert (file["kind"], file["name"]) == ("PDF", "proforma-0000000001.pdf")
    assert not OrmQ.objects.exists()
    assert Document.unscoped.get().computed_cufe is None


def test_amounts_and_times_of_the_answer_are_strings_with_offset(api: APIClient) -> None:
    response = api.post(URL, cash(issued_at="2026-11-01T04:30:00Z"))
    shown = response.json()
    assert shown["issued_at"] == "2026-10-31T23:30:00-05:00"
    assert all(isinstance(amount, str) for amount in shown["totals"].values())
    line = shown["lines"][0]
    assert (line["quantity"], line["unit_price"], line["unit_discount"]) == ("2", "100.00", "5.00")
    assert shown["payment_methods"] == [{"method": "02", "amount": "203.30", "description": ""}]
    assert re.search(r"-05:00$", shown["created_at"])


def test_minus_zero_is_zero(api: APIClient) -> None:
    response = api.post(URL, with_line(cash(freight="-0.00"), unit_discount="-0", isc_amount="-0"))
    assert response.status_code == 201, response.content
    assert '"-0' not in response.content.decode()


def test_an_external_id_stands_for_one_document_until_that_is_rejected(api: APIClient) -> None:
    first = api.post(URL, body(external_id="order-1"))
    before = stored()
    second = api.post(URL, body(external_id="order-1"))
    assert second.status_code == 409
    assert errors(second) == [(None, "external_id_taken")]
    assert first.data["id"] in second.json()["errors"][0]["detail"]
    assert stored() == before
    assert api.post(URL, body(external_id="order-2")).status_code == 201
    Document.unscoped.filter(pk=first.data["id"]).update(
        legal_status="PAC_REJECTED", submission_state="DONE", next_attempt_at=None
    )
    again = api.post(URL, body(external_id="order-1"))
    assert again.status_code == 201
    assert again.data["number"] == "0000000003"


def test_no_external_id_is_no_external_id_however_often(api: APIClient) -> None:
    for external_id in ("", None, "  ", ""):
        assert api.post(URL, body(external_id=external_id)).data["external_id"] is None


def test_an_external_id_belongs_to_its_tenant(api: APIClient, bob: Tenant, client_of: Any) -> None:
    assert api.post(URL, body(external_id="order-1")).status_code == 201
    assert client_of(bob).post(URL, body(external_id="order-1")).status_code == 201


@pytest.mark.parametrize("column", ["pac_company_id", "pac_office_id"])
def test_a_tenant_that_the_pac_does_not_know_issues_proformas_only(
    column: str, api: APIClient, alice: Tenant
) -> None:
    owner = alice if column == "pac_company_id" else alice.main_office
    setattr(owner, column, "")
    owner.save()
    before = stored()
    response = api.post(URL, body())
    assert (response.status_code, errors(response)) == (409, [(None, "tenant_not_ready")])
    assert stored() == before
    assert api.post(URL, sample("proforma")).status_code == 201


def test_a_tenant_without_an_office_is_told_so(api: APIClient, alice: Tenant) -> None:
    alice.main_office = None
    alice.save()
    response = api.post(URL, body())
    assert (response.status_code, errors(response)) == (400, [("office", "office_unknown")])


def test_another_tenants_office_does_not_exist(api: APIClient, bob: Tenant) -> None:
    Office.unscoped.create(tenant=bob, code="0007", pac_office_id="01OFFICE7")
    response = api.post(URL, body(office="0007"))
    assert errors(response) == [("office", "office_unknown")]


def test_faults_of_form_and_of_substance_are_told_together_and_nothing_is_kept(
    api: APIClient,
) -> None:
    api.post(URL, body())  # a series exists
    before = stored()
    bad = body(
        dgi_document_type="99",
        office="0099",
        billing_point="000",
        destination="1",
        freight=5,
        nonsense=True,
        payment_methods=[{"method": "02", "amount": "1,00"}],
    )
    bad["receiver"] |= {"dv": "11", "phone": "1", "location": "x"}
    bad["lines"].append({"description": "x", "quantity": "0", "unit_price": 5, "itbms_rate": "9"})
    response = api.post(URL, bad, HTTP_IDEMPOTENCY_KEY="a key")
    assert response.status_code == 400
    assert response.json()["type"] == "validation_error"
    assert errors(response) == sorted(
        [
            ("billing_point", "billing_point_malformed"),
            ("destination", "invalid"),
            ("dgi_document_type", "document_type_unknown"),
            ("freight", "not_a_string"),
            ("lines.1.description", "description_length"),
            ("lines.1.itbms_rate", "itbms_rate_unknown"),
            ("lines.1.quantity", "not_positive"),
            ("lines.1.unit_price", "not_a_string"),
            ("nonsense", "unknown_field"),
            ("office", "office_unknown"),
            ("payment_methods.0.amount", "invalid"),
            ("receiver.dv", "ruc_dv_mismatch"),
            ("receiver.location", "location_malformed"),
            ("receiver.phone", "unknown_field"),
        ]
    )
    details = {error["attr"]: error["detail"] for error in response.json()["errors"]}
    assert details["receiver.dv"].endswith("(DGI 1601)")
    assert details["billing_point"].endswith("(DGI 1515)")
    assert stored() == before


def test_line_ten_is_told_after_line_nine(api: APIClient) -> None:
    lines = [body()["lines"][0] | {"quantity": "0"} for _ in range(12)]
    told = errors(api.post(URL, body(lines=lines)))
    assert told == [(f"lines.{index}.quantity", "not_positive") for index in range(12)]


@pytest.mark.parametrize(
    ("changes", "status", "path"),
    [
        ({"receiver": {"type": "GOBIERNO"}}, 400, "receiver.ruc"),
        ({"due_date": "2001-01-01"}, 400, "due_date"),
        ({"payment_methods": [{"method": "03", "amount": "999.00"}]}, 400, "payment_methods"),
        ({"external_id": "taken"}, 409, None),
        ({"lines": []}, 400, "lines"),
    ],
)
@pytest.mark.parametrize("mode", ["DGI", "PROFORM"])
def test_what_is_refused_leaves_nothing_and_uses_no_number(
    mode: str, changes: dict[str, Any], status: int, path: str | None, api: APIClient
) -> None:
    api.post(URL, body(external_id="taken", generation_mode=mode))
    before = stored()
    response = api.post(
        URL, body(generation_mode=mode, **changes), HTTP_IDEMPOTENCY_KEY="of the refused"
    )
    assert response.status_code == status
    assert path in {attr for attr, _ in errors(response)}
    assert stored() == before
    assert api.post(URL, body(generation_mode=mode)).data["number"] == "0000000002"


def test_the_last_number_of_a_series_ends_it(api: APIClient) -> None:
    api.post(URL, body())
    NumberSeries.unscoped.update(last_number=9_999_999_998)
    assert api.post(URL, body()).data["number"] == "9999999999"
    before = stored()
    response = api.post(URL, body())
    assert (response.status_code, errors(response)) == (409, [(None, "number_series_exhausted")])
    assert stored() == before


@pytest.mark.parametrize("wait", ["31", "-1", "1.5", "abc", "", "٣", "1e1"])
def test_a_wait_that_is_no_number_of_seconds_is_refused_before_anything_is_issued(
    wait: str, api: APIClient
) -> None:
    response = api.post(f"{URL}?wait={wait}", body())
    assert (response.status_code, errors(response)) == (400, [("wait", "invalid")])
    assert not Document.unscoped.exists()


def test_a_thousand_lines_are_issued_and_add_up(api: APIClient) -> None:
    lines = [
        {"description": f"Renglón {n}", "quantity": "1", "unit_price": "0.50", "itbms_rate": "01"}
        for n in range(1000)
    ]
    response = api.post(URL, cash(lines=lines))
    assert response.status_code == 201, response.content
    assert response.data["totals"]["itbms"] == "40.00"  # 0.035 is 0.04, a thousand times
    assert response.data["totals"]["total"] == "540.00"
    assert response.data["lines"][999]["number"] == 1000


def statements(context: CaptureQueriesContext) -> list[str]:
    return [
        query["sql"]
        for query in context.captured_queries
        if not query["sql"].startswith(("BEGIN", "COMMIT"))
    ]


def issue_counting(api: APIClient, posted: dict[str, Any], **headers: str) -> list[str]:
    cache.clear()  # so that the bell rings, whenever it rang last
    with CaptureQueriesContext(connection) as context:
        response = api.post(URL, posted, **headers)
    assert response.status_code == 201, response.content
    return statements(context)


@pytest.mark.django_db(transaction=True)
def test_a_cash_sale_is_issued_with_at_most_eight_statements_the_brokers_included(
    api: APIClient,
) -> None:
    api.post(URL, cash())
    rung = OrmQ.objects.count()
    found = issue_counting(api, cash())
    assert OrmQ.objects.count() == rung + 1
    assert len(found) <= 8, "\n".join(found)
    assert len(issue_counting(api, cash(), HTTP_IDEMPOTENCY_KEY="k")) <= 8


@pytest.mark.django_db(transaction=True)
def test_the_number_of_statements_does_not_grow_with_the_lines(api: APIClient) -> None:
    api.post(URL, cash())
    line = cash()["lines"][0]
    # SQLite takes some hundred values in one statement.
    many = 500 if connection.vendor == "postgresql" else 40
    few = issue_counting(api, cash())
    assert len(issue_counting(api, cash(lines=[line] * many))) == len(few)


@pytest.mark.django_db(transaction=True)
def test_a_key_used_long_ago_costs_one_more_statement_to_say_so(api: APIClient) -> None:
    few = issue_counting(api, cash())
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(hours=1))
    assert len(issue_counting(api, cash())) <= len(few) + 1


@pytest.mark.django_db(transaction=True)
def test_waiting_ends_at_once_for_a_proforma_and_at_the_time_out_for_the_rest(
    api: APIClient, box: Sandbox
) -> None:
    began = timezone.now()
    assert api.post(f"{URL}?wait=30", sample("proforma")).status_code == 201
    response = api.post(f"{URL}?wait=1", body())
    assert (response.status_code, response.data["legal_status"]) == (201, None)
    assert timezone.now() - began < timedelta(seconds=10)


def test_every_part_of_the_answer_is_the_same_before_and_after_it_is_stored(
    api: APIClient,
) -> None:
    everything = EVERYTHING | {"metadata": {"b": "1", "a": "2"}, "emails": ["x@y.test"]}
    everything["contingency"] = everything["contingency"] | {
        "started_at": "2026-03-01T13:00:00.123456Z"
    }
    response = api.post(URL, everything | {"issued_at": ISSUED_AT})
    assert response.status_code == 201, response.content
    assert api.get(f"{URL}/{response.data['id']}").json() == response.json()
    assert response.json()["exportation"]["exchange_rate"] == "1.085000"
    assert response.json()["exportation"]["amount"] == "119.80"


@pytest.mark.parametrize(
    ("quantity", "price"),
    [
        ("1", "999999999.999999"),
        ("999999999.999999", "1"),
        ("999.999999", "999999999.99"),
        ("0.000001", "0.000001"),
        ("123456789.123457", "8099.999927"),
    ],
)
def test_what_is_issued_is_stored_to_the_last_digit(
    quantity: str, price: str, api: APIClient
) -> None:
    posted = with_line(quantity=quantity, unit_price=price, unit_discount="0", itbms_rate="00")
    response = api.post(URL, posted)
    assert response.status_code == 201, response.content
    exact = (Decimal(quantity) * Decimal(price)).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert Decimal(response.data["totals"]["total"]) == exact
    assert api.get(f"{URL}/{response.data['id']}").json() == response.json()
    assert api.get(URL).status_code == 200
