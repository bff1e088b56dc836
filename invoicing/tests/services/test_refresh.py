"""Asking the PAC at once about a document whose answer was lost: asked for, never sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, PacExchange
from invoicing.services import refresh, submit
from invoicing.tests.services.test_submit import take_the_number
from invoicing.tests.steps import assert_authorised_once, now_of, send, the_only
from pac.client import PacClient
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    """An invoice that waits for its turn."""
    return Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])


@pytest.fixture
def lost(invoice: Document, box: Sandbox) -> Document:
    """One that the PAC has taken, with its answer lost, and that is to be asked about later."""
    box.options.update({"drop_next": 1})
    assert send(invoice).submission_state == "UNCERTAIN"
    put_off(invoice)
    return now_of(invoice)


def put_off(document: Document) -> None:
    later = timezone.now() + timedelta(hours=1)
    Document.unscoped.filter(pk=document.pk).update(next_attempt_at=later)


def asked(api: APIClient, document: Document) -> Any:
    return api.post(f"/api/v1/invoices/{document.pk}/refresh")


def is_due(document: Document) -> bool:
    due = now_of(document).next_attempt_at
    return due is not None and due <= timezone.now()


def posts() -> int:
    return PacExchange.unscoped.filter(method="POST").count()


def test_a_lost_answer_is_asked_for_at_once(lost: Document, api: APIClient, box: Sandbox) -> None:
    answer = asked(api, lost)
    assert answer.status_code == 200
    assert answer.data["submission"]["state"] == "DONE"
    assert answer.data["document_id"] == the_only(box).id
    assert answer.data["is_fiscally_valid"] is True
    assert posts() == 1
    work()
    assert_authorised_once(lost, box)


def test_it_says_when_the_pac_cannot_be_asked_and_changes_nothing(
    lost: Document, api: APIClient, box: Sandbox
) -> None:
    box.options.update({"down": "503"})
    before = now_of(lost)
    answer = asked(api, lost)
    assert answer.status_code == 503
    assert answer.data["errors"][0]["code"] == "pac_unavailable"
    after = now_of(lost)
    for name in ("submission_state", "attempts", "setbacks", "next_attempt_at", "doubtful_since"):
        assert getattr(after, name) == getattr(before, name), name
    box.options.update({"down": False})
    assert asked(api, lost).data["submission"]["state"] == "DONE"


def test_it_takes_ten_seconds_at_most(
    lost: Document, api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert 3 * refresh.DEADLINE_IN_DOUBT <= 10
    monkeypatch.setattr(refresh, "DEADLINE_IN_DOUBT", 0.1)
    box.options.update({"latency": 1000.0})
    assert asked(api, lost).status_code == 503


@pytest.mark.parametrize("option", ["list_behind", "list_missing"])
def test_what_the_pac_does_not_show_is_left_to_the_worker_now(
    option: str, lost: Document, api: APIClient, box: Sandbox
) -> None:
    box.options.update({option: True})
    answer = asked(api, lost)
    assert answer.status_code == 200
    assert answer.data["submission"]["state"] == "UNCERTAIN"
    assert posts() == 1
    assert is_due(lost)


def test_what_never_arrived_is_sent_again_by_the_worker_alone(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    box.options.update({"reset_rate": 1})
    assert send(invoice).submission_state == "UNCERTAIN"
    box.options.update({"reset_rate": 0})
    put_off(invoice)
    assert asked(api, invoice).data["submission"]["state"] == "UNCERTAIN"
    assert not box.documents
    assert is_due(invoice)
    work()
    assert_authorised_once(invoice, box)


def test_what_the_list_shows_without_its_cufe_is_read(
    lost: Document, api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = PacClient.find

    def silent(*args: Any) -> Any:
        return [replace(entry, cufe=None) for entry in said(*args) or []]

    monkeypatch.setattr(PacClient, "find", silent)
    assert asked(api, lost).data["submission"]["state"] == "DONE"


def test_another_document_under_the_number_is_not_taken_for_ours(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    take_the_number(invoice, box)
    Document.unscoped.filter(pk=invoice.pk).update(
        submission_state="UNCERTAIN", doubtful_since=timezone.now(), attempts=1
    )
    answer = asked(api, invoice)
    assert (answer.status_code, answer.data["document_id"]) == (200, None)
    assert answer.data["submission"]["state"] == "UNCERTAIN"
    work()
    assert now_of(invoice).submission_error["code"] == "number_taken"


def test_one_that_was_given_up_in_doubt_is_found_too(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    box.options.update({"drop_next": 1})
    Document.unscoped.filter(pk=invoice.pk).update(queued_at=LONG_AGO)
    assert send(invoice).submission_state == "FAILED"
    assert asked(api, invoice).data["submission"]["state"] == "DONE"
    work()
    assert_authorised_once(invoice, box)


def test_a_worker_that_is_sending_it_again_meanwhile_finds_it_settled(
    lost: Document, api: APIClient, box: Sandbox
) -> None:
    Document.unscoped.filter(pk=lost.pk).update(next_attempt_at=LONG_AGO)
    (sending,) = submit.claim_due(1)
    outcome = sending.call()
    assert asked(api, lost).data["submission"]["state"] == "DONE"
    sending.commit(outcome)
    work()
    assert_authorised_once(lost, box)


def test_of_what_was_never_sent_nobody_is_asked(invoice: Document, api: APIClient) -> None:
    put_off(invoice)
    answer = asked(api, invoice)
    assert (answer.status_code, answer.data["submission"]["state"]) == (200, "QUEUED")
    assert not PacExchange.unscoped.exists()
    assert is_due(invoice)
