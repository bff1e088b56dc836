"""What a delivery brings about: a look at the PAC, and nothing by itself."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing import pump
from invoicing.models import Document
from invoicing.services import follow, submit
from pac.client import Kind
from pac.sandbox import Sandbox
from tenants.models import Tenant
from tenants.pac import pac_client
from webhooks import inbox
from webhooks.models import InboxState, PacDelivery
from webhooks.tests.deliveries import ULID, Legal, accepted, attend_all, issued, lost, receive, told

pytestmark = pytest.mark.django_db(transaction=True)


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
