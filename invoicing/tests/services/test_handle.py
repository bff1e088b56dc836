"""What a person does about a document that went wrong."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.errors import InvalidDocument
from invoicing.models import Document, HistoryEntry
from invoicing.services import handle
from invoicing.tests.admin.conftest import issued, rejected
from pac.dgi.calendar import panama_date
from pac.sandbox import Sandbox
from tenants.errors import Conflict

pytestmark = pytest.mark.django_db(transaction=True)


def test_marking_needs_something_that_waits_and_counts_once(api: APIClient, box: Sandbox) -> None:
    fine, refused = issued(api), rejected(api)
    with pytest.raises(Conflict) as fault:
        handle.mark_handled(fine, actor="rosa", reason="why")
    assert fault.value.code == "not_waiting"
    handle.mark_handled(refused, actor="rosa", reason="why")
    with pytest.raises(Conflict) as fault:
        handle.mark_handled(refused, actor="rosa", reason="why")
    assert fault.value.code == "not_waiting"
    told = HistoryEntry.unscoped.get(owner=refused, event="handled")
    assert (told.actor, told.data) == ("rosa", {"reason": "why", "about": ["dgi_rejected"]})


def test_taking_back_needs_a_mark(api: APIClient, box: Sandbox) -> None:
    refused = rejected(api)
    with pytest.raises(Conflict) as fault:
        handle.take_back(refused, actor="rosa")
    assert fault.value.code == "not_handled"
    handle.mark_handled(refused, actor="rosa", reason="why")
    handle.take_back(refused, actor="rosa")
    assert Document.unscoped.get(pk=refused.pk).handled_at is None


def test_it_is_issued_anew_with_the_same_content_and_another_number(
    api: APIClient, box: Sandbox
) -> None:
    refused = rejected(api, external_id="OC-1", notes="Gracias")
    new = handle.reissue(refused, actor="rosa", reason="why")
    assert new.number != refused.number
    assert new.computed_cufe != refused.computed_cufe
    same = ("external_id", "total", "receiver_ruc", "receiver_name", "notes", "payment_methods")
    stored = Document.unscoped.get(pk=new.pk)
    assert [getattr(stored, name) for name in same] == [getattr(refused, name) for name in same]
    born = HistoryEntry.unscoped.get(owner=new, event="issued")
    assert (born.actor, born.data["reissue_of"]) == ("rosa", str(refused.pk))
    assert handle.reissued_as(refused) == str(new.pk)
    work()
    assert Document.unscoped.get(pk=new.pk).legal_status == "DGI_REJECTED"  # its line says so
    assert len(box.documents) == 2


@pytest.mark.parametrize("external_id", [None, "OC-1"])
def test_it_is_issued_anew_once_only(api: APIClient, box: Sandbox, external_id: str | None) -> None:
    refused = rejected(api, external_id=external_id)
    handle.reissue(refused, actor="rosa")
    with pytest.raises(Conflict) as fault:
        handle.reissue(refused, actor="rosa")
    assert fault.value.code == "already_reissued"
    handle.take_back(refused, actor="rosa")
    with pytest.raises(Conflict):
        handle.reissue(refused, actor="rosa")
    assert Document.unscoped.count() == 2


def test_two_clicks_at_the_same_moment_issue_one(api: APIClient, box: Sandbox) -> None:
    refused, start, codes = rejected(api), Barrier(2), []

    def click() -> None:
        start.wait()
        try:
            handle.reissue(refused, actor="rosa")
        except Conflict as error:
            codes.append(error.code)
        finally:
            connection.close()

    threads = [Thread(target=click) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == ["already_reissued"]
    assert Document.unscoped.count() == 2


def test_an_order_that_was_issued_again_is_not_issued_a_third_time(
    api: APIClient, box: Sandbox
) -> None:
    refused = rejected(api, external_id="OC-1")
    issued(api, done=False, external_id="OC-1")
    with pytest.raises(Conflict) as fault:
        handle.reissue(refused, actor="rosa")
    assert fault.value.code == "external_id_taken"
    assert Document.unscoped.get(pk=refused.pk).handled_at is None


def test_only_what_was_rejected_is_issued_anew(api: APIClient, box: Sandbox) -> None:
    with pytest.raises(Conflict) as fault:
        handle.reissue(issued(api), actor="rosa")
    assert fault.value.code == "not_rejected"


def test_due_dates_that_have_passed_move_by_the_days_since(api: APIClient, box: Sandbox) -> None:
    today = panama_date(timezone.now())
    due = today + timedelta(days=10)
    refused = rejected(api, due_date=due.isoformat())
    with pytest.MonkeyPatch.context() as patch:
        later = timezone.now() + timedelta(days=20)
        patch.setattr("django.utils.timezone.now", lambda: later)
        new = Document.unscoped.get(pk=handle.reissue(refused, actor="rosa").pk)
    assert new.due_date == due + timedelta(days=20)
    assert new.installments[0]["due_date"] == (due + timedelta(days=20)).isoformat()


def test_a_rejected_credit_note_is_issued_anew_and_takes_its_money_once(
    api: APIClient, box: Sandbox
) -> None:
    invoice = issued(api)
    lines = [body()["lines"][0] | {"description": "REJECT-DGI"}]
    sent = {"invoice": str(invoice.pk), "lines": lines}
    pk = api.post("/api/v1/credit-notes", sent).data["id"]
    work()
    note = Document.unscoped.get(pk=pk)
    assert note.legal_status == "DGI_REJECTED"
    new = handle.reissue(note, actor="rosa")
    assert new.invoice_id == invoice.pk
    assert Document.unscoped.get(pk=invoice.pk).credited == note.total
    # Even somebody who removes its trace cannot take the money twice.
    HistoryEntry.unscoped.filter(owner=note, event="handled").delete()
    with pytest.raises(InvalidDocument):
        handle.reissue(note, actor="rosa")
