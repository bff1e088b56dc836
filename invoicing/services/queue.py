"""Putting a document into the queue by hand: a proforma that becomes an invoice, and a retry."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from invoicing import bell
from invoicing.fiscal.originals import draft_of, original_of
from invoicing.models import Document, GenerationMode, Payment, SubmissionState
from invoicing.models.documents import TERMINAL
from invoicing.models.history import Event
from invoicing.services.files import replace_files
from invoicing.services.history import note
from invoicing.services.issue import assign_number, judge, payments_at_issue
from invoicing.services.locks import locked_now
from invoicing.services.settle import settle, status_of
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict


def submit_proforma(document: Document) -> Document:
    """Turns a proforma into a fiscal document: a number of the DGI's series, a new date of issue,
    and into the queue.

    It is judged again, since time has passed: raises `InvalidDocument` with every fault, `Conflict`
    (`not_a_proforma` at the second time, `canceled`, `tenant_not_ready`).
    """
    now = timezone.now()
    with transaction.atomic():
        current = locked_now(document).get()
        if not current.is_proforma:
            raise Conflict("not_a_proforma", "This document was submitted already.")
        if current.canceled_at:
            raise Conflict("canceled", "A canceled proforma cannot be submitted.")
        invoice = locked_now(current.invoice).get() if current.invoice else None
        draft = draft_of(current)
        draft.generation_mode, draft.issued_at = GenerationMode.DGI, now
        draft.original = original_of(invoice) if invoice else None
        judge(current.tenant, draft, (), now=now)
        proforma_number = current.number
        current.generation_mode = GenerationMode.DGI
        current.issued_at = now
        assign_number(current, current.tenant, current.office)
        payments = payments_at_issue(current)
        current.paid = sum(payment.amount for payment in payments)
        current.status = status_of(current, today=panama_date(now))
        current.submission_state = SubmissionState.QUEUED
        current.queued_at = current.next_attempt_at = now
        current.save()
        Payment.unscoped.bulk_create(payments)
        if invoice:
            settle(invoice, today=panama_date(now))
        replace_files(current, [])  # the proforma's page is no page of an invoice
        note(current, Event.SUBMITTED, proforma_number=proforma_number, number=current.number)
        transaction.on_commit(bell.ring)
    return current


def retry(document: Document, *, actor: str = "", reason: str = "") -> Document:
    """Puts a FAILED document back into the queue, patience and pauses anew.

    Where its number belongs to another document at the PAC, it takes the next one of its series. An
    earlier send that is still in doubt is asked for first. Raises `Conflict`: `rejected` for a
    document that was judged (issue a new one), `not_failed` for one that is on its way,
    `original_void` for a note on an invoice that is void, or is being voided.
    """
    now = timezone.now()
    with transaction.atomic():
        current = locked_now(document).get()
        if current.legal_status in TERMINAL:
            raise Conflict(
                "rejected" if current.is_rejected else "not_failed",
                f"The document was judged: {current.legal_status}. Issue a new one instead.",
            )
        if current.submission_state != SubmissionState.FAILED:
            raise Conflict(
                "not_failed", f"The document is {current.submission_state}; nothing to retry."
            )
        if current.invoice and not current.doubtful_since:
            _refuse_void_original(locked_now(current.invoice).get())
        if (current.submission_error or {}).get("code") == "number_taken":
            assign_number(current, current.tenant, current.office)
            current.pac_input = None
        current.submission_state = (
            SubmissionState.UNCERTAIN if current.doubtful_since else SubmissionState.QUEUED
        )
        current.submission_error = None
        current.setbacks = current.lost_leases = 0
        current.queued_at = current.next_attempt_at = now
        current.save()
        said = {"reason": reason} if reason else {}
        note(current, Event.RETRIED, actor=actor, number=current.number, **said)
        transaction.on_commit(bell.ring)
    return current


def _refuse_void_original(invoice: Document) -> None:
    original = original_of(invoice)
    if original.is_void or original.is_being_voided:
        raise Conflict(
            "original_void",
            "The invoice of this note is void, or a void of it is under way: the PAC would refuse "
            "the note.",
        )
