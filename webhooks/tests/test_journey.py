"""From issue to the verdict by webhooks: late, twice, in any order, forged or lost."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from conftest import WEBHOOK_SECRET, work
from invoicing import pump
from invoicing.models import EmailDelivery, File, HistoryEntry
from invoicing.tests.test_journey import FISCAL, sample
from pac.sandbox import Sandbox
from tenants.models import Tenant
from tenants.pac import pac_client
from webhooks import inbox
from webhooks.models import InboxState, PacDelivery
from webhooks.tests.deliveries import Legal, accepted, issued, lost, receive, told

pytestmark = pytest.mark.django_db(transaction=True)


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
