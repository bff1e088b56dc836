"""The business status of a document: who owes what. One function says it, everybody else asks."""

from datetime import date
from decimal import Decimal

from invoicing.models.documents import REJECTED, Document, Status

ZERO = Decimal(0)


def status_of(document: Document, *, today: date) -> Status:
    """The first of these that holds; `today` is the date in Panama.

    VOID, CANCELED (credited in full, or rejected), OVERPAID, PAID, PARTIALLY_CANCELED, PAST_DUE,
    PARTIALLY_PAID, UNPAID.
    """
    due, paid = document.due, document.paid
    if document.status == Status.VOID:
        return Status.VOID
    if document.legal_status in REJECTED or ZERO < document.total <= document.credited:
        return Status.CANCELED
    if paid > due:
        return Status.OVERPAID
    if paid == due:
        return Status.PAID
    if document.credited > ZERO:
        return Status.PARTIALLY_CANCELED
    if document.due_date and document.due_date < today:
        return Status.PAST_DUE
    return Status.PARTIALLY_PAID if paid > ZERO else Status.UNPAID
