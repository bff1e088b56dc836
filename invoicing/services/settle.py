"""The business status of a document: who owes what. One function says it, everybody else asks."""

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q, QuerySet, Sum

from invoicing.models import CreditApplication, CreditNote, Document, Payment
from invoicing.models.documents import (
    REJECTED,
    GenerationMode,
    LegalStatus,
    PacDocumentType,
    Status,
)

ZERO = Decimal(0)


def status_of(document: Document, *, today: date) -> Status:
    """The first of these that holds; `today` is the date in Panama.

    VOID; CANCELED (rejected, canceled or credited in full); a credit note: APPLIED or UNAPPLIED;
    OVERPAID, PAID, PARTIALLY_CANCELED, PAST_DUE, PARTIALLY_PAID, UNPAID.
    """
    if document.voided_at:
        return Status.VOID
    if document.canceled_at or document.legal_status in REJECTED:
        return Status.CANCELED
    if document.document_type == PacDocumentType.CREDIT_NOTE:
        return _status_of_credit(document)
    due, paid = document.due, document.paid
    if ZERO < document.total <= document.credited:
        return Status.CANCELED
    if paid > due:
        return Status.OVERPAID
    if paid == due:
        return Status.PAID
    if document.credited > ZERO:
        return Status.PARTIALLY_CANCELED
    if _is_past_due(document, today):
        return Status.PAST_DUE
    return Status.PARTIALLY_PAID if paid > ZERO else Status.UNPAID


def _is_past_due(document: Document, today: date) -> bool:
    """Whether more is still owed than falls due from `today` on: after the due date anything is,
    before it more than the installments to come, once one has passed.

    What was withheld, or paid when it was sold, is owed no more; what was paid since covers the
    earliest installments first.
    """
    if document.due_date and document.due_date < today:
        return True
    parts = [
        (date.fromisoformat(str(part["due_date"])), Decimal(str(part["amount"])))
        for part in document.installments
    ]
    to_come = [amount for day, amount in parts if day >= today]
    return len(to_come) < len(parts) and document.balance > sum(to_come, ZERO)


def _status_of_credit(note: Document) -> Status:
    """A note that references its invoice counts by itself once it is authorised; a generic one is
    applied when all of it was set against invoices (`credited` is what was)."""
    if note.invoice_id:
        authorised = note.legal_status == LegalStatus.DGI_AUTHORIZED
        return Status.APPLIED if authorised else Status.UNAPPLIED
    return Status.APPLIED if note.credited >= note.total > ZERO else Status.UNAPPLIED


def settle(document: Document, *, today: date) -> None:
    """Works out paid, credited and status anew from the rows, and writes them.

    In the caller's transaction, which holds the document's row.
    """
    document.paid = _sum(Payment.unscoped.filter(owner=document))
    document.credited = credited_of(document)
    document.status = status_of(document, today=today)
    document.save(update_fields=["paid", "credited", "status", "updated_at"])


def credited_of(document: Document) -> Decimal:
    """What credit notes take from an invoice; of a credit note, what of it was applied. In B/.

    A note counts from its issue, so that two of them cannot take the same money; one that is
    rejected, void or canceled gives it back.
    """
    if document.document_type == PacDocumentType.CREDIT_NOTE:
        return _sum(CreditApplication.unscoped.filter(credit_note=document))
    notes = (
        CreditNote.unscoped.filter(
            invoice=document,
            document_type=PacDocumentType.CREDIT_NOTE,
            voided_at=None,
            canceled_at=None,
        )
        .exclude(generation_mode=GenerationMode.PROFORM)
        .exclude(legal_status__in=REJECTED)
    )
    standing = notes.aggregate(sum=Sum("total"))["sum"] or ZERO
    applications = CreditApplication.unscoped.filter(invoice=document, credit_note__voided_at=None)
    return standing + _sum(applications)


def settle_invoices_of(note: Document, *, today: date) -> None:
    """Settles the invoices that a credit note counts against, by reference or by application: its
    credit counts there, or is released. Any other document has none."""
    if note.document_type != PacDocumentType.CREDIT_NOTE:
        return
    applied_to = CreditApplication.unscoped.filter(credit_note=note).values("invoice")
    invoices = Document.unscoped.filter(Q(pk=note.invoice_id) | Q(pk__in=applied_to))
    for invoice in invoices.select_for_update(of=("self",)).order_by("pk"):
        settle(invoice, today=today)


def _sum(rows: QuerySet[Any]) -> Decimal:
    return rows.aggregate(sum=Sum("amount"))["sum"] or ZERO
