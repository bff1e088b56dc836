"""Voiding: a fiscal event at the PAC for what is authorised, a cancellation inside for a proforma.

    REQUESTED ──DELETE at the PAC──▶ ACCEPTED (the document is VOID, and stays DGI_AUTHORIZED)
        │  └──nobody knows, PAC away─▶ REQUESTED, sent again later
        ├──refused───────────────────▶ REFUSED, with the PAC's reasons
        └──refused, in doubt─────────▶ REQUESTED, not sent again: a person decides

A DELETE may be repeated: a document is void once. A kill at any point leaves a request that is due
again when its lease expires; "already void" is then what our own lost request has done. Any other
refusal of the repetition says nothing about the lost one, which may have voided the document: the
PAC may look at its window first. No call asks whether a document is void, so a person looks there.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from invoicing import bell
from invoicing.models import (
    Document,
    FiscalEvent,
    GenerationMode,
    LegalStatus,
    SubmissionState,
    VoidState,
)
from invoicing.models.documents import TERMINAL
from invoicing.models.history import Event
from invoicing.services import breaker
from invoicing.services.claims import due_keys, read
from invoicing.services.errands import (
    LEASE,
    keep_exchanges,
    kind_of,
    later,
    require_time,
)
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from invoicing.services.outcomes import complaints
from invoicing.services.settle import settle, settle_invoices_of
from pac.client import Exchange
from pac.dgi.calendar import panama_date
from pac.errors import AlreadyVoid, Ambiguous, NotFound, PacError, Rejected
from tenants.errors import Conflict
from tenants.pac import pac_client

DOUBTED = "void_doubted"


def request_void(document: Document, *, reason: str, actor: str = "") -> FiscalEvent | None:
    """Asks for a void of `document`; None for a proforma, which is canceled at once.

    Raises `Conflict`: `not_authorized` before the DGI's verdict, `already_void`,
    `void_in_progress`, `note_in_progress` (a note on it waits for its verdict),
    `outside_void_window` (issue a credit note instead).
    """
    now = timezone.now()
    try:
        with transaction.atomic():
            current = locked_now(document).get()
            if current.is_proforma:
                _cancel(current, now, actor, reason)
                return None
            _require_voidable(current, now)
            event = FiscalEvent(
                tenant_id=current.tenant_id,
                owner=current,
                reason=reason,
                requested_at=now,
                next_attempt_at=now,
                actor=actor,
            )
            event.save(force_insert=True)
            note(current, Event.VOID_REQUESTED, actor=actor, reason=reason)
            transaction.on_commit(bell.ring)
            return event
    except IntegrityError as error:
        raise Conflict("void_in_progress", "A void of this document is under way.") from error


def _cancel(document: Document, now: datetime, actor: str, reason: str) -> None:
    if document.canceled_at:
        raise Conflict("already_void", "This proforma is canceled already.")
    document.canceled_at = now
    document.save(update_fields=["canceled_at", "updated_at"])
    settle(document, today=panama_date(now))
    note(document, Event.CANCELED, actor=actor, reason=reason)


def _require_voidable(document: Document, now: datetime) -> None:
    if document.voided_at:
        raise Conflict("already_void", "This document is void already.")
    if document.legal_status != LegalStatus.DGI_AUTHORIZED:
        raise Conflict(
            "not_authorized", "A document can be voided once it is DGI_AUTHORIZED, not before."
        )
    window = timedelta(hours=settings.PAC_VOID_WINDOW_HOURS)
    if now - document.issued_at > window:
        raise Conflict(
            "outside_void_window",
            f"Issued more than {settings.PAC_VOID_WINDOW_HOURS} hours ago. Issue a credit note "
            f'instead: POST /api/v1/credit-notes {{"invoice": "{document.pk}"}}.',
        )
    # Who issues a note holds the invoice's row, as our caller does: neither misses the other.
    on_their_way = (
        Document.unscoped.filter(invoice=document, generation_mode=GenerationMode.DGI)
        .exclude(legal_status__in=TERMINAL)
        .exclude(submission_state=SubmissionState.FAILED)
    )
    if found := on_their_way.first():
        raise Conflict(
            "note_in_progress",
            f"The note {found.pk} on this invoice has no verdict yet, and would be refused after a "
            "void: ask again once it is judged.",
        )


@dataclass(slots=True)
class Voiding:
    """One claimed void on its way to the PAC. An errand of the pump."""

    event: FiscalEvent
    lease_expires_at: datetime
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def document(self) -> Document:
        return self.event.owner

    def call(self) -> PacError | None:
        """The DELETE. No database."""
        document = self.document
        pac = pac_client(document.tenant, self.exchanges.append)
        try:
            require_time(pac, self.lease_expires_at)
            pac.void(
                kind_of(document),
                document.tenant.pac_company_id or "",
                document.document_id or "",
                self.event.reason,
            )
        except PacError as error:
            return error
        return None

    def commit(self, error: PacError | None) -> None:
        now = timezone.now()
        with transaction.atomic():
            keep_exchanges(self.event.owner, self.exchanges)
            document = locked_now(self.event.owner).get()
            in_doubt = _is_doubted(self.event.error)
            state = _verdict(error, in_doubt)
            told = _told(error, state, in_doubt)
            written = FiscalEvent.unscoped.filter(
                pk=self.event.pk,
                state=VoidState.REQUESTED,
                lease_expires_at=self.lease_expires_at,
            ).update(
                state=state,
                lease_expires_at=None,
                next_attempt_at=self._next_attempt(state, error, now),
                settled_at=None if state == VoidState.REQUESTED else now,
                error=told,
                updated_at=now,
            )
            if written == 1:
                _carry_out(document, state, now, error=told)
        if error is None or _is_refusal(error):
            breaker.succeeded(document.tenant)
        else:
            breaker.not_judged(document.tenant, self.event.pk, error, now)

    def _next_attempt(
        self, state: VoidState, error: PacError | None, now: datetime
    ) -> datetime | None:
        if state != VoidState.REQUESTED or _is_refusal(error):
            return None
        return later(now, self.event.attempts, error.retry_after if error else None)


def decide(document: Document, *, accepted: bool, actor: str, reason: str = "") -> None:
    """A person's word on a void in doubt, who has looked at the PAC: whether the document is void.

    Raises `Conflict` (`not_doubted`) where no decision is waited for.
    """
    now = timezone.now()
    state = VoidState.ACCEPTED if accepted else VoidState.REFUSED
    with transaction.atomic():
        current = locked_now(document).get()
        event = FiscalEvent.unscoped.filter(
            owner=current, state=VoidState.REQUESTED, error__code=DOUBTED
        ).first()
        if event is None:
            raise Conflict(
                "not_doubted", "No decision about a void of this document is waited for."
            )
        error = None if accepted else event.error
        FiscalEvent.unscoped.filter(pk=event.pk).update(
            state=state, settled_at=now, error=error, updated_at=now
        )
        _carry_out(current, state, now, actor=actor, error=error, reason=reason)


def _verdict(error: PacError | None, in_doubt: bool) -> VoidState:
    if error is None or isinstance(error, AlreadyVoid):
        return VoidState.ACCEPTED
    if _is_refusal(error) and not in_doubt:
        return VoidState.REFUSED
    return VoidState.REQUESTED  # nobody knows, or nobody listened


def _is_refusal(error: PacError | None) -> bool:
    return isinstance(error, (Rejected, NotFound))


def _told(error: PacError | None, state: VoidState, in_doubt: bool) -> dict[str, Any] | None:
    """What stands as the event's error. `in_doubt` stays in it from the first DELETE on whose
    outcome nobody knows, until one of them is settled."""
    if error is None or state == VoidState.ACCEPTED:
        return None
    errors = [asdict(fault) for fault in complaints(error)]
    code, message = errors[0]["code"] or "pac_refused", error.message
    if _is_refusal(error) and in_doubt:
        code = DOUBTED
        message = (
            "The PAC refuses the void, but an earlier request, whose answer was lost, may have "
            f"voided it. Look at the document there, then decide. The PAC says: {message}"
        )
    in_doubt = in_doubt or isinstance(error, Ambiguous)
    return {"code": code, "message": message, "errors": errors} | (
        {"in_doubt": True} if in_doubt else {}
    )


def _is_doubted(error: dict[str, Any] | None) -> bool:
    return bool(error and error.get("in_doubt"))


def _left_behind(event: FiscalEvent) -> dict[str, Any] | None:
    """The error of an event that is claimed: a lease that is still there was its worker's, who died
    with the DELETE sent or not."""
    if event.lease_expires_at is None:
        return event.error
    message = "A worker died while it was asking for this void."
    return {"code": "worker_lost", "message": message, "errors": [], "in_doubt": True}


def _carry_out(
    document: Document, state: VoidState, now: datetime, *, actor: str = "", **told: Any
) -> None:
    if state == VoidState.ACCEPTED:
        today = panama_date(now)
        document.voided_at = now
        document.save(update_fields=["voided_at", "updated_at"])
        settle(document, today=today)
        settle_invoices_of(document, today=today)
    events = {
        VoidState.ACCEPTED: Event.VOIDED,
        VoidState.REFUSED: Event.VOID_REFUSED,
        VoidState.REQUESTED: Event.VOID_DELAYED,
    }
    note(
        document, events[state], actor=actor, **{key: value for key, value in told.items() if value}
    )


def claim_due(limit: int) -> list[Voiding]:
    """Claims up to `limit` voids that are due, fairly between tenants.

    The claim puts the next attempt to the end of the lease: a void whose worker died is due again
    by itself.
    """
    now = timezone.now()
    voidings = []
    with transaction.atomic():
        keys = due_keys(FiscalEvent, "next_attempt_at", now=now, limit=limit)
        events = FiscalEvent.unscoped.select_related("owner__tenant", "owner__office")
        for event in read(events, keys, "next_attempt_at", now):
            lease_expires_at = now + LEASE
            error = _left_behind(event)
            claimed = FiscalEvent.unscoped.filter(
                pk=event.pk,
                state=VoidState.REQUESTED,
                next_attempt_at=event.next_attempt_at,
                lease_expires_at=event.lease_expires_at,
            ).update(
                attempts=F("attempts") + 1,
                next_attempt_at=lease_expires_at,
                lease_expires_at=lease_expires_at,
                error=error,
                updated_at=now,
            )
            if claimed == 1:
                event.attempts += 1
                event.error = error
                voidings.append(Voiding(event, lease_expires_at))
    return voidings
