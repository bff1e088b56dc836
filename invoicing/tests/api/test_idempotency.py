"""The header Idempotency-Key: the same request twice is one document."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import Document, IdempotencyRecord
from invoicing.services import idempotency
from invoicing.tests.api import EVERYTHING, ISSUED_AT, URL, cash, errors, sample, stored
from tenants.models import NumberSeries, Tenant

pytestmark = pytest.mark.django_db

KEY = {"HTTP_IDEMPOTENCY_KEY": "order-9001"}


SAME = pytest.mark.parametrize(
    "posted",
    [
        body(),
        cash(external_id="order-1", metadata={"b": "1", "a": "2", "channel": "web"}),
        EVERYTHING | {"issued_at": ISSUED_AT},
        sample("proforma"),
    ],
    ids=["credit", "cash", "everything", "proforma"],
)


@SAME
def test_the_same_request_gets_the_same_answer(posted: dict[str, Any], api: APIClient) -> None:
    first = api.post(URL, posted, **KEY)
    assert first.status_code == 201, first.content
    assert "Idempotency-Replayed" not in first
    before = stored()
    for _ in range(2):
        again = api.post(URL, posted, **KEY)
        assert again.status_code == 201
        assert again["Idempotency-Replayed"] == "true"
        assert again["Content-Type"] == first["Content-Type"]
        assert again.json() == first.json()
    assert stored() == before


@SAME
def test_the_same_answer_is_the_same_to_the_byte(posted: dict[str, Any], api: APIClient) -> None:
    first = api.post(URL, posted, **KEY)
    assert api.post(URL, posted, **KEY).content == first.content


def test_the_answer_is_the_first_one_whatever_became_of_the_document(api: APIClient) -> None:
    first = api.post(URL, body(), **KEY)
    Document.unscoped.update(
        legal_status="PAC_REJECTED", submission_state="DONE", next_attempt_at=None
    )
    assert api.post(URL, body(), **KEY).json() == first.json()


def test_an_answer_is_replayed_when_the_request_would_no_longer_be_sound(
    api: APIClient, alice: Tenant
) -> None:
    first = api.post(URL, body(), **KEY)
    alice.pac_company_id = ""
    alice.save()
    again = api.post(URL, body(), **KEY)
    assert (again.status_code, again.json()) == (201, first.json())


def test_the_order_of_keys_and_spaces_make_no_other_request(api: APIClient) -> None:
    first = api.post(URL, body(), **KEY)
    turned = dict(reversed(body().items()))
    assert api.post(URL, turned, **KEY).json() == first.json()


@pytest.mark.parametrize("changes", [{"notes": "x"}, {"due_date": "2099-12-23"}, {"lines": []}])
def test_another_request_under_the_same_key_is_a_conflict(
    changes: dict[str, Any], api: APIClient
) -> None:
    api.post(URL, body(), **KEY)
    before = stored()
    response = api.post(URL, body(**changes), **KEY)
    assert (response.status_code, errors(response)) == (409, [(None, "idempotency_conflict")])
    assert stored() == before


@pytest.mark.parametrize(
    ("spoiled", "status"),
    [({"lines": []}, 400), ({"nonsense": 1}, 400), ({"external_id": "taken"}, 409)],
)
def test_a_refusal_frees_the_key(spoiled: dict[str, Any], status: int, api: APIClient) -> None:
    api.post(URL, body(external_id="taken"))
    assert api.post(URL, body(**spoiled), **KEY).status_code == status
    assert not IdempotencyRecord.unscoped.exists()
    response = api.post(URL, body(), **KEY)
    assert response.status_code == 201
    assert "Idempotency-Replayed" not in response


def test_tenants_do_not_share_keys(api: APIClient, bob: Tenant, client_of: Any) -> None:
    first = api.post(URL, body(), **KEY)
    second = client_of(bob).post(URL, body(notes="another request"), **KEY)
    assert second.status_code == 201
    assert "Idempotency-Replayed" not in second
    assert second.data["id"] != first.data["id"]


def test_the_keys_of_one_tenant_are_one_space(
    api: APIClient, alice: Tenant, client_of: Any
) -> None:
    first = api.post(URL, body(), **KEY)
    assert client_of(alice).post(URL, body(), **KEY).json() == first.json()


def test_without_a_key_the_same_request_is_two_documents(api: APIClient) -> None:
    assert api.post(URL, body()).data["id"] != api.post(URL, body()).data["id"]


def test_a_key_costs_an_issue_one_statement(api: APIClient) -> None:
    api.post(URL, body())
    with CaptureQueriesContext(connection) as without:
        assert api.post(URL, body()).status_code == 201
    with CaptureQueriesContext(connection) as with_key:
        assert api.post(URL, body(), **KEY).status_code == 201
    assert len(with_key) == len(without) + 1


def test_a_key_is_good_for_another_request_after_a_day(api: APIClient) -> None:
    first = api.post(URL, body(), **KEY)
    IdempotencyRecord.unscoped.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.reap() == 1
    second = api.post(URL, body(), **KEY)
    assert second.status_code == 201
    assert second.data["id"] != first.data["id"]


def test_an_external_id_outlives_the_key(api: APIClient) -> None:
    first = api.post(URL, body(external_id="order-1"), **KEY)
    IdempotencyRecord.unscoped.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.reap() == 1
    again = api.post(URL, body(external_id="order-1"), **KEY)
    assert (again.status_code, errors(again)) == (409, [(None, "external_id_taken")])
    assert first.data["id"] in again.json()["errors"][0]["detail"]
    assert Document.unscoped.count() == 1


def test_a_key_of_yesterday_that_nobody_has_reaped_is_still_answered(api: APIClient) -> None:
    api.raise_request_exception = False
    first = api.post(URL, body(), **KEY)
    IdempotencyRecord.unscoped.update(created_at=timezone.now() - timedelta(hours=25))
    again = api.post(URL, body(), **KEY)
    assert (again.status_code, again.json()) == (201, first.json())


def test_a_key_is_kept_for_a_day(api: APIClient) -> None:
    api.post(URL, body(), **KEY)
    IdempotencyRecord.unscoped.update(created_at=timezone.now() - timedelta(hours=23, minutes=59))
    assert idempotency.reap() == 0
    assert api.post(URL, body(), **KEY)["Idempotency-Replayed"] == "true"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first_of_its_series", [True, False])
@pytest.mark.parametrize("twins", [2, 6])
def test_twins_at_the_same_moment_make_one_document(
    twins: int, first_of_its_series: bool, alice: Tenant, client_of: Any
) -> None:
    clients = [client_of(alice) for _ in range(twins)]
    if not first_of_its_series:
        clients[0].post(URL, cash(external_id="another"))
    start = threading.Barrier(twins)

    def post(client: APIClient) -> Any:
        try:
            start.wait(timeout=10)
            return client.post(URL, cash(external_id="order-1"), **KEY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(twins) as pool:
        answers = list(pool.map(post, clients))
    assert Document.unscoped.filter(external_id="order-1").count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    for answer in answers:
        if answer.status_code == 409:
            assert errors(answer) == [(None, "idempotency_in_progress")]
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in made}) == 1
    assert sum("Idempotency-Replayed" not in answer for answer in made) == 1
    assert NumberSeries.unscoped.get().last_number == (1 if first_of_its_series else 2)


@pytest.mark.django_db(transaction=True)
def test_twins_without_a_key_never_share_a_number(alice: Tenant, client_of: Any) -> None:
    clients = [client_of(alice) for _ in range(6)]
    start = threading.Barrier(len(clients))

    def post(client: APIClient) -> int:
        try:
            start.wait(timeout=10)
            return int(client.post(URL, cash()).data["number"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(clients)) as pool:
        assert sorted(pool.map(post, clients)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.django_db(transaction=True)
def test_a_twin_of_a_running_request_waits_two_seconds_at_most(
    api: APIClient, alice: Tenant
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the row of the series is locked on PostgreSQL only")
    api.post(URL, cash())
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                list(NumberSeries.unscoped.select_for_update())
                locked.set()
                done.wait(timeout=20)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(hold)
        assert locked.wait(timeout=10)
        try:
            began = timezone.now()
            with_key = api.post(URL, cash(), **KEY)
            without = api.post(URL, cash())
            took = timezone.now() - began
        finally:
            done.set()
        holding.result()
    assert errors(with_key) == [(None, "idempotency_in_progress")]
    assert (with_key.status_code, without.status_code) == (409, 503)
    assert errors(without) == [(None, "busy")]
    assert took < timedelta(seconds=8)
    assert api.post(URL, cash(), **KEY).status_code == 201
