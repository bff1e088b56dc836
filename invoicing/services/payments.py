"""Money received for a document, and what it makes of its status."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from invoicing.models import Document, HistoryEntry, Payment, Status
from invoicing.models.documents import GenerationMode, PacDocumentType
from invoicing.models.history import Event
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from invoicing.services.settle import settle
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict

BATCH = 500


def receive(
    document: Document,
    *,
    amount: Decimal,
    method: str,
    paid_at: datetime | None = None,
    reference: str = "",
) -> Payment:
    """Records `amount` (B/.) received for `document`; more than is open makes it OVERPAID.

    Raises `Conflict` (`not_payable`) for what nobody owes: a proforma, a credit note, a void,
    canceled or rejected document.
    """
    with transaction.atomic():
        current = locked_now(document).get()
        _require_payable(current)
        payment = Payment(
            tenant_id=current.tenant_id,
            owner=current,
            amount=amount,
            method=method,
            paid_at=paid_at or timezone.now(),
            reference=reference,
        )
        payment.save(force_insert=True)
        settle(current, today=panama_date(timezone.now()))
        note(current, Event.PAYMENT, payment=str(payment.pk), amount=str(amount), method=method)
    return payment


def _require_payable(document: Document) -> None:
    if (
        document.is_proforma
        or document.document_type == PacDocumentType.CREDIT_NOTE
        or document.voided_at
        or document.canceled_at
        or document.is_rejected
    ):
        raise Conflict("not_payable", "Nobody owes this document: it takes no payment.")


def remove(document: Document, payment_id: UUID) -> bool:
    """Takes back a payment that was recorded by mistake; False where there is none of that id."""
    with transaction.atomic():
        current = locked_now(document).get()
        payment = current.payments.filter(pk=payment_id).first()
        if payment is None:
            return False
        payment.delete()
        settle(current, today=panama_date(timezone.now()))
        note(current, Event.PAYMENT_REMOVED, payment=str(payment_id), amount=str(payment.amount))
    return True


def mark_past_due() -> int:
    """What fell due before today in Panama and is still owed becomes PAST_DUE: run each day.

    Safe to run twice and at any time. How many there were.
    """
    today = panama_date(timezone.now())
    owed = Document.unscoped.filter(
        status__in=[Status.UNPAID, Status.PARTIALLY_PAID],
        due_date__lt=today,
        voided_at=None,
        document_type__in=[PacDocumentType.INVOICE, PacDocumentType.DEBIT_NOTE],
    ).exclude(generation_mode=GenerationMode.PROFORM)
    marked = 0
    while batch := list(owed.values_list("pk", "tenant_id")[:BATCH]):
        with transaction.atomic():
            marked += owed.filter(pk__in=[pk for pk, _ in batch]).update(
                status=Status.PAST_DUE, updated_at=timezone.now()
            )
            HistoryEntry.unscoped.bulk_create(
                [
                    HistoryEntry(tenant_id=tenant, owner_id=pk, event=Event.PAST_DUE)
                    for pk, tenant in batch
                ]
            )
    return marked
