"""What a person does about a document that went wrong: settles it outside, or issues it anew."""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.utils import timezone

from invoicing.fiscal.draft import Draft
from invoicing.fiscal.originals import draft_of, original_of
from invoicing.models import Document, GenerationMode, HistoryEntry
from invoicing.models.history import Event
from invoicing.services import attention
from invoicing.services.follow import VERDICT_DIFFERS
from invoicing.services.history import note
from invoicing.services.issue import judge, record, refuse_taken_external_id
from invoicing.services.locks import locked_now
from invoicing.services.settle import settle
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict


def mark_handled(document: Document, *, actor: str, reason: str) -> None:
    """Somebody dealt with it outside Cifras: it asks for nobody's attention any longer.

    Changes nothing else about the document. Raises `Conflict` (`not_waiting`) where it asks for
    none, the second click included.
    """
    with transaction.atomic():
        current = locked_now(document).get()
        waiting_for = attention.reasons_of(current)
        if not waiting_for:
            raise Conflict("not_waiting", "Nothing about this document waits for a person.")
        current.handled_at = timezone.now()
        current.save(update_fields=["handled_at", "updated_at"])
        about = [each.value for each in waiting_for]
        note(current, Event.HANDLED, actor=actor, reason=reason, about=about)


def take_back(document: Document, *, actor: str, reason: str = "") -> None:
    """It was not dealt with after all. Raises `Conflict` (`not_handled`) where nobody said so."""
    with transaction.atomic():
        current = locked_now(document).get()
        if current.handled_at is None:
            raise Conflict("not_handled", "Nobody has marked this document as handled.")
        current.handled_at = None
        current.save(update_fields=["handled_at", "updated_at"])
        note(current, Event.HANDLED, actor=actor, reason=reason, taken_back=True)


def reissue(document: Document, *, actor: str, reason: str = "") -> Document:
    """Issues a rejected document anew: same content and `external_id`, a new number, issued now.

    Where what it says of its due dates lies in the past, they move by the days since its issue. It
    is judged as any new document: raises `InvalidDocument` with every fault, and `Conflict`
    (`not_rejected`, `verdict_differs`, `already_reissued` at the second time, `external_id_taken`,
    `tenant_not_ready`, `number_series_exhausted`). All of it is one commit, or nothing; both
    documents name each other in their histories.
    """
    now = timezone.now()
    tenant = document.tenant
    with (
        refuse_taken_external_id(tenant, document.document_type, document.external_id),
        transaction.atomic(),
    ):
        rejected = locked_now(document).get()
        if not rejected.is_rejected:
            raise Conflict("not_rejected", "Only a rejected document is issued anew.")
        error = rejected.submission_error or {}
        if error.get("code") == VERDICT_DIFFERS and not rejected.handled_at:
            raise Conflict(VERDICT_DIFFERS, error["message"])
        if reissued_as(rejected):
            raise Conflict("already_reissued", "This document was issued anew already.")
        invoice = locked_now(rejected.invoice).get() if rejected.invoice else None
        draft = draft_of(rejected)
        draft.generation_mode, draft.issued_at = GenerationMode.DGI, now
        draft.original = original_of(invoice) if invoice else None
        _renew_due_dates(draft, panama_date(rejected.issued_at), panama_date(now))
        office, reckoning = judge(tenant, draft, (), now=now)
        issued = record(
            tenant,
            office,
            draft,
            reckoning,
            lambda _: None,
            None,
            now=now,
            invoice=invoice,
            actor=actor,
            told={"reissue_of": str(rejected.pk)},
        )
        new = issued.document
        assert new is not None  # noqa: S101 (only a replayed answer has none)
        Document.unscoped.filter(pk=new.pk).update(customer=rejected.customer_id)
        if invoice:
            settle(invoice, today=panama_date(now))
        rejected.handled_at = now
        rejected.save(update_fields=["handled_at", "updated_at"])
        note(
            rejected,
            Event.HANDLED,
            actor=actor,
            reason=reason,
            reissued_as=str(new.pk),
            number=new.number,
        )
    return new


def reissued_as(document: Document) -> str | None:
    """The id of the document in whose form `document` was issued anew; None where it was not."""
    entry = HistoryEntry.unscoped.filter(
        owner=document, event=Event.HANDLED, data__has_key="reissued_as"
    ).first()
    return entry.data["reissued_as"] if entry else None


def _renew_due_dates(draft: Draft, issued_on: date, today: date) -> None:
    installments = draft.installments or []
    dates = [part.due_date for part in installments] + ([draft.due_date] if draft.due_date else [])
    if not dates or min(dates) >= today:
        return
    passed: timedelta = today - issued_on
    if draft.due_date:
        draft.due_date += passed
    for part in installments:
        part.due_date += passed
