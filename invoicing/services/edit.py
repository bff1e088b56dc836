"""What may still change: a proforma, and the receiver of a document that never reached the PAC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from invoicing.errors import Immutable, InvalidDocument
from invoicing.fiscal import rules
from invoicing.fiscal.complete import complete
from invoicing.fiscal.draft import Draft, Fault, Receiver
from invoicing.fiscal.originals import draft_of, original_of
from invoicing.models import Document, DocumentLine, GenerationMode, SubmissionState
from invoicing.models.history import Event
from invoicing.models.receiver import receiver_columns
from invoicing.services.customers import refuse_vanished_customer
from invoicing.services.files import replace_files
from invoicing.services.history import note
from invoicing.services.issue import (
    content_columns,
    document_lines,
    judge,
    payments_at_issue,
    proforma_page,
    refuse_taken_external_id,
)
from invoicing.services.locks import locked_now
from invoicing.services.settle import settle, status_of
from pac.dgi.calendar import panama_date
from tenants.models import Office

ONLY_A_PROFORMA = "Only a proforma can be changed or deleted; issue a credit note instead."


def edit_proforma(document: Document, draft: Draft, faults: Sequence[Fault] = ()) -> Document:
    """Writes the draft over a proforma; its number stays. All of its content, lines and page too.

    Raises `InvalidDocument` with every fault, `Immutable` for what is no proforma (any more),
    `Conflict` where the `external_id` is taken.
    """
    now = timezone.now()
    draft.document_type = document.document_type
    draft.original = original_of(document.invoice) if document.invoice else None
    if draft.customer == document.customer_id and draft.receiver == document.receiver:
        # Neither was changed: the copy stays what it is, whatever the customer is called by now.
        draft.receiver_fields = frozenset(Receiver.__dataclass_fields__)
    office, reckoning = judge(document.tenant, draft, faults, now=now)
    _refuse_another_series(document, office, draft)
    with (
        refuse_taken_external_id(document.tenant, document.document_type, draft.external_id),
        refuse_vanished_customer(document.tenant, draft.customer),
        transaction.atomic(),
    ):
        current = _locked_proforma(document)
        for name, value in content_columns(office, draft, reckoning, now).items():
            setattr(current, name, value)
        current.modification_code = draft.modification_code
        current.status = status_of(current, today=panama_date(now))
        current.lines.all().delete()
        lines = document_lines(current, draft, reckoning)
        DocumentLine.unscoped.bulk_create(lines)
        current.save()
        replace_files(current, [proforma_page(current, lines)])
        note(current, Event.EDITED)
    return current


def _refuse_another_series(document: Document, office: Office, draft: Draft) -> None:
    """A proforma's number belongs to its series; and it becomes an invoice by `/submit` alone."""
    stays = "This stays, since the proforma's number belongs to it."
    faults = [
        Fault(path, "series_is_fixed", stays)
        for path, same in (
            ("office", office.pk == document.office_id),
            ("billing_point", draft.billing_point == document.billing_point),
            ("dgi_document_type", draft.dgi_document_type == document.dgi_document_type),
        )
        if not same
    ]
    if draft.generation_mode != document.generation_mode:
        faults.append(
            Fault("generation_mode", "mode_is_fixed", "A proforma becomes an invoice by /submit.")
        )
    if faults:
        raise InvalidDocument(faults)


def delete(document: Document) -> None:
    """Deletes a proforma for good (its number is not given again), or an import that nothing
    refers to: no note, void, applied credit or payment. What an imported credit note took from its
    invoice is free again. Raises `Immutable`."""
    with transaction.atomic():
        current = locked_now(document).get()
        if current.generation_mode == GenerationMode.DGI_IMPORT:
            _refuse_if_paid(current)
        elif not current.is_proforma:
            raise Immutable(ONLY_A_PROFORMA)
        replace_files(current, [])
        # The note's row before its invoice's: the order in which a verdict takes them.
        corrected = None if current.is_proforma else current.invoice
        invoice = locked_now(corrected).get() if corrected else None
        try:
            current.delete()
        except ProtectedError as error:
            raise Immutable("Other documents refer to this one: it stays.") from error
        if invoice:
            settle(invoice, today=panama_date(timezone.now()))


def _refuse_if_paid(imported: Document) -> None:
    at_issue = Counter((each.method, each.amount) for each in payments_at_issue(imported))
    if Counter((each.method, each.amount) for each in imported.payments.all()) - at_issue:
        raise Immutable("Money was received for this import: take back the payments first.")


def _locked_proforma(document: Document) -> Document:
    current = locked_now(document).get()
    if not current.is_proforma:
        raise Immutable(ONLY_A_PROFORMA)
    return current


def correct_receiver(document: Document, receiver: Receiver, faults: Sequence[Fault]) -> Document:
    """Gives a FAILED document that never reached the PAC another receiver; then `/retry` it.

    Raises `InvalidDocument` with every fault, and `Immutable` where the PAC may know the document.
    """
    now = timezone.now()
    draft = draft_of(document)
    draft.receiver = receiver
    draft.broken = frozenset(fault.path for fault in faults)
    complete(draft, now=now, billing_point=document.billing_point)
    broken_rules, _ = rules.check(draft, now=now)
    found = [*faults, *broken_rules]
    if found:
        raise InvalidDocument(found)
    with transaction.atomic():
        current = locked_now(document).get()
        if current.submission_state != SubmissionState.FAILED or current.was_sent:
            raise Immutable(
                "The receiver can be corrected only while the document is FAILED and never reached "
                "the PAC."
            )
        columns = receiver_columns(draft.receiver)
        for name, value in columns.items():
            setattr(current, name, value)
        current.pac_input = None  # made anew from the corrected receiver at the next send
        current.save(update_fields=[*columns, "pac_input", "updated_at"])
        note(current, Event.EDITED, receiver=draft.receiver.ruc or draft.receiver.name)
    return current
