"""`manage.py resubmit`: back into the queue, once, and never what was judged."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from rest_framework.test import APIClient

from conftest import body
from invoicing import pump
from invoicing.models import Document, HistoryEntry
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

FAULT = {"code": "number_taken", "message": "The number belongs to another document."}


def resubmit(*arguments: str) -> str:
    out = io.StringIO()
    call_command("resubmit", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def failed(api: APIClient, box: Sandbox) -> Callable[[], Document]:
    """Makes documents that gave up before the PAC judged them."""

    def make() -> Document:
        pk = api.post("/api/v1/invoices", body()).data["id"]
        Document.unscoped.filter(pk=pk).update(
            submission_state="FAILED", next_attempt_at=None, submission_error=FAULT
        )
        return Document.unscoped.get(pk=pk)

    return make


def test_a_failed_document_goes_back_and_is_authorised(
    failed: Callable[[], Document], box: Sandbox
) -> None:
    document = failed()
    said = resubmit(str(document.pk))
    assert FAULT["message"] in said
    assert said.endswith("1 document put back into the queue.\n")
    pump.drain("pac")
    document.refresh_from_db()
    assert (document.submission_state, document.submission_error) == ("DONE", None)
    assert len(box.documents) == 1
    note = HistoryEntry.unscoped.get(owner=document, event="retried")
    assert note.actor == "manage.py resubmit"


def test_a_second_time_changes_nothing(failed: Callable[[], Document]) -> None:
    document = failed()
    resubmit(document.computed_cufe)
    number = Document.unscoped.get(pk=document.pk).number
    assert "is QUEUED: nothing to resubmit, nothing changed." in resubmit(str(document.pk))
    assert Document.unscoped.get(pk=document.pk).number == number
    assert HistoryEntry.unscoped.filter(owner=document, event="retried").count() == 1


def test_all_that_failed_go_back_and_nothing_else(
    failed: Callable[[], Document], api: APIClient
) -> None:
    documents = [failed(), failed()]
    other = Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])
    assert resubmit("--failed").endswith("2 documents put back into the queue.\n")
    for document in documents:
        document.refresh_from_db()
        assert document.submission_state == "QUEUED"
    assert not HistoryEntry.unscoped.filter(owner=other, event="retried").exists()
    assert resubmit("--failed") == "0 documents put back into the queue.\n"


def test_one_that_cannot_go_back_does_not_hold_up_the_others(
    failed: Callable[[], Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    from invoicing.services import queue
    from tenants.errors import Conflict

    first, second = failed(), failed()
    retry = queue.retry

    def refuse_the_first(document: Document, **options: str) -> Document:
        if document.pk == first.pk:
            raise Conflict("number_series_exhausted", "The series has used its last number.")
        return retry(document, **options)

    monkeypatch.setattr(queue, "retry", refuse_the_first)
    said = resubmit("--failed")
    assert "left as it is. The series has used its last number." in said
    assert said.endswith("1 document put back into the queue. 1 left as they are.\n")
    second.refresh_from_db()
    assert second.submission_state == "QUEUED"


@pytest.mark.parametrize("which", ["--failed", "the document"])
def test_a_dry_run_changes_nothing(failed: Callable[[], Document], which: str) -> None:
    document = failed()
    said = resubmit(which if which == "--failed" else str(document.pk), "--dry-run")
    assert said.endswith("1 document would go back into the queue; nothing was changed.\n")
    document.refresh_from_db()
    assert document.submission_state == "FAILED"


@pytest.mark.parametrize("arguments", [(), ("--dry-run",)])
def test_a_judged_document_is_refused(
    api: APIClient, box: Sandbox, arguments: tuple[str, ...]
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    Document.unscoped.filter(pk=pk).update(submission_state="DONE", legal_status="DGI_REJECTED")
    with pytest.raises(CommandError, match=r"was judged: DGI_REJECTED.*issue a new one"):
        resubmit(pk, *arguments)


def test_an_unknown_document_is_told() -> None:
    with pytest.raises(CommandError, match="no document with the id or CUFE FE99"):
        resubmit("FE99")
