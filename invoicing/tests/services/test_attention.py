"""What waits for a person: each reason, and when it stops waiting."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from invoicing.models import Document, EmailDelivery, FiscalEvent
from invoicing.services import attention, handle
from invoicing.services.attention import Reason
from invoicing.tests.admin.test_document_lists import made
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

LONG = timedelta(minutes=16)
DOUBT = {"code": "match_doubted", "message": "?"}


def waiting(document: Document) -> list[str]:
    """Its reasons, by every way of asking for them."""
    found = [str(reason) for reason in attention.reasons_of(document)]
    assert found == [
        name
        for name, _ in attention.reasons()
        if attention.documents(name).filter(pk=document.pk).exists()
    ]
    assert attention.documents().filter(pk=document.pk).exists() is bool(found)
    assert [name for name, number in attention.counts().items() if number] == found
    return found


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, []),
        ({"submission_state": "QUEUED"}, []),
        ({"submission_state": "FAILED"}, [Reason.FAILED]),
        ({"submission_state": "FAILED", "submission_error": DOUBT}, [Reason.MATCH_DOUBTED]),
        ({"submission_state": "UNCERTAIN", "submission_error": DOUBT}, [Reason.MATCH_DOUBTED]),
        ({"legal_status": "DGI_REJECTED"}, [Reason.DGI_REJECTED]),
        ({"legal_status": "PAC_REJECTED"}, [Reason.PAC_REJECTED]),
        (
            {"legal_status": "PAC_REJECTED", "submission_error": {"code": "verdict_differs"}},
            [Reason.VERDICT_DIFFERS, Reason.PAC_REJECTED],
        ),
    ],
)
def test_what_waits_and_what_does_not(
    alice: Tenant, changes: dict[str, Any], reasons: list[str]
) -> None:
    assert waiting(made(alice, **changes)) == reasons


def test_a_lost_answer_waits_for_a_person_after_a_quarter_of_an_hour(alice: Tenant) -> None:
    just = made(alice, submission_state="UNCERTAIN", doubtful_since=timezone.now())
    assert waiting(just) == []
    long = made(alice, 2, submission_state="UNCERTAIN", doubtful_since=timezone.now() - LONG)
    assert waiting(long) == [Reason.UNCERTAIN]


def test_a_rejected_one_rests_once_its_order_was_issued_again(alice: Tenant, bob: Tenant) -> None:
    rejected = made(alice, legal_status="DGI_REJECTED", external_id="OC-1")
    made(bob, 2, external_id="OC-1")
    made(alice, 3, external_id="OC-2")
    assert waiting(rejected) == [Reason.DGI_REJECTED]
    made(alice, 4, external_id="OC-1")
    assert waiting(rejected) == []


def test_an_email_that_came_back_waits_until_another_is_sent(alice: Tenant) -> None:
    document = made(alice)
    rows = {"tenant": alice, "owner": document}
    EmailDelivery.unscoped.create(occasion="authorized", state="FAILED", **rows)
    assert waiting(document) == [Reason.EMAIL_FAILED]
    again = EmailDelivery.unscoped.create(occasion="resend:1", state="QUEUED", **rows)
    assert waiting(document) == []
    EmailDelivery.unscoped.filter(pk=again.pk).update(state="FAILED")
    assert waiting(document) == [Reason.EMAIL_FAILED]


@pytest.mark.parametrize(
    ("state", "error", "waits"),
    [
        ("REFUSED", {"code": "1", "message": "no"}, True),
        ("REQUESTED", {"code": "void_doubted", "message": "?"}, True),
        ("REQUESTED", {"code": "pac_unavailable", "message": "later"}, False),
        ("REQUESTED", None, False),
        ("ACCEPTED", None, False),
    ],
)
def test_a_void_that_was_refused_or_is_in_doubt_waits(
    alice: Tenant, state: str, error: Any, waits: bool
) -> None:
    document = made(alice)
    rows = {"tenant": alice, "owner": document, "reason": "x", "requested_at": timezone.now()}
    FiscalEvent.unscoped.create(state=state, error=error, **rows)
    assert waiting(document) == ([Reason.VOID_REFUSED] if waits else [])
    if state == "REFUSED":
        FiscalEvent.unscoped.create(state="REQUESTED", **rows)
        assert waiting(document) == []


def test_what_was_handled_rests_until_something_new_goes_wrong(alice: Tenant) -> None:
    failed = made(alice, submission_state="FAILED", queued_at=timezone.now())
    handle.mark_handled(failed, actor="rosa", reason="by telephone")
    assert waiting(failed) == []
    # Retried, and it failed again.
    Document.unscoped.filter(pk=failed.pk).update(queued_at=timezone.now())
    assert waiting(failed) == [Reason.FAILED]
    handle.mark_handled(failed, actor="rosa", reason="once more")
    EmailDelivery.unscoped.create(tenant=alice, owner=failed, occasion="resend:1", state="FAILED")
    assert waiting(failed) == [Reason.EMAIL_FAILED]


def test_of_one_tenant_only_that_tenants(alice: Tenant, bob: Tenant) -> None:
    hers, his = made(alice, submission_state="FAILED"), made(bob, submission_state="FAILED")
    assert set(attention.documents()) == {hers, his}
    assert set(attention.documents(tenant=alice)) == {hers}
    assert set(attention.documents("failed", tenant=bob)) == {his}
    assert attention.counts(alice)["failed"] == 1


def test_counting_stops_early_and_costs_one_query_a_reason(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        made(alice, number, submission_state="FAILED")
    monkeypatch.setattr(attention, "COUNTED_AT_MOST", 3)
    with CaptureQueriesContext(connection) as queries:
        assert attention.counts()["failed"] == 3
    assert len(queries) == len(Reason)
    assert all("LIMIT 3" in query["sql"] for query in queries)


def test_a_reason_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="moon"):
        attention.documents("moon")
