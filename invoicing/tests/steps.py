"""One step of the worker at a time, and what it left behind."""

from __future__ import annotations

from django.core import mail

from conftest import LONG_AGO
from invoicing.models import Document, EmailDelivery, File
from invoicing.services import attention, follow, submit
from invoicing.services.errands import run
from pac.sandbox import Sandbox
from pac.sandbox.records import Document as Accepted


def now_of(document: Document) -> Document:
    return Document.unscoped.get(pk=document.pk)


def the_only(box: Sandbox) -> Accepted:
    (document,) = box.documents
    return document


def send(document: Document) -> Document:
    """One try at sending it, now."""
    Document.unscoped.filter(pk=document.pk).update(next_attempt_at=LONG_AGO)
    for sending in submit.claim_due(10):
        run(sending)
    return now_of(document)


def poll(document: Document) -> Document:
    Document.unscoped.filter(pk=document.pk).update(next_poll_at=LONG_AGO)
    for following in follow.claim_due(10):
        run(following)
    return now_of(document)


def hear(document: Document, there: Accepted) -> None:
    """What a webhook brings about that names the PAC's id and our CUFE."""
    Document.unscoped.filter(pk=document.pk, document_id__isnull=True).update(
        hinted_document_id=there.id, next_poll_at=LONG_AGO
    )


def assert_authorised_once(invoice: Document, box: Sandbox) -> None:
    """One document at the PAC, ours, with one PDF and one e-mail, and nobody need look at it."""
    there, ours = the_only(box), now_of(invoice)
    assert (ours.submission_state, ours.legal_status) == ("DONE", "DGI_AUTHORIZED")
    assert (ours.document_id, ours.invoice_number) == (there.id, ours.computed_cufe)
    assert (ours.submission_error, ours.doubtful_since, ours.next_attempt_at) == (None, None, None)
    assert ours.is_fiscally_valid()
    assert there.payload == ours.pac_input
    assert File.unscoped.count() == EmailDelivery.unscoped.count() == len(mail.outbox) == 1
    assert attention.reasons_of(ours) == []
