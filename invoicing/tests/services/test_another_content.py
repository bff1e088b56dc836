"""Our CUFE at the PAC with another content, or an id that a person brings: not simply believed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, File, HistoryEntry
from invoicing.services import attention, decide, queue
from invoicing.tests.steps import assert_authorised_once, hear, now_of, poll, send, the_only
from pac.sandbox import Sandbox
from pac.sandbox.records import Document as Accepted
from tenants.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    return Document.unscoped.get(pk=pk)


# --- another content: a person decides, with both sides shown -------------------------------------


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The PAC's answers also carry receiver and total; a test changes what they say."""
    said = {"total": Decimal("203.30"), "receiverRuc": "155646463-2-2017"}
    wire = Accepted.wire

    def telling_wire(self: Accepted, *args: Any, **links: Any) -> dict[str, Any]:
        return wire(self, *args, **links) | said

    monkeypatch.setattr(Accepted, "wire", telling_wire)
    return said


def found_by_list(invoice: Document, box: Sandbox) -> Document:
    box.options.update({"drop_next": 1})
    send(invoice)
    return send(invoice)


def found_by_webhook(invoice: Document, box: Sandbox) -> Document:
    box.options.update({"drop_next": 1, "list_missing": True})
    send(invoice)
    hear(invoice, the_only(box))
    return poll(invoice)


def found_after_giving_up(invoice: Document, box: Sandbox) -> Document:
    box.options.update({"drop_next": 1})
    Document.unscoped.filter(pk=invoice.pk).update(queued_at=LONG_AGO)
    assert send(invoice).submission_state == "FAILED"
    hear(invoice, the_only(box))
    return poll(invoice)


FINDINGS = [found_by_list, found_by_webhook, found_after_giving_up]


@pytest.mark.parametrize("found", FINDINGS)
def test_the_same_content_is_adopted(
    found: Callable[[Document, Sandbox], Document],
    invoice: Document,
    box: Sandbox,
    telling: dict[str, Any],
) -> None:
    assert found(invoice, box).submission_state == "DONE"
    work()
    assert_authorised_once(invoice, box)


@pytest.mark.parametrize("found", FINDINGS)
def test_another_content_is_not_adopted_and_both_sides_are_kept(
    found: Callable[[Document, Sandbox], Document],
    invoice: Document,
    box: Sandbox,
    telling: dict[str, Any],
) -> None:
    telling |= {"total": Decimal("20.33"), "receiverRuc": "8-274-125"}
    doubted = found(invoice, box)
    assert (doubted.submission_state, doubted.document_id) == ("UNCERTAIN", None)
    assert (doubted.legal_status, doubted.next_attempt_at) == (None, None)
    error = doubted.submission_error
    assert error["code"] == "match_doubted"
    assert error["differences"] == {
        "receiver_ruc": {"ours": "155646463-2-2017", "pac": "8-274-125"},
        "total": {"ours": "203.30", "pac": "20.33"},
    }
    assert error["ours"] == {
        "document_id": None,
        "cufe": doubted.computed_cufe,
        "receiver_ruc": "155646463-2-2017",
        "receiver_name": "Cliente Prueba, S.A.",
        "total": "203.30",
    }
    assert error["pac"] == {
        "document_id": the_only(box).id,
        "cufe": doubted.computed_cufe,
        "receiver_ruc": "8-274-125",
        "receiver_name": None,
        "total": "20.33",
    }
    assert attention.reasons_of(doubted) == ["match_doubted"]
    assert not File.unscoped.exists()
    assert HistoryEntry.unscoped.filter(event="match_doubted").count() == 1


@pytest.mark.parametrize("found", FINDINGS)
def test_either_decision_can_be_taken_wherever_the_doubt_came_from(
    found: Callable[[Document, Sandbox], Document],
    invoice: Document,
    api: APIClient,
    box: Sandbox,
    telling: dict[str, Any],
) -> None:
    telling["total"] = Decimal("20.33")
    decide.adopt(found(invoice, box), actor="rosa")
    work()
    assert_authorised_once(invoice, box)
    second = Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])
    box.options.update({"drop_next": 1})
    send(second)
    hear(second, box.documents[1])
    decide.disown(poll(second), actor="rosa")
    assert now_of(second).submission_error["code"] == "number_taken"


def test_a_webhook_that_comes_again_does_not_undo_the_decision(
    invoice: Document, box: Sandbox, telling: dict[str, Any]
) -> None:
    telling["total"] = Decimal("20.33")
    decide.disown(found_by_list(invoice, box), actor="rosa")
    for _ in range(3):
        hear(invoice, the_only(box))
        decided = poll(invoice)
        assert (decided.submission_state, decided.hinted_document_id) == ("FAILED", "")
        assert decided.submission_error["code"] == "number_taken"
        assert decided.next_poll_at is None
    queue.retry(decided)
    telling["total"] = Decimal("203.30")
    work()
    anew = now_of(invoice)
    assert (anew.number, anew.legal_status) == ("0000000002", "DGI_AUTHORIZED")
    assert anew.document_id == box.documents[1].id


# --- our digits in another CUFE: ours, and yet a person decides -----------------------------------


@pytest.fixture
def elsewhere(box: Sandbox) -> Sandbox:
    """A PAC that has the tenant in another environment than Cifras: every CUFE differs."""
    box.options.environment = 1
    return box


def found_by_a_person(invoice: Document, box: Sandbox) -> Document:
    box.options.update({"drop_next": 1, "list_missing": True})
    decide.identify(send(invoice), the_only(box).id, actor="rosa")
    return poll(invoice)


@pytest.mark.parametrize("found", [found_by_list, found_by_a_person])
def test_a_lost_document_with_another_cufe_is_not_somebody_elses(
    found: Callable[[Document, Sandbox], Document], invoice: Document, elsewhere: Sandbox
) -> None:
    """Else it would be retried under a new number, and the sale declared twice."""
    doubted = found(invoice, elsewhere)
    assert (doubted.submission_state, doubted.submission_error["code"]) == (
        "UNCERTAIN",
        "match_doubted",
    )
    there = the_only(elsewhere)
    assert doubted.submission_error["differences"] == {
        "cufe": {"ours": doubted.computed_cufe, "pac": there.cufe}
    }
    assert attention.reasons_of(doubted) == [attention.Reason.MATCH_DOUBTED]
    work()
    assert now_of(invoice).submission_state == "UNCERTAIN"  # nobody else decides
    decide.adopt(doubted, actor="rosa")
    work()
    ours = now_of(invoice)
    assert (ours.legal_status, ours.invoice_number) == ("DGI_AUTHORIZED", there.cufe)
    assert [warning["code"] for warning in ours.warnings] == ["cufe_differs"]
    assert sum(elsewhere.posts.values()) == 1


# --- a person brings the id -----------------------------------------------------------------------


def test_an_id_that_a_person_brings_is_believed_only_where_the_pac_shows_our_cufe(
    invoice: Document, api: APIClient, box: Sandbox
) -> None:
    other = Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])
    Document.unscoped.filter(pk=invoice.pk).update(next_attempt_at=None)
    other = send(other)
    Document.unscoped.filter(pk=invoice.pk).update(next_attempt_at=LONG_AGO)
    box.options.update({"drop_next": 1, "list_missing": True})
    send(invoice)
    decide.identify(now_of(invoice), str(other.document_id), actor="rosa")
    refused = poll(invoice)
    assert (refused.submission_state, refused.document_id) == ("UNCERTAIN", None)
    assert refused.hinted_document_id == ""
    decide.identify(refused, box.documents[1].id, actor="rosa")
    assert poll(invoice).submission_state == "DONE"
    asked = HistoryEntry.unscoped.filter(owner=invoice, event="asked")
    assert [entry.actor for entry in asked] == ["rosa", "rosa"]


@pytest.mark.parametrize("document_id", ["", "../companies", "x" * 27, "a b"])
def test_an_id_that_the_pac_cannot_have_given_is_refused(
    document_id: str, invoice: Document, box: Sandbox
) -> None:
    box.options.update({"drop_next": 1})
    with pytest.raises(Conflict, match="ULID"):
        decide.identify(send(invoice), document_id, actor="rosa")


def test_what_is_not_in_doubt_needs_no_id(invoice: Document, box: Sandbox) -> None:
    with pytest.raises(Conflict) as caught:
        decide.identify(send(invoice), the_only(box).id, actor="rosa")
    assert caught.value.code == "not_doubted"
