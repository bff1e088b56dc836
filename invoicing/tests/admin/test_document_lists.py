"""The lists of documents: found by what people have at hand, at a price that does not grow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import sign_in, staff_of
from invoicing.admin import changelist, search
from invoicing.models import Document, Invoice, LegalStatus
from invoicing.services import attention
from invoicing.tests.admin.conftest import LIST, page_of
from tenants.models import Office, Tenant
from tenants.tests.admin.conftest import browser_of

pytestmark = pytest.mark.django_db

CUFE = "FE0120000155596713-2-2015-5900012026112200000000010010127470902259"


@pytest.fixture
def desk(db: None) -> Client:
    return sign_in(Client(), staff_of("operador"))


def made(tenant: Tenant, number: int = 1, **changes: Any) -> Invoice:
    """A row of an invoice, without the way that made it."""
    values = {
        "document_type": "01",
        "dgi_document_type": "01",
        "generation_mode": "DGI",
        "office": tenant.main_office,
        "billing_point": "001",
        "number": f"{number:010d}",
        "issued_at": timezone.now(),
        "nature": "01",
        "destination": 1,
        "sale_type": 1,
        "receiver_type": "CONTRIBUYENTE",
        "receiver_ruc": "155646463-2-2017",
        "receiver_name": "Cliente Prueba, S.A.",
        "receiver_country": "PA",
        "submission_state": "DONE",
        "total": "203.30",
    }
    row: Invoice = Invoice.unscoped.create(tenant=tenant, **values | changes)
    return row


def names(page: Any, *documents: Document) -> list[bool]:
    """Whether the page leads to each document."""
    text = page.content.decode()
    return [page_of(document) in text for document in documents]


@pytest.mark.parametrize(
    "term",
    [
        "0000000042",
        "42",
        "001-0000000042",
        "001-42",
        "0001-001-0000000042",
        CUFE,
        CUFE.lower(),
        "8-274-125",
        "OC-1",
        "01JAAAAAAAAAAAAAAAAAAAAAAA",
        " 42 ",
    ],
)
def test_it_is_found_by_what_people_have_at_hand(desk: Client, alice: Tenant, term: str) -> None:
    wanted = made(
        alice,
        42,
        computed_cufe=CUFE,
        invoice_number=CUFE,
        receiver_ruc="8-274-125",
        external_id="OC-1",
        document_id="01JAAAAAAAAAAAAAAAAAAAAAAA",
    )
    assert names(desk.get(LIST, {"q": term}), wanted, made(alice, 43)) == [True, False]


@pytest.mark.parametrize("term", ["4", "OC", "002-42", "0002-001-42", "8-274", CUFE[:-1]])
def test_a_part_of_it_finds_nothing(desk: Client, alice: Tenant, term: str) -> None:
    wanted = made(alice, 42, computed_cufe=CUFE, receiver_ruc="8-274-125", external_id="OC-1")
    assert names(desk.get(LIST, {"q": term}), wanted) == [False]


def test_a_search_uses_indexes_and_never_the_middle_of_a_text(desk: Client, alice: Tenant) -> None:
    made(alice)
    for term in ("42", "0001-001-42", CUFE, "8-274-125", "01JAAAAAAAAAAAAAAAAAAAAAAA"):
        with CaptureQueriesContext(connection) as queries:
            desk.get(LIST, {"q": term})
        said = " ".join(query["sql"] for query in queries).upper()
        assert " LIKE " not in said
        assert "UPPER(" not in said


@pytest.mark.parametrize(
    ("query", "changes"),
    [
        ({"legal": "DGI_REJECTED"}, {"legal_status": LegalStatus.DGI_REJECTED}),
        ({"submission_state__exact": "UNCERTAIN"}, {"submission_state": "UNCERTAIN"}),
        ({"status__exact": "PAST_DUE"}, {"status": "PAST_DUE"}),
        ({"generation_mode__exact": "DGI_IMPORT"}, {"generation_mode": "DGI_IMPORT"}),
        ({"attention": "failed"}, {"submission_state": "FAILED", "queued_at": timezone.now()}),
        ({"attention": "any"}, {"submission_state": "FAILED"}),
        ({"attention": "any", "legal": "none"}, {"submission_state": "FAILED"}),
    ],
)
def test_it_is_filtered_by_state(
    desk: Client, alice: Tenant, query: dict[str, str], changes: dict[str, Any]
) -> None:
    wanted = made(alice, 1, **changes)
    other = made(
        alice,
        2,
        legal_status="DGI_AUTHORIZED",
        invoice_number=CUFE,
        document_id="01JAAAAAAAAAAAAAAAAAAAAAAA",
    )
    assert names(desk.get(LIST, query), wanted, other) == [True, False]


def test_a_reason_that_there_is_not_shows_nothing(desk: Client, alice: Tenant) -> None:
    row = made(alice, submission_state="FAILED")
    assert names(desk.get(LIST, {"attention": "moon"}), row) == [False]


def test_it_is_filtered_by_tenant_and_office(desk: Client, alice: Tenant, bob: Tenant) -> None:
    branch = Office.unscoped.create(
        tenant=alice, code="0002", coordinates="", address="", telephone="", location="8-8-7"
    )
    hers, his, branches = made(alice), made(bob), made(alice, office=branch)
    page = desk.get(LIST, {"tenant__id__exact": str(alice.pk)})
    assert names(page, hers, his, branches) == [True, False, True]
    assert names(desk.get(LIST, {"office_code": "2"}), hers, his, branches) == [False, False, True]


def test_days_are_panamas_from_midnight_to_midnight(desk: Client, alice: Tenant) -> None:
    """23:59 in Panama is the next day's morning in UTC."""
    evening = made(alice, 1, issued_at=datetime(2026, 11, 23, 4, 59, tzinfo=UTC))
    night = made(alice, 2, issued_at=datetime(2026, 11, 23, 5, 0, tzinfo=UTC))
    day = {"issued_at_from": "22/11/2026", "issued_at_to": "22/11/2026"}
    assert names(desk.get(LIST, day), evening, night) == [True, False]
    day = {"issued_at_from": "23/11/2026", "issued_at_to": ""}
    assert names(desk.get(LIST, day), evening, night) == [False, True]
    assert desk.get(LIST, {"issued_at_from": "moon"}).status_code == 302


@pytest.mark.parametrize(
    "query", [{}, {"tenant__id__exact": ""}, {"attention": "any"}, {"q": "155646463-2-2017"}]
)
@pytest.mark.parametrize("kind", ["invoice", "creditnote", "debitnote"])
def test_it_costs_the_same_however_long_and_counts_nothing(
    desk: Client, alice: Tenant, bob: Tenant, query: dict[str, str], kind: str
) -> None:
    code = {"invoice": "01", "creditnote": "02", "debitnote": "03"}[kind]
    query = query | ({"tenant__id__exact": str(alice.pk)} if "tenant__id__exact" in query else {})
    address = f"/admin/invoicing/{kind}/"
    made(alice, 1, document_type=code, submission_state="FAILED")
    desk.get(address, query)
    spent = []
    for numbers in (range(2), range(2, 70)):
        for number in numbers:
            tenant = bob if number % 3 == 2 else alice
            made(tenant, number + 2, document_type=code, submission_state="FAILED")
        with CaptureQueriesContext(connection) as queries:
            page = desk.get(address, query)
        assert "Cliente Prueba" in page.content.decode()
        spent.append(len(queries))
        assert not [q["sql"] for q in queries if "COUNT(" in q["sql"].upper()]
    assert spent[0] == spent[1]
    # Session, user, device and two of rights; then the rows. A tenant that is chosen has a name.
    assert spent[0] <= 8


def test_one_page_leads_to_the_next_and_back(
    desk: Client, alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [made(alice, number) for number in range(1, 104)]
    first = desk.get(LIST)
    assert names(first, rows[-1], rows[53], rows[52]) == [True, True, False]
    assert 'rel="next"' in first.content.decode()
    assert 'rel="prev"' not in first.content.decode()
    last = desk.get(LIST, {"p": 3})
    assert names(last, rows[3], rows[2], rows[0]) == [False, True, True]
    assert 'rel="next"' not in last.content.decode()
    assert 'rel="prev"' in last.content.decode()
    monkeypatch.setattr(changelist, "DEEPEST", 2)
    assert "Hay más: use los filtros" in desk.get(LIST, {"p": 2}).content.decode()
    for beyond in ("3", "0", "-1"):
        assert desk.get(LIST, {"p": beyond}).status_code == 302


def test_no_address_makes_the_database_sort_or_count(desk: Client, alice: Tenant) -> None:
    made(alice)
    for query in ({"o": "5"}, {"o": "-2.3"}, {"_facets": "True"}, {"all": ""}):
        with CaptureQueriesContext(connection) as queries:
            desk.get(LIST, query)
        said = [q["sql"] for q in queries if "invoicing_document" in q["sql"]]
        assert not [sql for sql in said if "COUNT(" in sql.upper()]
        assert all('ORDER BY "invoicing_document"."id" DESC' in sql for sql in said)


def test_who_is_bound_to_a_tenant_is_offered_no_other(alice: Tenant, bob: Tenant) -> None:
    hers, his = made(alice), made(bob)
    browser = browser_of(staff_of("soporte", tenant=bob))
    page = browser.get(LIST)
    assert names(page, hers, his) == [False, True]
    assert "tenant__id__exact" not in page.content.decode()
    chosen = browser.get(LIST, {"tenant__id__exact": str(alice.pk)})
    assert names(chosen, hers, his) == [False, False]
    assert alice.name not in chosen.content.decode()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="plans of PostgreSQL")
def test_every_way_to_a_document_has_its_index(alice: Tenant) -> None:
    """Rows are few in a test: what matters is that PostgreSQL can use an index."""
    made(alice)
    documents = Invoice.unscoped.filter(document_type="01").order_by("-id")
    looks = [
        search.found(documents, term)[:51] for term in ("42", CUFE, "8-274-125", "0001-001-42")
    ]
    looks += [attention.documents(reason).order_by("-id")[:51] for reason, _ in attention.reasons()]
    looks += [documents[:51], documents.filter(tenant=alice)[:51]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    for look in looks:
        plan = look.explain()
        assert "Seq Scan on invoicing_document " not in plan, plan
