"""The header Idempotency-Key while the first request runs: it waits, asks the PAC, has twins."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from django.db import connection, connections
from pytest_django.live_server_helper import LiveServer
from requests.adapters import HTTPAdapter
from rest_framework.test import APIClient
from urllib3.util import Retry

from conftest import body, work
from invoicing.api import documents
from invoicing.models import (
    Customer,
    Document,
    EmailDelivery,
    FiscalEvent,
    HistoryEntry,
    IdempotencyRecord,
    Payment,
)
from invoicing.services import refresh
from invoicing.tests.api import URL, cash, errors
from invoicing.tests.api.asks import (
    Ask,
    Killed,
    ask_of,
    expire,
    is_new,
    is_replay_of,
    issued,
    kill,
    post,
)
from pac.sandbox import Sandbox
from tenants.models import ApiKey, NumberSeries, Tenant

pytestmark = pytest.mark.django_db

IN_PROGRESS = (None, "idempotency_in_progress")


@pytest.fixture
def ask(route: str, api: APIClient) -> Ask:
    return ask_of(route, api)


# --- ?wait --------------------------------------------------------------------------------------

WAITING = pytest.mark.parametrize(
    ("route", "waits"),
    [
        ("api/v1/invoices/<uuid:pk>/submit", "wait_for_verdict"),
        ("api/v1/invoices/<uuid:pk>/retry", "wait_for_verdict"),
        ("api/v1/debit-notes/<uuid:pk>/submit", "wait_for_verdict"),
        ("api/v1/invoices/<uuid:pk>/void", "wait_for_void"),
    ],
)


@WAITING
def test_while_it_waits_a_twin_is_in_progress_and_then_gets_what_was_waited_for(
    waits: str, api: APIClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    meanwhile: list[Any] = []

    def waiting(waited_for: Any, seconds: int) -> None:
        assert seconds == 7
        meanwhile.append(post(api, ask))
        Document.unscoped.update(metadata={"became": "better"})

    monkeypatch.setattr(documents, waits, waiting)
    first = post(api, Ask(f"{ask.url}?wait=7", ask.body))
    assert is_new(first), first.content
    assert first.data["metadata"] == {"became": "better"}
    [twin] = meanwhile
    assert (twin.status_code, errors(twin)) == (409, [IN_PROGRESS])
    assert is_replay_of(first, post(api, ask))


@WAITING
def test_a_kill_while_it_waits_loses_nothing_and_does_nothing_twice(
    waits: str, api: APIClient, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, waits, kill)
    with pytest.raises(Killed):
        post(api, Ask(f"{ask.url}?wait=30", ask.body))
    acted = HistoryEntry.unscoped.filter(event__in=["submitted", "retried", "void_requested"])
    assert acted.count() == 1
    assert errors(post(api, ask)) == [IN_PROGRESS]
    expire()
    again = post(api, ask)
    assert (again.status_code, again["Idempotency-Replayed"]) == (202, "true")
    assert again.data["id"] == str(acted.get().owner_id)
    assert acted.count() == 1


def test_an_issue_that_waited_is_replayed_as_it_was_answered(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waiting(document: Document, seconds: int) -> None:
        Document.unscoped.filter(pk=document.pk).update(metadata={"became": "better"})

    monkeypatch.setattr(documents, "wait_for_verdict", waiting)
    first = post(api, Ask(f"{URL}?wait=5", body()))
    assert first.data["metadata"] == {"became": "better"}
    assert is_replay_of(first, post(api, Ask(URL, body())))


# --- asking the PAC -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_pac_that_is_away_frees_the_key(api: APIClient, box: Sandbox) -> None:
    ask = Ask(f"{URL}/{issued(api, 'invoices').pk}/refresh", None)
    work()
    box.options.error_rate = 1.0
    assert post(api, ask).status_code == 503
    assert not IdempotencyRecord.unscoped.exists()
    box.options.error_rate = 0.0
    first = post(api, ask)
    assert is_new(first), first.content
    assert first.data["legal_status"] == "DGI_AUTHORIZED"
    assert is_replay_of(first, post(api, ask))


@pytest.mark.django_db(transaction=True)
def test_while_the_pac_is_asked_a_twin_is_in_progress(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Ask(f"{URL}/{issued(api, 'invoices').pk}/refresh", None)
    work()
    meanwhile: list[Any] = []
    really = refresh.refresh

    def asking(*arguments: Any, **named: Any) -> None:
        meanwhile.append(post(api, ask))
        really(*arguments, **named)

    monkeypatch.setattr(refresh, "refresh", asking)
    first = post(api, ask)
    [twin] = meanwhile
    assert (twin.status_code, errors(twin)) == (409, [IN_PROGRESS])
    assert is_replay_of(first, post(api, ask))


# --- twins at the same moment -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("route", "model"),
    [
        ("api/v1/invoices/<uuid:pk>/payments", Payment),
        ("api/v1/invoices/<uuid:pk>/email", EmailDelivery),
        ("api/v1/invoices/<uuid:pk>/void", FiscalEvent),
        ("api/v1/customers", Customer),
    ],
)
def test_twins_at_the_same_moment_act_once(
    model: Any, ask: Ask, alice: Tenant, client_of: Callable[..., APIClient]
) -> None:
    clients = [client_of(alice) for _ in range(6)]
    start = threading.Barrier(len(clients))

    def twin(client: APIClient) -> Any:
        try:
            start.wait(timeout=10)
            return post(client, ask)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(twin, clients))
    assert model.unscoped.count() == 1
    [first] = [answer for answer in answers if is_new(answer)]
    for answer in answers:
        if answer is not first and not is_replay_of(first, answer):
            assert errors(answer) == [IN_PROGRESS]


@pytest.mark.django_db(transaction=True)
def test_fifty_twins_through_the_web_server_make_one_document(
    live_server: LiveServer, alice: Tenant
) -> None:
    many = 50 if connection.vendor == "postgresql" else 8  # SQLite has one writer at a time
    _, key = ApiKey.objects.issue(tenant=alice, name="tests", scopes=("read", "write"))
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "order-9001"}
    start = threading.Barrier(many)

    # As a good client does: the test's server resets connections that it has no room for.
    patient = Retry(total=8, backoff_factor=0.05, allowed_methods=None)

    def twin(_: int) -> tuple[int, bytes, str | None]:
        with requests.Session() as session:
            session.mount("http://", HTTPAdapter(max_retries=patient))
            start.wait(timeout=20)
            answer = session.post(live_server.url + URL, json=cash(), headers=headers, timeout=60)
        return answer.status_code, answer.content, answer.headers.get("Idempotency-Replayed")

    with ThreadPoolExecutor(many) as pool:
        answers = list(pool.map(twin, range(many)))
    for thread in threading.enumerate():  # each gives its connection back after its answer
        if "process_request_thread" in thread.name:
            thread.join(timeout=20)
    assert Document.unscoped.count() == 1
    assert NumberSeries.unscoped.get().last_number == 1
    made = [(content, replayed) for status, content, replayed in answers if status == 201]
    assert [replayed for _, replayed in made].count(None) == 1
    assert len({content for content, _ in made}) == 1
    for status, content, _ in answers:
        assert status == 201 or (status == 409 and b"idempotency_in_progress" in content), content
