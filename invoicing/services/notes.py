"""Issuing credit and debit notes, and setting generic credits against invoices.

The invoice's row is held from the look at what is left of it until the note has committed: two
notes at the same time cannot take the same money.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from invoicing.fiscal.draft import Draft, Fault
from invoicing.fiscal.note_rules import GENERIC, REFERRING
from invoicing.fiscal.originals import discounts_of, line_of, original_of
from invoicing.models import CreditApplication, Document, Invoice, LegalStatus
from invoicing.models.documents import GenerationMode, PacDocumentType
from invoicing.models.history import Event
from invoicing.services.history import note
from invoicing.services.idempotency import IdempotencyKey
from invoicing.services.issue import (
    Issued,
    Render,
    answered_once,
    judge,
    record,
    refuse_taken_external_id,
)
from invoicing.services.locks import locked_now
from invoicing.services.settle import settle
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict
from tenants.models import Tenant


def issue_note(
    *,
    tenant: Tenant,
    draft: Draft,
    invoice_id: UUID | None,
    left_out: frozenset[str],
    render: Render,
    faults: Sequence[Fault] = (),
    idempotency: IdempotencyKey | None = None,
) -> Issued:
    """Issues the credit or debit note that `draft.document_type` says.

    `invoice_id` is the invoice that it corrects, None for a generic note. `left_out` names what the
    request did not give of `receiver`, `lines` and `dgi_document_type`: it is then the invoice's
    own. Promises and errors are those of `issue`; the sum of an invoice's credits never exceeds it.
    """

    def work() -> Issued:
        now = timezone.now()
        found = list(faults)
        with (
            refuse_taken_external_id(tenant, draft.document_type, draft.external_id),
            transaction.atomic(),
        ):
            invoice = _locked_invoice(tenant, invoice_id)
            if invoice_id and invoice is None:
                found.append(_unknown_invoice())
            _default_to(draft, invoice, left_out)
            office, reckoning = judge(tenant, draft, found, now=now)
            issued = record(
                tenant, office, draft, reckoning, render, idempotency, now=now, invoice=invoice
            )
            if invoice and draft.generation_mode == GenerationMode.DGI:
                settle(invoice, today=panama_date(now))
            return issued

    return answered_once(tenant, idempotency, work)


def _locked_invoice(tenant: Tenant, invoice_id: UUID | None) -> Document | None:
    if invoice_id is None:
        return None
    known = Invoice.objects.for_tenant(tenant).filter(pk=invoice_id).first()
    # None where it was an import that somebody has deleted meanwhile.
    return locked_now(known).prefetch_related("lines").first() if known else None


def _unknown_invoice() -> Fault:
    return Fault("invoice", "invoice_unknown", "There is no such invoice.", "1707")


def _default_to(draft: Draft, invoice: Document | None, left_out: frozenset[str]) -> None:
    """Fills in what the request left out, from the invoice."""
    if "dgi_document_type" in left_out:
        types = REFERRING if invoice else GENERIC
        draft.dgi_document_type = types[draft.document_type]
    if invoice is None:
        return
    draft.original = original_of(invoice)
    draft.destination = draft.destination or invoice.destination
    if "receiver" in left_out:
        draft.receiver = invoice.receiver
        draft.broken -= {"receiver"}
    if "lines" in left_out:
        draft.lines = [line_of(line) for line in invoice.lines.all()]
        draft.discounts = draft.discounts or discounts_of(invoice)
        draft.freight = draft.freight or invoice.freight
        draft.insurance = draft.insurance or invoice.insurance
        draft.other_expenses = draft.other_expenses or invoice.other_expenses


def apply_credit(credit_note: Document, *, invoice_id: UUID, amount: Decimal) -> CreditApplication:
    """Sets `amount` (B/.) of a generic credit note against an invoice of the same receiver.

    Raises `Conflict`: `not_generic`, `not_authorized`, `invoice_unknown`, `receiver_differs`,
    `credit_exceeded` (more than the note has left), `balance_exceeded` (more than is open).
    """
    today = panama_date(timezone.now())
    with transaction.atomic():
        # The note before its invoice, as everybody does who needs both.
        credit = locked_now(credit_note).get()
        invoices = Document.unscoped.select_for_update().filter(tenant_id=credit.tenant_id)
        invoice = invoices.filter(pk=invoice_id).exclude(pk=credit.pk).first()
        _check_application(credit, invoice, amount)
        assert invoice is not None  # noqa: S101 (the check above says so)
        application = CreditApplication(
            tenant_id=credit.tenant_id, credit_note=credit, invoice=invoice, amount=amount
        )
        application.save(force_insert=True)
        for document in (credit, invoice):
            settle(document, today=today)
            note(
                document,
                Event.CREDIT_APPLIED,
                credit_note=str(credit.pk),
                invoice=str(invoice.pk),
                amount=str(amount),
            )
    return application


def _check_application(credit: Document, invoice: Document | None, amount: Decimal) -> None:
    if credit.invoice_id is not None:
        raise Conflict("not_generic", "This note references its invoice and counts by itself.")
    if credit.legal_status != LegalStatus.DGI_AUTHORIZED or credit.voided_at:
        raise Conflict("not_authorized", "Only an authorised credit note can be applied.")
    if invoice is None or invoice.document_type != PacDocumentType.INVOICE or invoice.is_proforma:
        raise Conflict("invoice_unknown", "There is no such invoice.")
    if invoice.voided_at or invoice.is_rejected:
        raise Conflict("original_void", "The invoice is void or was rejected.")
    if (credit.receiver_ruc, credit.receiver_foreign_number) != (
        invoice.receiver_ruc,
        invoice.receiver_foreign_number,
    ):
        raise Conflict("receiver_differs", "Note and invoice have different receivers.")
    left = credit.total - credit.credited
    if amount > left:
        raise Conflict("credit_exceeded", f"The note has {left} left, not {amount}.")
    if amount > invoice.balance:
        raise Conflict("balance_exceeded", f"The invoice has {invoice.balance} open, not {amount}.")
