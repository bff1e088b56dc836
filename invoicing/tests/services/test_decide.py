"""A person decides: ours, or not ours."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing.models import Document, HistoryEntry
from invoicing.services import decide, submit
from invoicing.services.errands import run
from pac.sandbox import Sandbox
from tenants.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doubted(api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Document:
    """Accepted, the answer lost, and found again with what seems another total."""
    pk = api.post("/api/v1/invoices", body()).data["id"]
    box.options.update({"drop_next": 1})
    total = {"total": {"ours": "203.30", "pac": "20.33"}}
    with monkeypatch.context() as patch:
        patch.setattr(submit, "contradiction", lambda *_: total)
        for _ in range(2):
            Document.unscoped.update(next_attempt_at=LONG_AGO)
            for sending in submit.claim_due(1):
                run(sending)
    return Document.unscoped.get(pk=pk)


def test_what_is_ours_after_all_is_followed_to_its_end(doubted: Document, box: Sandbox) -> None:
    decide.adopt(doubted, actor="rosa")
    work()
    document = Document.unscoped.get()
    assert (document.submission_state, document.legal_status) == ("DONE", "DGI_AUTHORIZED")
    assert document.is_fiscally_valid()
    assert len(box.documents) == 1
    told = HistoryEntry.unscoped.get(event="recovered")
    assert told.actor == "rosa"


def test_what_is_not_ours_takes_another_number(
    doubted: Document, api: APIClient, box: Sandbox
) -> None:
    decide.disown(doubted, actor="rosa")
    failed = Document.unscoped.get()
    assert (failed.submission_state, failed.submission_error["code"]) == ("FAILED", "number_taken")
    api.post(f"/api/v1/invoices/{failed.pk}/retry")
    work()
    document = Document.unscoped.get()
    assert (document.number, document.legal_status) == ("0000000002", "DGI_AUTHORIZED")


@pytest.mark.parametrize("decision", [decide.adopt, decide.disown])
def test_there_is_nothing_to_decide_about_a_clear_case(
    decision: object, api: APIClient, box: Sandbox
) -> None:
    api.post("/api/v1/invoices", body())
    with pytest.raises(Conflict) as caught:
        decision(Document.unscoped.get(), actor="rosa")  # type: ignore[operator]
    assert caught.value.code == "not_doubted"
