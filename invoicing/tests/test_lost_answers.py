"""The PAC took it and its answer was lost: authorised once all the same, or a person is told.

Every way of losing an answer, against every list that a PAC may have, with webhooks and without.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import Settings as SettingsWrapper
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from conftest import LONG_AGO, WEBHOOK_SECRET, body, work
from invoicing import pump
from invoicing.models import Document
from invoicing.services import attention, decide, follow, submit
from invoicing.services.errands import run
from invoicing.tests.steps import assert_authorised_once, hear, now_of, poll, send, the_only
from pac.sandbox import Sandbox
from tenants.models import Tenant
from tenants.pac import pac_client

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    return Document.unscoped.get(pk=pk)


# --- every way of losing it, every list, with webhooks and without --------------------------------


def cut_off(box: Sandbox) -> None:
    box.options.update({"drop_next": 1})
    pump.drain()


def answered_by_the_gateway(box: Sandbox) -> None:
    box.options.update({"error_after_next": 1})
    pump.drain()


def timed_out(box: Sandbox) -> None:
    box.options.update({"hang_next": 1, "hang_seconds": 30})
    pump.drain()


def killed(box: Sandbox) -> None:
    """Our process dies with the PAC's answer in its hands."""
    (sending,) = submit.claim_due(10)
    assert sending.call().answer is not None
    Document.unscoped.update(lease_expires_at=LONG_AGO)
    assert submit.recover_lost() == 1


WAYS = [cut_off, answered_by_the_gateway, timed_out, killed]


@pytest.fixture
def hasty(settings: SettingsWrapper) -> None:
    """A client that gives a call up after a third of a second."""
    settings.PAC_CONNECT_TIMEOUT = settings.PAC_READ_TIMEOUT = 0.15


@pytest.fixture(params=[True, False], ids=["webhooks", "no webhooks"])
def webhooks(request: pytest.FixtureRequest, box: Sandbox, alice: Tenant) -> bool:
    """Whether the PAC tells us its verdicts."""
    box.options.dgi_delay = 3600  # the verdict and its webhook come when the test says so
    if request.param:
        _subscribe(alice, request.getfixturevalue("live_server"))
    return bool(request.param)


def _subscribe(alice: Tenant, live_server: LiveServer) -> None:
    url = f"{live_server.url}/webhooks/pac/{alice.pac_company_id}"
    target = {"status": "active", "url": url, "headers": {"X-Pac-Signature": WEBHOOK_SECRET}}
    pac_client(alice).update_company(
        alice.pac_company_id, {"webhooks": {"documents": {"emissionFinished": target}}}
    )


@pytest.mark.parametrize("lost", WAYS)
@pytest.mark.parametrize("list_of_the_pac", ["works", "missing", "behind"])
@pytest.mark.parametrize("refusal", ["400", "inside a 200"])
def test_a_lost_answer_ends_authorised_once_or_with_a_person(
    refusal: str,
    list_of_the_pac: str,
    lost: Callable[[Sandbox], None],
    webhooks: bool,
    hasty: None,
    invoice: Document,
    box: Sandbox,
) -> None:
    box.options.list_missing = list_of_the_pac == "missing"
    box.options.list_behind = list_of_the_pac == "behind"
    box.options.reject_inside_2xx = refusal == "inside a 200"
    lost(box)
    in_doubt = now_of(invoice)
    assert (in_doubt.submission_state, in_doubt.document_id) == ("UNCERTAIN", None)
    assert in_doubt.submission_error["message"]
    assert in_doubt.doubtful_since
    box.options.no_webhooks = not webhooks
    box.settle()
    work()
    if not webhooks and list_of_the_pac != "works":
        in_doubt = now_of(invoice)
        assert (in_doubt.submission_state, in_doubt.legal_status) == ("UNCERTAIN", None)
        assert in_doubt.submission_error["code"] == "number_used"
        assert_somebody_is_told(in_doubt)
        if list_of_the_pac == "behind":
            box.options.list_behind = False
        else:
            decide.identify(in_doubt, the_only(box).id, actor="rosa")
        work()
    assert_authorised_once(invoice, box)


def assert_somebody_is_told(document: Document) -> None:
    """In the list of what needs a person, as soon as its time of grace is over."""
    Document.unscoped.filter(pk=document.pk).update(doubtful_since=LONG_AGO)
    assert attention.reasons_of(document)


@pytest.mark.parametrize("list_missing", [True, False])
def test_what_never_arrived_is_posted_again_as_it_was(
    list_missing: bool, invoice: Document, box: Sandbox
) -> None:
    box.options.update({"down": "503", "list_missing": list_missing})
    unsure = send(invoice)
    assert (unsure.submission_state, unsure.submission_error["code"]) == (
        "UNCERTAIN",
        "answer_lost",
    )
    assert box.documents == []
    box.options.update({"down": False})
    work()
    assert_authorised_once(invoice, box)
    assert now_of(invoice).pac_input == unsure.pac_input


# --- found while it is being sent -----------------------------------------------------------------


def test_what_a_webhook_found_during_the_send_outlives_the_senders_death(
    invoice: Document, box: Sandbox
) -> None:
    """No list, and the sender dies: the PAC's own word, by webhook, was enough."""
    box.options.update({"list_missing": True})
    (sending,) = submit.claim_due(10)
    sending.call()
    hear(invoice, the_only(box))
    poll(invoice)
    Document.unscoped.filter(lease_expires_at__isnull=False).update(lease_expires_at=LONG_AGO)
    work()
    assert_authorised_once(invoice, box)
    assert sum(box.posts.values()) == 1


def test_what_a_webhook_found_during_the_send_is_the_senders_answer_too(
    invoice: Document, box: Sandbox
) -> None:
    (sending,) = submit.claim_due(10)
    outcome = sending.call()
    hear(invoice, the_only(box))
    found = poll(invoice)
    assert (found.submission_state, found.lease_expires_at) == ("DONE", None)
    sending.commit(outcome)
    work()
    assert_authorised_once(invoice, box)


def test_a_webhook_during_the_send_has_the_verdict_asked_for_at_once(
    invoice: Document, box: Sandbox
) -> None:
    (sending,) = submit.claim_due(10)
    outcome = sending.call()
    Document.unscoped.filter(pk=invoice.pk).update(
        hinted_document_id=the_only(box).id, next_poll_at=LONG_AGO
    )
    sending.commit(outcome)
    for following in follow.claim_due(10):
        run(following)
    assert now_of(invoice).legal_status == "DGI_AUTHORIZED"


@pytest.mark.parametrize("refusal", ["400", "inside a 200"])
def test_what_was_sent_before_the_database_was_restored_is_found_and_final(
    refusal: str, invoice: Document, box: Sandbox
) -> None:
    """The backup is older than the send: it knows of no attempt, and the PAC has the document."""
    box.options.reject_inside_2xx = refusal == "inside a 200"
    (sending,) = submit.claim_due(10)
    sending.call()
    Document.unscoped.filter(pk=invoice.pk).update(
        submission_state="QUEUED", attempts=0, lease_expires_at=None
    )
    taken = send(invoice)
    assert (taken.submission_state, taken.submission_error["code"]) == ("FAILED", "number_taken")
    hear(invoice, the_only(box))
    found = poll(invoice)
    assert (found.submission_state, found.document_id) == ("DONE", the_only(box).id)
    assert found.was_sent


# --- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("refusal", ["400", "inside a 200"])
def test_what_the_pac_refused_is_not_asked_for_ever_after(
    refusal: str, api: APIClient, box: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    """It has no id there: there is nothing that could be asked for."""
    box.options.reject_inside_2xx = refusal == "inside a 200"
    refused = body()
    refused["lines"][0]["description"] = "REJECT-PAC"
    api.post("/api/v1/invoices", refused)
    pump.drain()
    document = Document.unscoped.get()
    assert (document.legal_status, document.next_poll_at) == ("PAC_REJECTED", None)
    assert [error["code"] for error in document.pac_errors] == ["2056"]
    work()
    assert "failed" not in caplog.text
