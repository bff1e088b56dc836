"""Money received for a document, and what it makes of its status."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from invoicing.models import Document, HistoryEntry, Payment, Status
from invoicing.models.documents import GenerationMode, PacDocumentType
from invoicing.models.history import Event
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from invoicing.services.settle import settle, status_of
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict

BATCH = 500
OWED = (Status.UNPAID, Status.PARTIALLY_PAID)


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
    candidates = _candidates(today)
    marked, last = 0, UUID(int=0)
    while batch := list(candidates.filter(pk__gt=last)[:BATCH]):
        late = [
            document.pk for document in batch if status_of(document, today=today) == Status.PAST_DUE
        ]
        marked += _mark(late, today)
        last = batch[-1].pk
    return marked


def _candidates(today: date) -> QuerySet[Document]:
    """Of what is open, all that may be past due: by its due date, or by an installment. Of several
    the first tells nothing, since they stand in any order. In the order of the primary key, so
    that the batches are one walk over it: no index is kept for a query of once a day."""
    may_be = (
        Q(due_date__lt=today)
        | Q(installments__0__due_date__lt=today.isoformat())
        | Q(installments__1__isnull=False)
    )
    documents = Document.unscoped.defer("pac_input", "pac_response").order_by("pk")
    return documents.filter(may_be, status__in=OWED).exclude(generation_mode=GenerationMode.PROFORM)


def _mark(keys: Sequence[UUID], today: date) -> int:
    """Marks what is past due still, now that its rows are held: a payment may have come."""
    if not keys:
        return 0
    with transaction.atomic():
        held = Document.unscoped.select_for_update().defer("pac_input", "pac_response")
        late = [
            document
            for document in held.filter(pk__in=keys, status__in=OWED).order_by("pk")
            if status_of(document, today=today) == Status.PAST_DUE
        ]
        Document.unscoped.filter(pk__in=[document.pk for document in late]).update(
            status=Status.PAST_DUE, updated_at=timezone.now()
        )
        HistoryEntry.unscoped.bulk_create(
            [
                HistoryEntry(tenant_id=document.tenant_id, owner=document, event=Event.PAST_DUE)
                for document in late
            ]
        )
    return len(late)
