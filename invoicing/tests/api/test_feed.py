"""GET /events: every event of a tenant once, in order, however late it was committed."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document, HistoryEntry
from invoicing.models.history import Event
from invoicing.services import feed
from invoicing.services.history import note
from invoicing.tests.api import URL, errors
from invoicing.tests.together import together
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

FEED = "/api/v1/events"


def followed(api: APIClient, url: str = FEED) -> tuple[list[dict[str, Any]], str]:
    """Everything from `url` on, and where it goes on."""
    found: list[dict[str, Any]] = []
    while True:
        page = api.get(url).data
        assert page["previous"] is None
        if not page["results"]:
            return found, page["next"]
        found += page["results"]
        url = page["next"]


def test_it_tells_what_happened_to_each_document_in_order(api: APIClient, box: Sandbox) -> None:
    first, second = (api.post(URL, body(external_id=f"OC-{n}")).data["id"] for n in range(2))
    work()
    told, onwards = followed(api, f"{FEED}?page_size=3")
    for pk, order in ((first, "OC-0"), (second, "OC-1")):
        own = api.get(f"{URL}/{pk}/events").data["results"]
        mine = [event for event in told if event["document"] == pk]
        assert [event["id"] for event in mine] == [event["id"] for event in own]
        assert {(event["document_type"], event["external_id"]) for event in mine} == {("01", order)}
        assert {"event", "at", "data", "actor"} <= mine[0].keys()
    assert len(told) == HistoryEntry.unscoped.count()
    assert api.get(onwards).data == {"next": onwards, "previous": None, "results": []}
    api.post(URL, body())
    work()
    news, _ = followed(api, onwards)
    assert [event["event"] for event in news][:2] == ["issued", "sent"]


def test_a_tenant_sees_its_own_and_its_places_tell_nothing_of_others(
    api: APIClient, alice: Any, bob: Any, client_of: Any
) -> None:
    for tenant in (bob, alice, bob):
        client_of(tenant).post(URL, body())
    feed.give_places()
    (event,), onwards = followed(client_of(alice))
    assert Document.unscoped.get(pk=event["document"]).tenant == alice
    assert onwards.endswith("after=1")


def test_what_commits_late_comes_after_what_was_read_before_it(api: APIClient) -> None:
    """Its id is older than that of what was read already, and it is not skipped."""
    documents = [Document.unscoped.get(pk=api.post(URL, body()).data["id"]) for _ in range(2)]
    feed.give_places()
    _, onwards = followed(api)
    early = HistoryEntry(
        tenant_id=documents[0].tenant_id, owner=documents[0], event=Event.HANDLED
    )  # its id is given here
    note(documents[1], Event.ASKED)
    feed.give_places()
    read, onwards = followed(api, onwards)
    early.save(force_insert=True)
    feed.give_places()
    late, _ = followed(api, onwards)
    assert [event["event"] for event in read + late] == ["asked", "handled"]
    assert late[0]["id"] < read[0]["id"]


def test_two_workers_at_once_give_each_event_one_place(api: APIClient, alice: Any) -> None:
    document = Document.unscoped.get(pk=api.post(URL, body()).data["id"])
    for _ in range(50):
        note(document, Event.ASKED)
    barrier = threading.Barrier(2)

    def worker() -> int:
        barrier.wait()
        return feed.give_places()

    assert sum(together(worker, worker)) == 51
    places = HistoryEntry.unscoped.order_by("place").values_list("place", flat=True)
    assert list(places) == list(range(1, 52))


def test_a_worker_that_dies_while_it_gives_places_leaves_them_to_the_next(
    api: APIClient,
) -> None:
    api.post(URL, body())
    with transaction.atomic():
        assert feed.give_places() == 1
        transaction.set_rollback(True)
    assert feed.give_places() == 1
    assert HistoryEntry.unscoped.get().place == 1


def test_a_document_that_is_gone_leaves_no_place_to_be_given_again(api: APIClient) -> None:
    proforma = api.post(URL, body(generation_mode="PROFORM")).data["id"]
    feed.give_places()
    _, onwards = followed(api)
    assert api.delete(f"{URL}/{proforma}").status_code == 204
    kept = api.post(URL, body()).data["id"]
    feed.give_places()
    (event,), _ = followed(api, onwards)
    assert event["document"] == kept


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("after=x", [("after", "invalid")]),
        ("after=-1", [("after", "min_value")]),
        (f"after={2**63}", [("after", "max_value")]),
        ("page_size=0&after=", [("after", "invalid"), ("page_size", "min_value")]),
        ("page_size=201", [("page_size", "max_value")]),
    ],
)
def test_a_question_that_is_wrong_is_told_so(
    query: str, told: list[tuple[str, str]], api: APIClient
) -> None:
    answer = api.get(f"{FEED}?{query}")
    assert (answer.status_code, errors(answer)) == (400, told)


def test_a_page_costs_the_same_however_many_events_are_on_it(api: APIClient) -> None:
    document = Document.unscoped.get(pk=api.post(URL, body()).data["id"])

    def asked() -> int:
        feed.give_places()
        with CaptureQueriesContext(connection) as queries:
            api.get(FEED)
        return len(queries)

    asked()
    few = asked()
    for _ in range(60):
        note(document, Event.ASKED)
    assert asked() == few


def test_nobody_waits_for_the_events_of_another_tenant(
    alice: Any, bob: Any, client_of: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "BATCH", 10)
    monkeypatch.setattr(feed, "BUDGET", 0)
    for tenant, events in ((alice, 25), (bob, 1)):
        pk = client_of(tenant).post(URL, body()).data["id"]
        for _ in range(events):
            note(Document.unscoped.get(pk=pk), Event.ASKED)
    assert feed.give_places() == 12
    assert not HistoryEntry.unscoped.filter(tenant=bob, place=None).exists()
    monkeypatch.setattr(feed, "BUDGET", 10)
    assert feed.give_places() == 16


def test_a_page_does_not_read_what_was_said_to_the_pac(api: APIClient) -> None:
    """That may be megabytes, once for each event of a large document."""
    api.post(URL, body())
    feed.give_places()
    with CaptureQueriesContext(connection) as queries:
        assert len(api.get(FEED).data["results"]) == 1
    assert not [query["sql"] for query in queries if "pac_input" in query["sql"]]
