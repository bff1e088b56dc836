"""The dashboard and the month's table: each number, and the list of exactly its rows behind it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import resolve
from django.utils import timezone

from conftest import sign_in, staff_of
from invoicing.admin.dashboard import age
from invoicing.models import (
    Breaker,
    Document,
    EmailDelivery,
    FiscalEvent,
    PacExchange,
    PumpLease,
)
from invoicing.pdf.formats import money
from invoicing.services import attention
from invoicing.tests.rows import call_row, document_row
from pac.dgi.calendar import panama_date
from tenants.models import Tenant, User
from tenants.tests.admin.conftest import browser_of, staff

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

INDEX = "/admin/"
MONTHLY = "/admin/invoicing/document/monthly/"
QUERIES = 24  # of which 5 are the session's, the user's and his rights'


def page(browser: Client, address: str = INDEX, **query: str) -> Any:
    answer = browser.get(address, query)
    assert answer.status_code == 200
    return answer


def desk_of(role: str, tenant: Tenant | None = None) -> Client:
    return sign_in(Client(), staff_of(role, tenant=tenant))


class Links(HTMLParser):
    """The numbers of a page: the text of each of its links to a list, and where it leads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.href: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and "dash-link" in (values.get("class") or ""):
            self.href = values["href"]

    def handle_data(self, data: str) -> None:
        if self.href is not None:
            self.found.append((data.strip(), self.href))
            self.href = None


def figures(answer: Any) -> list[tuple[str, str]]:
    """Text and address of each number that leads to a list."""
    links = Links(answer.content.decode()).found
    assert links
    return [(text, href) for text, href in links if "monthly" not in href]


def rows_behind(user: User, address: str) -> Any:
    """What the list at this address would show to the user: filters that are unknown to the list
    raise here."""
    parts = urlsplit(address)
    request = RequestFactory().get(parts.path, parse_qsl(parts.query))
    request.user = user
    request.resolver_match = resolve(parts.path)
    view = request.resolver_match.func
    return view.model_admin.get_changelist_instance(request).queryset


@pytest.fixture
def day_at_work(alice: Tenant, bob: Tenant) -> None:
    """Two tenants with something of everything that the dashboard counts."""
    now = timezone.now()
    week_ago = now - timedelta(days=7)
    for tenant in (alice, bob, bob):
        authorized = document_row(tenant, legal_status="DGI_AUTHORIZED", total="1234.56")
        document_row(tenant, legal_status="DGI_AUTHORIZED", document_type="02")
        document_row(tenant, legal_status="PAC_AUTHORIZED", next_poll_at=now)
        document_row(tenant, legal_status="PAC_REJECTED", document_type="03")
        document_row(tenant, legal_status="DGI_REJECTED", document_id=f"R{authorized.number}")
        document_row(tenant, issued_at=now - timedelta(days=2), legal_status="DGI_AUTHORIZED")
        document_row(tenant, issued_at=week_ago, legal_status="DGI_AUTHORIZED")
        document_row(tenant, generation_mode="PROFORM", submission_state="NONE")
        document_row(tenant, submission_state="FAILED")
        document_row(tenant, submission_state="QUEUED", next_attempt_at=now + timedelta(hours=1))
        uncertain = {"submission_state": "UNCERTAIN", "next_attempt_at": now}
        document_row(tenant, **uncertain, doubtful_since=now - timedelta(hours=1))
        document_row(tenant, **uncertain, doubtful_since=now)  # not for long
        document_row(
            tenant, **uncertain, doubtful_since=now, submission_error={"code": "match_doubted"}
        )
        event = {"tenant": tenant, "reason": "r", "requested_at": now}
        FiscalEvent.unscoped.create(owner=authorized, state="REFUSED", **event)
        voided = document_row(tenant, legal_status="DGI_AUTHORIZED")
        FiscalEvent.unscoped.create(owner=voided, state="ACCEPTED", settled_at=now, **event)
        waiting = document_row(tenant, legal_status="DGI_AUTHORIZED")
        FiscalEvent.unscoped.create(owner=waiting, next_attempt_at=now, **event)
        for occasion, columns in (
            ("failed", {"state": "FAILED"}),
            ("queued", {"next_attempt_at": now}),
        ):
            EmailDelivery.unscoped.create(
                tenant=tenant,
                owner=authorized if occasion == "failed" else waiting,
                occasion=occasion,
                message_id="m",
                **columns,
            )
        call_row(tenant, ms=80)
        call_row(tenant, ms=40_000, status=503)
        call_row(tenant, ms=90, minutes=30)
        call_row(tenant, ms=1, minutes=90)
    today = panama_date(now)
    ends = {alice.pk: today + timedelta(days=30), bob.pk: today + timedelta(days=31)}
    for pk, day in ends.items():
        Tenant.objects.filter(pk=pk).update(certificates_expire_on=day)
    Tenant.objects.filter(pk=bob.pk).update(onboarding_error='{"code": "x"}')
    for name, seconds in (("a", 5), ("b", 500)):
        seen = now - timedelta(seconds=seconds)
        PumpLease.objects.create(
            name=f"pac@{name}", role="pac", holder="h", renewed_at=seen, expires_at=seen
        )
    Breaker.objects.create(key="c" * 64, failures=12, retry_at=now, reason="503")
    Breaker.objects.create(key="d" * 64, failures=3)


@pytest.mark.parametrize("address", [INDEX, MONTHLY])
@pytest.mark.parametrize("is_bound", [False, True])
def test_each_number_leads_to_the_list_of_exactly_its_rows(
    day_at_work: None, alice: Tenant, address: str, is_bound: bool
) -> None:
    user = staff_of("operador", tenant=alice if is_bound else None)
    found = figures(page(sign_in(Client(), user), address))
    counted = {
        href: int(text.replace(",", "")) for text, href in found if text.replace(",", "").isdigit()
    }
    assert len(counted) > (8 if address == MONTHLY else 50)
    assert sum(count > 0 for count in counted.values()) > (6 if address == MONTHLY else 25)
    assert {href: rows_behind(user, href).count() for href in counted} == counted
    for text, href in found:
        if text.startswith("B/."):
            total = rows_behind(user, href).aggregate(total=Sum("total"))["total"]
            assert text == money(total), href
        elif href not in counted:  # times and rates: of what is in the list
            assert text == "—" or "invoicing/pa" in href or "pumplease" in href, (text, href)


def test_the_lists_open(day_at_work: None, operator_browser: Client) -> None:
    """One address to each list, as the browser asks for it."""
    found = figures(page(operator_browser))
    lists = {urlsplit(href).path: href for text, href in found if text != "0"}
    assert len(lists) == 7
    for href in lists.values():
        answer = page(operator_browser, href)
        assert (
            len(answer.context["cl"].result_list)
            == rows_behind(answer.wsgi_request.user, href).count()
        )


def numbers(answer: Any, name: str) -> dict[str, str]:
    return {figure.label: figure.text for figure in answer.context[name]}


def test_who_looks_after_all_sees_all(day_at_work: None, operator_browser: Client) -> None:
    answer = page(operator_browser)
    # 12 of each are of the DGI and of today; 3 invoices of each are authorised.
    assert list(numbers(answer, "cards").values()) == [
        *("36", "B/. 4,923.48"),
        *("39", "B/. 5,533.38"),
    ]
    reasons = dict(attention.reasons())
    assert numbers(answer, "attention") == {
        reasons["match_doubted"]: "3",
        reasons["verdict_differs"]: "0",
        reasons["failed"]: "3",
        reasons["uncertain"]: "3",
        reasons["dgi_rejected"]: "3",
        reasons["pac_rejected"]: "3",
        reasons["void_refused"]: "3",
        reasons["email_failed"]: "3",
        "Certificados vencidos o por vencer en 30 días": "1",
        "Incorporación detenida": "1",
    }
    assert answer.context["circuits"]["count"].text == "1"
    assert [figure.text for figure in answer.context["calls"][0][1:]] == [
        *("6", "3", "50.0%"),
        *("80 ms", "40,000 ms"),
    ]


def test_who_is_bound_to_a_tenant_sees_his_own_and_no_machine(
    day_at_work: None, alice: Tenant, bob: Tenant
) -> None:
    answer = page(desk_of("operador", bob))
    text = answer.content.decode()
    assert bob.name in text
    assert alice.name not in text
    assert set(numbers(answer, "attention").values()) == {"2", "0", "1"}
    assert answer.context["heartbeats"] == []
    assert answer.context["circuits"] is None
    assert "pumplease" not in text
    assert answer.context["calls"][0][1].text == "4"


def test_what_needs_nobody_is_zero(operator_browser: Client) -> None:
    answer = page(operator_browser)
    assert set(numbers(answer, "attention").values()) == {"0"}
    assert answer.context["calls"][0][4].text == "—"
    assert set(numbers(answer, "heartbeats").values()) == {"nunca visto"}


def test_a_worker_that_was_not_seen_for_a_minute_is_red(
    day_at_work: None, operator_browser: Client
) -> None:
    pac, mail = page(operator_browser).context["heartbeats"]
    assert (pac.colour, mail.colour) == ("success", "danger")
    PumpLease.objects.update(renewed_at=timezone.now() - timedelta(seconds=61))
    pac, _ = page(operator_browser).context["heartbeats"]
    assert (pac.colour, pac.text) == ("danger", "hace 1 min")


def test_counting_stops_where_nobody_counts_any_more(
    day_at_work: None, operator_browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "COUNTED_AT_MOST", 2)
    shown = numbers(page(operator_browser), "attention")
    assert shown[dict(attention.reasons())["failed"]] == "2+"


def test_the_chart_is_stacked_by_day_and_verdict(
    day_at_work: None, operator_browser: Client
) -> None:
    chart = page(operator_browser).context["chart"]
    data, options = json.loads(chart["data"]), json.loads(chart["options"])
    assert options["scales"]["x"]["stacked"] is options["scales"]["y"]["stacked"] is True
    today = panama_date(timezone.now())
    assert data["labels"] == [f"{today - timedelta(days=6 - n):%d/%m}" for n in range(7)]
    by_label = {dataset["label"]: dataset["data"] for dataset in data["datasets"]}
    assert by_label["Rechazadas DGI"] == [0, 0, 0, 0, 0, 0, 3]
    assert by_label["Autorizadas DGI"][4] == 3
    assert len(by_label) == 5


def test_the_queries_stay_the_same_however_much_there_is(
    operator_browser: Client, alice: Tenant, bob: Tenant, request: pytest.FixtureRequest
) -> None:
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            page(operator_browser)
        return len(queries)

    page(operator_browser)
    empty = asked()
    request.getfixturevalue("day_at_work")
    for _ in range(10):
        document_row(alice, submission_state="FAILED")
    Breaker.objects.bulk_create(Breaker(key=str(n), retry_at=timezone.now()) for n in range(9))
    assert asked() == empty == QUERIES


@pytest.mark.parametrize(
    ("rights", "shown"),
    [((), set()), (("view_document",), {"invoicing/document"}), (("view_tenant",), {"tenants"})],
)
def test_only_what_may_be_viewed_is_shown(
    day_at_work: None, rights: tuple[str, ...], shown: set[str]
) -> None:
    answer = page(browser_of(staff(*rights)))
    text = answer.content.decode()
    links = [href for _, href in Links(text).found]
    assert {name for name in shown if any(name in href for href in links)} == shown
    assert all(any(name in href for name in shown) for href in links)
    assert ("no hay nada que mostrar" in text) == (not shown)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (2 * 86_400 + 4 * 3600, "2 d 4 h"),
    ],
)
def test_an_age_is_told_in_two_units_at_most(seconds: float, text: str) -> None:
    assert age(timedelta(seconds=seconds)) == text


# --- the month's table ----------------------------------------------------------------------------


def cells(answer: Any) -> Iterator[tuple[str, list[str]]]:
    for tenant, row in answer.context["rows"]:
        yield tenant.name, [figure.text for figure in row]


def test_the_month_is_shown_by_tenant_and_summed_up(
    day_at_work: None, alice: Tenant, bob: Tenant
) -> None:
    today = panama_date(timezone.now())
    Document.unscoped.exclude(document_id=None).update(issued_at=timezone.now())
    answer = page(desk_of("auditor"), MONTHLY)
    # Facturas, notas de crédito y débito, documentos, autorizados, rechazados DGI y PAC, sin, anul.
    hers = ["7", "1", "0", "8", "6", "1", "0", "1", "1"]
    his = [str(2 * int(text)) for text in hers]
    assert dict(cells(answer)) == {alice.name: hers, bob.name: his}
    total = [figure.text for figure in answer.context["total"]]
    assert total == [str(3 * int(text)) for text in hers]
    assert answer.context["month"] == f"{today:%Y-%m}"


def test_another_month_is_chosen(operator_browser: Client, alice: Tenant) -> None:
    before = panama_date(timezone.now()).replace(day=1) - timedelta(days=1)
    document_row(
        alice, legal_status="DGI_AUTHORIZED", issued_at=timezone.now() - timedelta(days=32)
    )
    document_row(alice, legal_status="DGI_AUTHORIZED")
    Document.unscoped.filter(number__endswith="1").update(
        issued_at=timezone.now().replace(
            year=before.year, month=before.month, day=before.day, hour=12
        )
    )
    answer = page(operator_browser, MONTHLY, month=f"{before:%Y-%m}")
    assert [row[0] for _, row in cells(answer)] == ["1"]
    offered = [value for value, _ in answer.context["months"]]
    assert len(offered) == 24
    assert f"{before:%Y-%m}" == offered[1]
    old = page(operator_browser, MONTHLY, month="2020-02")
    assert "febrero 2020" in old.content.decode()
    assert "Ningún documento" in old.content.decode()


@pytest.mark.parametrize("month", ["x", "2026-13", "1999-12", "9999-01", "2026-1", "20261"])
def test_what_is_no_month_is_not_found(operator_browser: Client, month: str) -> None:
    assert operator_browser.get(MONTHLY, {"month": month}).status_code == 404


def test_it_is_downloaded_without_formulas(operator_browser: Client, alice: Tenant) -> None:
    Tenant.objects.filter(pk=alice.pk).update(name="=HYPERLINK(1)")
    document_row(alice, legal_status="DGI_AUTHORIZED")
    answer = page(operator_browser, MONTHLY, format="csv")
    month = f"{panama_date(timezone.now()):%Y-%m}"
    assert answer["Content-Disposition"] == f'attachment; filename="documentos_{month}.csv"'
    head, row = answer.content.decode().splitlines()
    assert head.startswith("Mes,RUC,DV,Contribuyente,Facturas,Notas de crédito,")
    assert row == f"{month},{alice.ruc},{alice.dv},'=HYPERLINK(1),1,0,0,1,1,0,0,0,0"


@pytest.mark.parametrize(
    ("role", "status"), [("operador", 200), ("auditor", 200), ("soporte", 403)]
)
def test_it_is_for_operators_and_auditors(role: str, status: int) -> None:
    browser = desk_of(role)
    assert browser.get(MONTHLY).status_code == status
    assert browser.get(MONTHLY, {"format": "csv"}).status_code == status
    assert (MONTHLY in browser.get(INDEX).content.decode()) == (status == 200)


def test_who_is_bound_counts_his_own_alone(day_at_work: None, alice: Tenant, bob: Tenant) -> None:
    browser = desk_of("auditor", alice)
    assert [name for name, _ in cells(page(browser, MONTHLY))] == [alice.name]
    assert bob.name not in page(browser, MONTHLY, format="csv").content.decode()


def test_the_month_takes_the_same_queries_however_many_tenants(
    operator_browser: Client, alice: Tenant, bob: Tenant
) -> None:
    document_row(alice, legal_status="DGI_AUTHORIZED")
    page(operator_browser, MONTHLY)
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            page(operator_browser, MONTHLY)
        asked.append(len(queries))
        document_row(bob, legal_status="DGI_AUTHORIZED")
    assert asked[0] == asked[1] <= 12


# --- the list of every kind -----------------------------------------------------------------------


def test_a_document_of_the_list_opens_on_the_page_of_its_kind(
    operator_browser: Client, alice: Tenant
) -> None:
    note = document_row(alice, document_type="02", submission_state="FAILED")
    of_kind = f"/admin/invoicing/creditnote/{note.pk}/change/"
    listed = page(operator_browser, "/admin/invoicing/document/", attention="any")
    assert of_kind in listed.content.decode()
    answer = operator_browser.get(f"/admin/invoicing/document/{note.pk}/change/")
    assert (answer.status_code, answer.url) == (302, of_kind)


def test_what_is_done_from_it_stands_in_the_log_of_its_kind(
    operator_browser: Client, alice: Tenant
) -> None:
    note = document_row(alice, document_type="02", submission_state="FAILED", attempts=0)
    sent = {"action": "send-again", "_selected_action": [str(note.pk)], "confirmed": "1"}
    operator_browser.post("/admin/invoicing/document/", sent | {"reason": "probar"})
    note.refresh_from_db()
    assert note.submission_state == "QUEUED"
    history = page(operator_browser, f"/admin/invoicing/creditnote/{note.pk}/history/")
    assert "Enviar otra vez. probar" in history.content.decode()


def test_a_call_is_shown_with_what_was_said(operator_browser: Client, alice: Tenant) -> None:
    call_row(alice, ms=12)
    call = PacExchange.unscoped.get()
    PacExchange.unscoped.update(request={"numeration": "0000000007"}, response={"id": "01J"})
    shown = page(operator_browser, f"/admin/invoicing/pacexchange/{call.pk}/change/")
    assert "0000000007" in shown.content.decode()


def test_an_unknown_filter_shows_nothing_rather_than_all(
    operator_browser: Client, alice: Tenant
) -> None:
    document_row(alice, next_attempt_at=timezone.now())
    call_row(alice, ms=1)
    for address, query in (
        ("/admin/invoicing/document/", {"waiting": "void"}),
        ("/admin/invoicing/document/", {"taken": "maybe"}),
        ("/admin/invoicing/pacexchange/", {"minutes": "7"}),
        ("/admin/tenants/tenant/", {"trouble": "other"}),
    ):
        assert len(page(operator_browser, address, **query).context["cl"].result_list) == 0
