"""Before the first send: a receiver that does not exist stops its document, a doubt does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Breaker, Document, PacExchange
from invoicing.services import submit
from invoicing.services.errands import run
from pac.sandbox import Sandbox
from tenants.models import RucVerification, Tenant

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/invoices"
RUC = "155646463-2-2017"
UNKNOWN = "155000000-2-2000"
ASKED = "GET /pan/v1/check-digit"


def receiver(**changes: Any) -> dict[str, Any]:
    return body()["receiver"] | changes


def posted(api: APIClient, **changes: Any) -> Document:
    response = api.post(URL, body(receiver=receiver(**changes)))
    assert response.status_code == 201, response.content
    return now_of(response.data["id"])


def now_of(pk: Any) -> Document:
    return Document.unscoped.get(pk=pk)


def send(document: Document) -> Document:
    """One try at sending it, now."""
    Document.unscoped.filter(pk=document.pk).update(next_attempt_at=LONG_AGO)
    for sending in submit.claim_due(10):
        run(sending)
    return now_of(document.pk)


def test_a_new_receiver_costs_one_call_and_is_known_afterwards(
    api: APIClient, box: Sandbox
) -> None:
    assert send(posted(api)).legal_status == "PAC_AUTHORIZED"
    assert box.routes[ASKED] == 1
    known = RucVerification.objects.get()
    assert (known.ruc, known.exists, known.receiver_type) == (RUC, True, "CONTRIBUYENTE")
    assert send(posted(api)).legal_status == "PAC_AUTHORIZED"
    assert box.routes[ASKED] == 1


def test_many_documents_to_one_new_receiver_cost_one_call(api: APIClient, box: Sandbox) -> None:
    for _ in range(5):
        posted(api)
    work()
    assert box.routes[ASKED] == 1
    assert len(box.documents) == 5


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "GOBIERNO", "ruc": "8-NT-1-24"},
        {"type": "CONSUMIDOR_FINAL", "ruc": "8-274-125", "ruc_type": "NATURAL"},
    ],
)
def test_whoever_has_a_ruc_is_verified(
    changes: dict[str, Any], api: APIClient, box: Sandbox
) -> None:
    invoice = body(receiver=receiver(**changes))
    invoice["lines"][0]["cpbs_code"] = "8111"
    sent = send(now_of(api.post(URL, invoice).data["id"]))
    assert sent.legal_status == "PAC_AUTHORIZED"
    assert RucVerification.objects.get().ruc == changes["ruc"]


def test_nobody_is_asked_about_who_has_no_ruc(api: APIClient, box: Sandbox) -> None:
    sent = send(now_of(api.post(URL, body(receiver={"type": "CONSUMIDOR_FINAL"})).data["id"]))
    assert sent.legal_status == "PAC_AUTHORIZED"
    assert not box.routes[ASKED]


def test_a_receiver_that_does_not_exist_stops_the_document_before_it_is_sent(
    api: APIClient, box: Sandbox
) -> None:
    stopped = send(posted(api, ruc=UNKNOWN))
    assert (stopped.submission_state, stopped.attempts) == ("FAILED", 0)
    assert stopped.submission_error["code"] == "ruc_unknown"
    assert UNKNOWN in stopped.submission_error["message"]
    assert (stopped.legal_status, stopped.doubtful_since, stopped.next_attempt_at) == (
        None,
        None,
        None,
    )
    assert not box.posts
    shown = api.get(f"{URL}/{stopped.pk}").data["submission"]
    assert (shown["state"], shown["attempts"]) == ("FAILED", 0)
    history = [entry.event for entry in stopped.history.all()]
    assert history == ["issued", "failed"]


def test_what_the_pac_said_is_kept_with_the_document_that_it_stopped(
    api: APIClient, box: Sandbox
) -> None:
    stopped = send(posted(api, ruc=UNKNOWN))
    exchange = PacExchange.unscoped.get(owner=stopped)
    assert (exchange.method, exchange.status) == ("GET", 400)
    assert UNKNOWN in exchange.path
    assert not RucVerification.objects.get().exists


def test_a_corrected_receiver_is_sent_by_retry_under_the_same_number(
    api: APIClient, box: Sandbox
) -> None:
    stopped = send(posted(api, ruc=UNKNOWN))
    patched = api.patch(f"{URL}/{stopped.pk}", {"receiver": receiver()})
    assert patched.status_code == 200, patched.content
    assert api.post(f"{URL}/{stopped.pk}/retry").status_code == 202
    work()
    sent = now_of(stopped.pk)
    assert (sent.legal_status, sent.number) == ("DGI_AUTHORIZED", stopped.number)
    assert sent.computed_cufe == stopped.computed_cufe
    assert box.documents[0].payload["receiver"]["ruc"]["ruc"] == RUC


def test_a_retry_asks_again_since_who_was_missing_may_be_registered_by_now(
    api: APIClient, box: Sandbox
) -> None:
    box.options.update({"unknown_rucs": [RUC]})
    stopped = send(posted(api))
    assert stopped.submission_error["code"] == "ruc_unknown"
    box.options.update({"unknown_rucs": []})
    api.post(f"{URL}/{stopped.pk}/retry")
    work()
    assert now_of(stopped.pk).legal_status == "DGI_AUTHORIZED"
    assert RucVerification.objects.get().exists


def test_a_confirmation_that_is_too_old_is_renewed(
    api: APIClient, box: Sandbox, settings: Settings
) -> None:
    old = timezone.now() - timedelta(days=settings.RUC_VERIFICATION_DAYS, seconds=1)
    RucVerification.objects.create(ruc=RUC, ruc_type="JURIDICO", exists=True, verified_at=old)
    box.options.update({"unknown_rucs": [RUC]})
    assert send(posted(api)).submission_error["code"] == "ruc_unknown"


def test_one_who_does_not_exist_stops_his_own_documents_only(api: APIClient, box: Sandbox) -> None:
    stopped = [posted(api, ruc=UNKNOWN) for _ in range(3)]
    sound = posted(api)
    work()
    assert now_of(sound.pk).legal_status == "DGI_AUTHORIZED"
    assert {now_of(each.pk).submission_state for each in stopped} == {"FAILED"}
    assert box.routes[ASKED] == 2
    assert not Breaker.objects.filter(failures__gt=0).exists()


@pytest.mark.parametrize("status", [401, 404, 409, 422, 429, 500, 503])
def test_no_other_answer_to_the_question_keeps_a_document_from_being_sent(
    status: int, api: APIClient, settings: Settings, box: Sandbox
) -> None:
    document = posted(api)
    with responses.RequestsMock() as pac:
        pac.get(f"{settings.PAC_BASE_URL}/pan/v1/check-digit", json={}, status=status)
        pac.add_passthru(f"{settings.PAC_BASE_URL}/pan/v1/invoices")
        sent = send(document)
    assert (sent.submission_state, sent.legal_status) == ("DONE", "PAC_AUTHORIZED")
    assert not RucVerification.objects.exists()


def test_a_document_in_doubt_is_asked_for_and_its_receiver_no_more(
    api: APIClient, box: Sandbox
) -> None:
    box.options.update({"drop_next": 1, "unknown_rucs": []})
    lost = send(posted(api))
    assert lost.submission_state == "UNCERTAIN"
    # Whatever is said of the receiver by now: it may be there, and it is.
    RucVerification.objects.all().delete()
    box.options.update({"unknown_rucs": [RUC]})
    found = send(lost)
    assert (found.submission_state, found.document_id) == ("DONE", box.documents[0].id)
    assert box.routes[ASKED] == 1


def test_a_tenant_whose_token_is_refused_says_nothing_for_another(
    api: APIClient, alice: Tenant, bob: Tenant, client_of: Any, box: Sandbox
) -> None:
    Tenant.objects.filter(pk=alice.pk).update(pac_base_url="http://127.0.0.1:9")
    first, second = posted(api), posted(client_of(bob))
    for sending in submit.claim_due(10):
        run(sending)
    assert now_of(first.pk).submission_state in {"QUEUED", "UNCERTAIN"}
    assert now_of(second.pk).legal_status == "PAC_AUTHORIZED"


def test_the_call_touches_no_database(
    api: APIClient, box: Sandbox, django_assert_num_queries: Any
) -> None:
    posted(api)
    [sending] = submit.claim_due(10)
    with django_assert_num_queries(0):
        outcome = sending.call()
    assert outcome.verification
    assert outcome.verification.exists
