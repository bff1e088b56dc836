"""A refusal while an earlier send is in doubt: it ends nothing before the doubt is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper
from requests.exceptions import ReadTimeout
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Breaker, Document
from invoicing.services import outcomes, queue, submit
from invoicing.services.errands import LEASE, run
from invoicing.tests.steps import assert_authorised_once, hear, now_of, send, the_only
from pac.client import Kind
from pac.sandbox import Sandbox
from tenants.models import Tenant
from tenants.pac import pac_client

pytestmark = pytest.mark.django_db(transaction=True)

IN_PROCESS = {"message": "Ya existe una solicitud en proceso para este documento"}
NOTHING: dict[str, Any] = {"documents": []}


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    """The PAC is still at its first POST when we give up waiting."""
    pk = api.post("/api/v1/invoices", body()).data["id"]
    with responses.RequestsMock() as pac:
        pac.get(f"{box.url}/pan/v1/check-digit", status=503)
        pac.post(f"{box.url}/pan/v1/invoices", body=ReadTimeout())
        lost = send(Document.unscoped.get(pk=pk))
    assert (lost.submission_state, lost.submission_error["code"]) == ("UNCERTAIN", "answer_lost")
    return lost


@pytest.fixture
def pac(box: Sandbox) -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as pac:
        pac.get(f"{box.url}/pan/v1/invoices", json=NOTHING)
        pac.post(f"{box.url}/pan/v1/invoices", json=IN_PROCESS, status=409)
        yield pac


def settle_the_doubt(document: Document) -> None:
    """Time passes: whatever the PAC was doing, it has done."""
    settled = timezone.now() - outcomes.SETTLING
    Document.unscoped.filter(pk=document.pk).update(doubtful_since=settled, lost_at=settled)


def test_it_is_no_verdict_while_the_first_send_may_still_arrive(
    invoice: Document, pac: responses.RequestsMock, box: Sandbox
) -> None:
    refused = send(invoice)
    assert (refused.submission_state, refused.legal_status) == ("UNCERTAIN", None)
    pac.stop()
    client = pac_client(invoice.tenant)
    client.issue(Kind.INVOICE, invoice.tenant.pac_company_id or "", invoice.pac_input or {})
    work()
    assert_authorised_once(invoice, box)
    pac.start()


def test_soon_after_a_lost_answer_none_is_the_verdict_however_old_the_doubt(
    invoice: Document, pac: responses.RequestsMock
) -> None:
    """It is the last send that may still arrive, whatever was met since."""
    Document.unscoped.update(doubtful_since=LONG_AGO)
    for _ in range(3):
        assert send(invoice).submission_state == "UNCERTAIN"
    Document.unscoped.update(submission_state="FAILED", next_attempt_at=None)
    queue.retry(invoice)
    assert send(invoice).submission_state == "UNCERTAIN"


def test_it_is_none_where_a_webhook_names_the_document_before_it_is_written_down(
    invoice: Document, pac: responses.RequestsMock, box: Sandbox
) -> None:
    settle_the_doubt(invoice)
    Document.unscoped.update(next_attempt_at=LONG_AGO)
    (sending,) = submit.claim_due(10)
    refused = sending.call()
    pac.stop()
    client = pac_client(invoice.tenant)
    client.issue(Kind.INVOICE, invoice.tenant.pac_company_id or "", invoice.pac_input or {})
    hear(invoice, the_only(box))
    sending.commit(refused)
    assert now_of(invoice).submission_state == "UNCERTAIN"
    work()
    assert_authorised_once(invoice, box)
    pac.start()


@pytest.mark.parametrize(
    "around",
    [
        {"errors": [{"code": "1002", "message": "Repetido"}]},
        {"message": "La numeración ya fue usada"},
    ],
)
def test_that_the_number_is_used_may_stand_around_a_rejected_document(
    around: dict[str, Any], invoice: Document, box: Sandbox
) -> None:
    rejected = {"document": {"legalStatus": "PAC_REJECTED", "governmentResponse": []}}
    settle_the_doubt(invoice)
    with responses.RequestsMock() as pac:
        pac.get(f"{box.url}/pan/v1/invoices", json=NOTHING)
        pac.post(f"{box.url}/pan/v1/invoices", json=around | rejected)
        refused = send(invoice)
    assert (refused.submission_state, refused.submission_error["code"]) == (
        "UNCERTAIN",
        "number_used",
    )


def test_it_is_the_verdict_once_nothing_can_arrive_any_more(
    invoice: Document, pac: responses.RequestsMock
) -> None:
    send(invoice)
    settle_the_doubt(invoice)
    refused = send(invoice)
    assert (refused.submission_state, refused.legal_status) == ("DONE", "PAC_REJECTED")
    assert refused.pac_errors[0]["message"] == IN_PROCESS["message"]


def test_what_arrived_before_the_refusal_is_found_by_asking_once_more(
    invoice: Document, box: Sandbox
) -> None:
    """The list is empty, the same is posted, refused, and then it is there."""
    settle_the_doubt(invoice)
    ours = {"id": "01J0OURS", "cufe": invoice.computed_cufe, "legalStatus": "PAC_AUTHORIZED"}
    with responses.RequestsMock(registry=responses.registries.OrderedRegistry) as pac:
        pac.get(f"{box.url}/pan/v1/invoices", json=NOTHING)
        pac.post(f"{box.url}/pan/v1/invoices", json=IN_PROCESS, status=409)
        pac.get(f"{box.url}/pan/v1/invoices", json={"documents": [ours]})
        pac.get(f"{box.url}/pan/v1/invoices/01J0OURS", json={"document": ours})
        found = send(invoice)
    assert (found.submission_state, found.document_id) == ("DONE", "01J0OURS")
    assert found.legal_status == "PAC_AUTHORIZED"


def test_a_list_that_fails_after_the_refusal_leaves_the_doubt(
    invoice: Document, box: Sandbox
) -> None:
    send_refused = [{"json": NOTHING}, {"status": 500}]
    settle_the_doubt(invoice)
    with responses.RequestsMock() as pac:
        for answer in send_refused:
            pac.get(f"{box.url}/pan/v1/invoices", **answer)
        pac.post(f"{box.url}/pan/v1/invoices", json=IN_PROCESS, status=409)
        refused = send(invoice)
    assert (refused.submission_state, refused.submission_error["code"]) == (
        "UNCERTAIN",
        "pac_refused",
    )


# --- too late, or lost with another ---------------------------------------------------------------


def test_a_try_that_waited_until_its_lease_is_nearly_over_sends_nothing(
    api: APIClient, box: Sandbox
) -> None:
    """Somebody else may have the document by the time it would arrive."""
    pk = api.post("/api/v1/invoices", body()).data["id"]
    (sending,) = submit.claim_due(10)
    soon = timezone.now() + LEASE / 8
    Document.unscoped.filter(pk=pk).update(lease_expires_at=soon)
    sending.lease_expires_at = soon
    run(sending)
    late = Document.unscoped.get(pk=pk)
    assert sum(box.posts.values()) == 0
    assert (late.submission_state, late.attempts, late.doubtful_since) == ("QUEUED", 0, None)
    assert late.submission_error["code"] == "too_late"
    assert not Breaker.objects.exists()  # the PAC has no part in it
    assert late.next_attempt_at < timezone.now() + timedelta(seconds=5)
    work()
    assert_authorised_once(late, box)


def test_a_tenant_whose_secrets_cannot_be_read_keeps_no_other_lost_document_waiting(
    alice: Tenant, bob: Tenant, client_of: Any, settings: SettingsWrapper
) -> None:
    for tenant in (alice, bob):
        client_of(tenant).post("/api/v1/invoices", body())
    assert len(submit.claim_due(10)) == 2  # and here their worker is killed
    Document.unscoped.update(lease_expires_at=LONG_AGO)
    known = settings.FIELD_ENCRYPTION_KEYS
    settings.FIELD_ENCRYPTION_KEYS = ["a key that is lost later"]
    alice.pac_token = "sealed"
    alice.save()
    settings.FIELD_ENCRYPTION_KEYS = known
    assert submit.recover_lost() == 2
    states = Document.unscoped.values_list("submission_state", flat=True)
    assert list(states) == ["UNCERTAIN", "UNCERTAIN"]
