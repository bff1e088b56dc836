"""What a delivery brings about: a look at the PAC, and nothing by itself."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from conftest import LONG_AGO, WEBHOOK_SECRET, body, work
from invoicing import pump
from invoicing.models import Document, EmailDelivery, File, HistoryEntry
from invoicing.services import follow, submit
from invoicing.tests.test_journey import FISCAL, sample
from pac.client import Kind
from pac.sandbox import Sandbox
from tenants.models import Tenant
from tenants.pac import pac_client
from webhooks import inbox
from webhooks.models import InboxState, PacDelivery

pytestmark = pytest.mark.django_db(transaction=True)

ULID = "01HZZZZZZZZZZZZZZZZZZZZZZZ"


def told(document_id: Any, **more: Any) -> dict[str, Any]:
    return {"id": document_id, "legalStatus": "DGI_AUTHORIZED"} | more


def receive(tenant: Tenant, said: Any) -> PacDelivery:
    text = json.dumps(said)
    inbox.store(tenant, text.encode())
    return PacDelivery.unscoped.get(tenant=tenant, body=text)


def attend_all() -> None:
    PacDelivery.unscoped.filter(next_try_at__isnull=False).update(next_try_at=LONG_AGO)
    inbox.attend()


def issued(api: APIClient, **changes: Any) -> Document:
    answer = api.post("/api/v1/invoices", body(**changes))
    assert answer.status_code == 201, answer.data
    return Document.unscoped.get(pk=answer.data["id"])


def accepted(api: APIClient, box: Sandbox) -> Document:
    """An invoice that the PAC has and the DGI has not judged; no poll of it is due."""
    box.options.dgi_delay = 3600
    document = issued(api)
    pump.drain("pac")
    document.refresh_from_db()
    assert document.document_id
    assert document.legal_status in (None, "PAC_AUTHORIZED")
    assert document.next_poll_at > timezone.now()
    return document


def lost(api: APIClient, box: Sandbox) -> Document:
    """An invoice that the PAC has, whose answer was lost on the way; no next attempt is due."""
    box.options.dgi_delay = 3600
    box.options.drop_next = 1
    document = issued(api)
    pump.drain("pac")
    document.refresh_from_db()
    assert (document.submission_state, document.document_id) == ("UNCERTAIN", None)
    assert box.documents[-1].cufe == document.computed_cufe
    return document


class Legal(NamedTuple):
    """What of a document only the PAC's word may move."""

    legal_status: str | None
    document_id: str | None
    invoice_number: str | None
    hinted: str
    next_poll_at: Any
    submission_state: str

    @classmethod
    def of(cls, document: Document) -> Legal:
        document.refresh_from_db()
        return cls(
            document.legal_status,
            document.document_id,
            document.invoice_number,
            document.hinted_document_id,
            document.next_poll_at,
            document.submission_state,
        )


# --- matching -----------------------------------------------------------------------------------


def test_a_delivery_with_the_pacs_id_makes_the_document_due(api: APIClient, box: Sandbox) -> None:
    document = accepted(api, box)
    delivery = receive(document.tenant, told(document.document_id))
    assert inbox.attend() == 1
    document.refresh_from_db()
    assert document.next_poll_at <= timezone.now()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries, delivery.next_try_at) == (InboxState.MATCHED, 1, None)
    assert inbox.attend() == 0


def test_the_computed_cufe_finds_a_document_whose_answer_was_lost(
    api: APIClient, box: Sandbox
) -> None:
    document = lost(api, box)
    there = box.documents[0]
    box.settle()
    receive(document.tenant, told(there.id, cufe=there.cufe))
    pump.drain("pac")
    document.refresh_from_db()
    assert (document.document_id, document.invoice_number) == (there.id, there.cufe)
    assert (document.legal_status, document.submission_state) == ("DGI_AUTHORIZED", "DONE")
    assert document.next_attempt_at is None
    assert sum(box.posts.values()) == 1


def test_a_delivery_that_is_faster_than_the_answer_is_matched_later(
    api: APIClient, box: Sandbox
) -> None:
    document = lost(api, box)
    there = box.documents[0]
    box.settle()
    delivery = receive(document.tenant, told(there.id))  # no CUFE: only the id says which
    inbox.attend()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == (InboxState.WAITING, 1)
    assert delivery.next_try_at > timezone.now()
    Document.unscoped.filter(pk=document.pk).update(document_id=there.id, next_poll_at=None)
    attend_all()
    delivery.refresh_from_db()
    assert delivery.state == InboxState.MATCHED
    document.refresh_from_db()
    assert document.next_poll_at <= timezone.now()


def test_it_gives_up_after_its_tries_and_forgets_nothing(alice: Tenant) -> None:
    delivery = receive(alice, told(ULID))
    waited = timedelta()
    for tries in range(1, inbox.GIVE_UP):
        attend_all()
        delivery.refresh_from_db()
        assert (delivery.state, delivery.tries) == (InboxState.WAITING, tries)
        pause = delivery.next_try_at - timezone.now()
        assert pause <= timedelta(seconds=2 ** (tries - 1))
        waited += pause
    attend_all()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.next_try_at) == (InboxState.UNMATCHED, None)
    assert timedelta(minutes=30) < waited < timedelta(minutes=60)
    attend_all()
    delivery.refresh_from_db()
    assert delivery.tries == inbox.GIVE_UP


def test_a_delivery_that_is_repeated_while_it_is_attended_stays_due(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    delivery = receive(alice, told(ULID))
    PacDelivery.unscoped.update(next_try_at=LONG_AGO)

    def repeated_meanwhile(*_: Any) -> bool:
        receive(alice, told(ULID))
        return True

    monkeypatch.setattr(inbox, "hint", repeated_meanwhile)
    inbox.attend()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.tries) == (InboxState.WAITING, 0)
    assert delivery.next_try_at is not None


def test_one_delivery_that_fails_does_not_hold_up_the_next_one(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = accepted(api, box)
    poison = receive(document.tenant, told(ULID))
    PacDelivery.unscoped.update(next_try_at=LONG_AGO)
    good = receive(document.tenant, told(document.document_id))
    sound = inbox.hint

    def hint(delivery: PacDelivery, now: Any) -> bool:
        if delivery.pk == poison.pk:
            raise ValueError("a defect")
        return sound(delivery, now)

    monkeypatch.setattr(inbox, "hint", hint)
    inbox.attend()
    good.refresh_from_db()
    poison.refresh_from_db()
    assert (good.state, poison.state, poison.tries) == (InboxState.MATCHED, InboxState.WAITING, 1)


@pytest.mark.parametrize(
    "said",
    [
        [],
        "text",
        None,
        told(""),
        told(7),
        told(["01"]),
        told(ULID),
        told("x" * 27, cufe="CUFE"),
        {"cufe": "CUFE"},
        {"document": {"id": ULID}},
        told("../../companies/x", cufe="CUFE"),
        told("a\0b", cufe="CUFE"),
    ],
)
def test_what_names_no_document_touches_none(said: Any, api: APIClient, box: Sandbox) -> None:
    document = lost(api, box)
    if isinstance(said, dict) and "cufe" in said:
        said["cufe"] = document.computed_cufe
    before = Legal.of(document)
    receive(document.tenant, said)
    inbox.attend()
    assert Legal.of(document) == before
    assert PacDelivery.unscoped.get().state == InboxState.WAITING


@pytest.mark.parametrize("names_the_cufe", [True, False])
def test_a_webhook_that_is_faster_than_our_commit_is_not_lost(
    names_the_cufe: bool, api: APIClient, box: Sandbox
) -> None:
    document = issued(api)
    (sending,) = submit.claim_due(1)
    outcome = sending.call()  # the PAC has it, and its webhook overtakes the answer
    box.settle()
    there = box.documents[0]
    receive(document.tenant, told(there.id, **({"cufe": there.cufe} if names_the_cufe else {})))
    inbox.attend()
    sending.commit(outcome)
    attend_all()
    pump.drain("pac")
    document.refresh_from_db()
    assert (document.legal_status, document.submission_state) == ("DGI_AUTHORIZED", "DONE")
    assert document.next_poll_at is None
    assert PacDelivery.unscoped.get().state == InboxState.MATCHED


def test_a_webhook_that_comes_while_the_pac_is_asked_has_it_asked_again_at_once(
    api: APIClient, box: Sandbox
) -> None:
    """The answer on its way may be older than the news."""
    document = accepted(api, box)
    Document.unscoped.filter(pk=document.pk).update(next_poll_at=LONG_AGO)
    (following,) = follow.claim_due(1)
    reading = following.call()  # not judged yet
    box.settle()
    receive(document.tenant, told(document.document_id))
    inbox.attend()
    following.commit(reading)
    document.refresh_from_db()
    assert document.legal_status == "PAC_AUTHORIZED"
    pump.drain("pac")
    document.refresh_from_db()
    assert document.legal_status == "DGI_AUTHORIZED"


def test_a_newer_name_is_not_forgotten_with_the_older_one(api: APIClient, box: Sandbox) -> None:
    document = lost(api, box)
    there = box.documents[0]
    receive(document.tenant, told(ULID, cufe=document.computed_cufe))
    inbox.attend()
    (following,) = follow.claim_due(1)
    reading = following.call()  # the PAC knows no such id
    receive(document.tenant, told(there.id, cufe=there.cufe))
    inbox.attend()
    following.commit(reading)
    pump.drain("pac")
    assert Legal.of(document).document_id == there.id


# --- forgeries ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [accepted, lost])
def test_a_delivery_to_bob_about_a_document_of_alice_touches_nothing(
    state: Callable[[APIClient, Sandbox], Document], api: APIClient, box: Sandbox, bob: Tenant
) -> None:
    document = state(api, box)
    before, calls = Legal.of(document), box.routes.total()
    there = box.documents[0]
    for said in (
        told(there.id),
        told(there.id, cufe=there.cufe),
        told(ULID, cufe=there.cufe),
        told(there.id, cufe="another"),
    ):
        receive(bob, said)
    pump.drain("pac")
    assert Legal.of(document) == before
    assert box.routes.total() == calls
    assert not PacDelivery.unscoped.filter(state=InboxState.MATCHED).exists()


@pytest.mark.parametrize("verdict", ["DGI_AUTHORIZED", "DGI_REJECTED", "PAC_REJECTED"])
def test_a_verdict_that_only_the_webhook_tells_is_not_believed(
    verdict: str, api: APIClient, box: Sandbox
) -> None:
    document = accepted(api, box)
    forged = told(document.document_id, cufe="FE-A-FORGED-CUFE") | {"legalStatus": verdict}
    receive(document.tenant, forged | {"qr": "https://evil.test/qr", "pdf": "https://evil.test/p"})
    pump.drain("pac")
    document.refresh_from_db()
    assert document.legal_status == "PAC_AUTHORIZED"
    assert document.invoice_number == document.computed_cufe
    assert "evil" not in document.qr_code_url
    assert document.is_fiscally_valid() is False


def test_a_document_that_the_dgi_refused_is_not_authorised_by_a_webhook(
    api: APIClient, box: Sandbox
) -> None:
    refused = body()["lines"][0] | {"description": "REJECT-DGI"}
    document = issued(api, lines=[refused])
    work()
    document.refresh_from_db()
    assert document.legal_status == "DGI_REJECTED"
    receive(document.tenant, told(document.document_id, cufe=document.computed_cufe))
    work()
    document.refresh_from_db()
    assert document.legal_status == "DGI_REJECTED"
    assert document.next_poll_at is None
    assert PacDelivery.unscoped.get().state == InboxState.MATCHED


def test_the_id_of_another_document_of_ours_is_not_adopted(api: APIClient, box: Sandbox) -> None:
    other, document = accepted(api, box), lost(api, box)
    before = Legal.of(document)
    receive(document.tenant, told(other.document_id, cufe=document.computed_cufe))
    pump.drain("pac")
    assert Legal.of(document) == before
    assert Legal.of(other).document_id == other.document_id


def test_the_id_of_a_document_of_another_system_is_not_adopted(
    api: APIClient, box: Sandbox
) -> None:
    """The same taxpayer issues elsewhere too: the PAC answers, but with another CUFE."""
    document = lost(api, box)
    foreign = deepcopy(document.pac_input)
    foreign["information"] |= {"numeration": "0000009999", "securityCode": "123456789"}
    pac = pac_client(document.tenant)
    there = pac.issue(Kind.INVOICE, document.tenant.pac_company_id, foreign)
    receive(document.tenant, told(there.id, cufe=document.computed_cufe))
    inbox.attend()
    assert Legal.of(document).hinted == there.id
    pump.drain("pac")
    after = Legal.of(document)
    assert (after.document_id, after.legal_status, after.invoice_number) == (None, None, None)
    assert (after.submission_state, after.hinted, after.next_poll_at) == ("UNCERTAIN", "", None)
    work()
    assert Legal.of(document).document_id == box.documents[0].id


def test_an_id_that_the_pac_does_not_know_is_forgotten(api: APIClient, box: Sandbox) -> None:
    document = lost(api, box)
    receive(document.tenant, told(ULID, cufe=document.computed_cufe))
    inbox.attend()
    assert Legal.of(document).hinted == ULID
    pump.drain("pac")
    state = Legal.of(document)
    assert (state.document_id, state.hinted, state.next_poll_at) == (None, "", None)
    work()
    assert Legal.of(document).legal_status is not None


# --- the journey --------------------------------------------------------------------------------


@pytest.fixture
def wired(box: Sandbox, alice: Tenant, live_server: LiveServer) -> Sandbox:
    """The sandbox tells the live server about alice's documents."""
    url = f"{live_server.url}/webhooks/pac/{alice.pac_company_id}"
    target = {"status": "active", "url": url, "headers": {"X-Pac-Signature": WEBHOOK_SECRET}}
    pac_client(alice).update_company(
        alice.pac_company_id, {"webhooks": {"documents": {"emissionFinished": target}}}
    )
    box.options.no_webhooks = False
    return box


def test_an_invoice_is_authorised_by_webhook_with_no_poll_due(
    wired: Sandbox, api: APIClient
) -> None:
    document = accepted(api, wired)
    wired.settle()
    assert PacDelivery.unscoped.filter(state=InboxState.WAITING).exists()
    pump.drain()
    document.refresh_from_db()
    assert document.legal_status == "DGI_AUTHORIZED"
    assert document.is_fiscally_valid()
    assert not PacDelivery.unscoped.exclude(state=InboxState.MATCHED).exists()


@pytest.mark.parametrize("name", FISCAL)
def test_a_sample_is_authorised_by_webhook(name: str, wired: Sandbox, api: APIClient) -> None:
    posted = api.post("/api/v1/invoices", sample(name)).data
    pump.drain()
    wired.settle()
    pump.drain()
    invoice = api.get(f"/api/v1/invoices/{posted['id']}").data
    assert (invoice["legal_status"], invoice["is_fiscally_valid"]) == ("DGI_AUTHORIZED", True)


def test_a_lost_answer_is_mended_by_webhook_with_no_attempt_due(
    wired: Sandbox, api: APIClient
) -> None:
    wired.options.no_webhooks = True  # the first one could be here before we look
    document = lost(api, wired)
    wired.options.no_webhooks = False
    wired.settle()
    pump.drain()
    document.refresh_from_db()
    assert (document.legal_status, document.submission_state) == ("DGI_AUTHORIZED", "DONE")
    assert sum(wired.posts.values()) == 1


@pytest.mark.parametrize("times", [0, 1, 2, 5])
def test_however_often_and_in_whatever_order_the_end_is_the_same(
    times: int, api: APIClient, box: Sandbox
) -> None:
    document = accepted(api, box)
    said = [
        told(document.document_id) | {"legalStatus": "PAC_AUTHORIZED"},
        told(document.document_id, cufe=document.computed_cufe),
        told(document.document_id, cufe=document.computed_cufe) | {"legalStatus": "REGISTERED"},
    ] * times
    random.shuffle(said)
    half = len(said) // 2
    for each in said[:half]:
        receive(document.tenant, each)
        pump.drain()
    box.settle()
    for each in said[half:]:
        receive(document.tenant, each)
        pump.drain()
    work()
    document.refresh_from_db()
    assert (document.legal_status, document.submission_state) == ("DGI_AUTHORIZED", "DONE")
    assert (document.invoice_number, document.next_poll_at) == (document.computed_cufe, None)
    assert sum(box.posts.values()) == 1
    assert File.unscoped.filter(owner=document).count() == 1
    assert EmailDelivery.unscoped.filter(owner=document).count() == 1
    events = list(
        HistoryEntry.unscoped.filter(owner=document).values_list("event", "data__legal_status")
    )
    assert [status for event, status in events if event == "legal_status"] == [
        "PAC_AUTHORIZED",
        "DGI_AUTHORIZED",
    ]
    assert PacDelivery.unscoped.count() == min(times, 1) * 3


def test_a_webhook_after_the_end_changes_nothing(api: APIClient, box: Sandbox) -> None:
    document = issued(api)
    work()
    before = Legal.of(document)
    assert before.legal_status == "DGI_AUTHORIZED"
    for status in ("PAC_REJECTED", "DGI_REJECTED", "PAC_AUTHORIZED"):
        receive(document.tenant, told(document.document_id) | {"legalStatus": status})
    work()
    assert Legal.of(document) == before
    assert EmailDelivery.unscoped.count() == 1


def test_webhooks_that_come_twice_or_thrice_end_the_same(wired: Sandbox, api: APIClient) -> None:
    wired.options.duplicate_webhooks = True
    documents = [accepted(api, wired) for _ in range(3)]
    wired.settle()
    pump.drain()
    for document in documents:
        document.refresh_from_db()
        assert document.is_fiscally_valid()
    assert EmailDelivery.unscoped.count() == File.unscoped.count() == 3


def test_with_the_wrong_secret_at_the_pac_the_poll_makes_it_good(
    wired: Sandbox, api: APIClient
) -> None:
    Tenant.objects.update(webhook_secret="changed meanwhile")
    document = accepted(api, wired)
    wired.settle()
    pump.drain()
    document.refresh_from_db()
    assert (document.legal_status, PacDelivery.unscoped.count()) == ("PAC_AUTHORIZED", 0)
    work()
    document.refresh_from_db()
    assert document.legal_status == "DGI_AUTHORIZED"


def test_what_was_attended_a_month_ago_is_forgotten(alice: Tenant) -> None:
    for number in range(3):
        inbox.store(alice, b'{"id": "%d"}' % number)
    long_ago = timezone.now() - timedelta(days=31)
    first, second, _ = PacDelivery.unscoped.order_by("id")
    PacDelivery.unscoped.filter(pk=first.pk).update(created_at=long_ago, next_try_at=None)
    PacDelivery.unscoped.filter(pk=second.pk).update(created_at=long_ago)  # still waits
    assert inbox.reap() == 1
    assert PacDelivery.unscoped.count() == 2
