"""A void whose answer was lost, and whose repetition is refused: who knows whether it was filed?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, FiscalEvent, HistoryEntry
from invoicing.services import attention, void
from invoicing.services.errands import run
from pac.sandbox import Sandbox, documents
from tenants.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)

REASON = {"reason": "El cliente devolvió el pedido"}


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    """Authorised, and its void asked for."""
    pk = api.post("/api/v1/invoices", body()).data["id"]
    work()
    assert api.post(f"/api/v1/invoices/{pk}/void", REASON).status_code == 202
    return Document.unscoped.get(pk=pk)


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Lets the PAC's window close. It looks at its clock before it looks whether it is void."""

    def close(self: Any, document: Any) -> None:
        raise documents.ApiError.because(400, "The document is outside the 182 hours to void it")

    return lambda: monkeypatch.setattr(documents.Documents, "_refuse_void", close)


def work_voids() -> None:
    FiscalEvent.unscoped.filter(next_attempt_at__isnull=False).update(next_attempt_at=LONG_AGO)
    for voiding in void.claim_due(10):
        run(voiding)


def cut_off(box: Sandbox) -> None:
    box.options.drop_next = 1
    work_voids()


def answered_by_the_gateway(box: Sandbox) -> None:
    box.options.error_after_next = 1
    work_voids()


def killed(box: Sandbox) -> None:
    """Our process dies with the PAC's answer in its hands."""
    (voiding,) = void.claim_due(10)
    voiding.call()
    FiscalEvent.unscoped.update(lease_expires_at=LONG_AGO)


def delayed_since(box: Sandbox) -> None:
    """Lost first, and then the PAC was away for a while: the doubt stays."""
    cut_off(box)
    box.options.unauthorized = True
    work_voids()
    box.options.unauthorized = False


LOST = [cut_off, answered_by_the_gateway, killed, delayed_since]


@pytest.fixture
def doubted(invoice: Document, box: Sandbox, late: Callable[[], None]) -> Document:
    """Void at the PAC, whose answer was lost and which refuses to say so."""
    return refused_in_doubt(cut_off, invoice, box, late)


def refused_in_doubt(
    lost: Callable[[Sandbox], None], invoice: Document, box: Sandbox, late: Callable[[], None]
) -> Document:
    lost(box)
    late()
    work_voids()
    assert box.documents[0].is_voided
    return Document.unscoped.get(pk=invoice.pk)


@pytest.mark.parametrize("lost", LOST)
def test_a_refusal_after_a_lost_answer_is_no_verdict_and_somebody_is_told(
    lost: Callable[[Sandbox], None],
    invoice: Document,
    api: APIClient,
    box: Sandbox,
    late: Callable[[], None],
) -> None:
    doubted = refused_in_doubt(lost, invoice, box, late)
    shown = api.get(f"/api/v1/invoices/{doubted.pk}").data
    assert (shown["void"]["state"], shown["status"]) == ("REQUESTED", "UNPAID")
    error = shown["void"]["error"]
    assert error["code"] == "void_doubted"
    assert "outside the 182 hours" in error["message"]
    assert "may have voided it" in error["message"]
    event = FiscalEvent.unscoped.get()
    assert (event.next_attempt_at, event.lease_expires_at, event.settled_at) == (None, None, None)
    assert attention.reasons_of(doubted) == [attention.Reason.VOID_REFUSED]
    last = HistoryEntry.unscoped.filter(owner=doubted).latest("id")
    assert (last.event, last.data["error"]["code"]) == ("void_delayed", "void_doubted")


def test_somebody_finds_it_void_at_the_pac(doubted: Document, api: APIClient) -> None:
    void.decide(doubted, accepted=True, actor="rosa", reason="Visto en el portal del PAC")
    shown = api.get(f"/api/v1/invoices/{doubted.pk}").data
    assert (shown["void"]["state"], shown["status"]) == ("ACCEPTED", "VOID")
    assert shown["void"]["error"] is None
    assert attention.reasons_of(doubted) == []
    told = HistoryEntry.unscoped.get(event="voided")
    assert (told.actor, told.data["reason"]) == ("rosa", "Visto en el portal del PAC")


def test_somebody_finds_it_standing_at_the_pac(doubted: Document, api: APIClient) -> None:
    void.decide(doubted, accepted=False, actor="rosa")
    shown = api.get(f"/api/v1/invoices/{doubted.pk}").data
    assert (shown["void"]["state"], shown["status"]) == ("REFUSED", "UNPAID")
    assert FiscalEvent.unscoped.get().settled_at
    assert HistoryEntry.unscoped.get(event="void_refused").actor == "rosa"


def test_there_is_one_decision(doubted: Document) -> None:
    void.decide(doubted, accepted=True, actor="rosa")
    with pytest.raises(Conflict) as caught:
        void.decide(doubted, accepted=False, actor="pedro")
    assert caught.value.code == "not_doubted"


def test_nobody_decides_what_the_pac_is_still_asked(invoice: Document) -> None:
    with pytest.raises(Conflict) as caught:
        void.decide(invoice, accepted=True, actor="rosa")
    assert caught.value.code == "not_doubted"


def test_without_a_lost_answer_the_window_is_the_pacs_verdict(
    invoice: Document, api: APIClient, box: Sandbox, late: Callable[[], None]
) -> None:
    """What surely never arrived leaves no doubt."""
    box.options.unauthorized = True
    work_voids()
    box.options.unauthorized = False
    late()
    work_voids()
    assert api.get(f"/api/v1/invoices/{invoice.pk}").data["void"]["state"] == "REFUSED"


@pytest.mark.parametrize("lost", LOST)
def test_void_already_settles_the_doubt_by_itself(
    lost: Callable[[Sandbox], None], invoice: Document, api: APIClient, box: Sandbox
) -> None:
    lost(box)
    work_voids()
    shown = api.get(f"/api/v1/invoices/{invoice.pk}").data
    assert (shown["void"]["state"], shown["status"]) == ("ACCEPTED", "VOID")
    assert shown["void"]["error"] is None
