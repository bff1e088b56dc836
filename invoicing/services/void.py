"""Voiding: a fiscal event at the PAC for what is authorised, a cancellation inside for a proforma.

    REQUESTED ──DELETE at the PAC──▶ ACCEPTED (the document is VOID, and stays DGI_AUTHORIZED)
        │  └──nobody knows, PAC away─▶ REQUESTED, sent again later
        └──refused───────────────────▶ REFUSED, with the PAC's reasons

A DELETE may be repeated: a document is void once. A kill at any point leaves a request that is due
again when its lease expires; "already void" is then what our own lost request has done.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils import timezone

from invoicing import bell
from invoicing.models import Document, FiscalEvent, LegalStatus, VoidState
from invoicing.models.history import Event
from invoicing.services import breaker
from invoicing.services.errands import LEASE, keep_exchanges, kind_of, later
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from invoicing.services.outcomes import complaints
from invoicing.services.settle import settle, settle_invoices_of
from pac.client import Exchange
from pac.dgi.calendar import panama_date
from pac.errors import AlreadyVoid, NotFound, PacError, Rejected
from tenants.errors import Conflict
from tenants.pac import pac_client


def request_void(document: Document, *, reason: str, actor: str = "") -> FiscalEvent | None:
    """Asks for a void of `document`; None for a proforma, which is canceled at once.

    Raises `Conflict`: `not_authorized` before the DGI's verdict, `already_void`,
    `void_in_progress`, `outside_void_window` (issue a credit note instead).
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


@dataclass(slots=True)
class Voiding:
    """One claimed void on its way to the PAC. An errand of the pump."""

    event: FiscalEvent
    lease_expires_at: datetime
    exchanges: list[Exchange] = field(default_factory=list)

    def call(self) -> PacError | None:
        """The DELETE. No database."""
        document = self.event.owner
        pac = pac_client(document.tenant, self.exchanges.append)
        try:
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
            state = _verdict(error)
            written = FiscalEvent.unscoped.filter(
                pk=self.event.pk,
                state=VoidState.REQUESTED,
                lease_expires_at=self.lease_expires_at,
            ).update(
                state=state,
                lease_expires_at=None,
                next_attempt_at=self._next_attempt(state, error, now),
                settled_at=None if state == VoidState.REQUESTED else now,
                error=_told(error, state),
                updated_at=now,
            )
            if written == 1:
                _carry_out(document, state, error, now)
        if error is None or isinstance(error, (Rejected, NotFound)):
            breaker.succeeded(document.tenant)
        else:
            breaker.failed(document.tenant, error.message, now=now, retry_after=error.retry_after)

    def _next_attempt(
        self, state: VoidState, error: PacError | None, now: datetime
    ) -> datetime | None:
        if state != VoidState.REQUESTED:
            return None
        return later(now, self.event.attempts, error.retry_after if error else None)


def _verdict(error: PacError | None) -> VoidState:
    if error is None or isinstance(error, AlreadyVoid):
        return VoidState.ACCEPTED
    if isinstance(error, (Rejected, NotFound)):
        return VoidState.REFUSED
    return VoidState.REQUESTED  # nobody knows, or nobody listened: it is asked for again


def _told(error: PacError | None, state: VoidState) -> dict[str, object] | None:
    if error is None or state == VoidState.ACCEPTED:
        return None
    errors = [asdict(fault) for fault in complaints(error)]
    code = errors[0]["code"] or "pac_refused"
    return {"code": code, "message": error.message, "errors": errors}


def _carry_out(document: Document, state: VoidState, error: PacError | None, now: datetime) -> None:
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
    note(document, events[state], error=_told(error, state))


def claim_due(limit: int) -> list[Voiding]:
    """Claims up to `limit` voids that are due, those of a dead worker among them."""
    now = timezone.now()
    due = FiscalEvent.unscoped.filter(
        Q(next_attempt_at__lte=now) | Q(lease_expires_at__lte=now)
    ).exclude(tenant__in=breaker.tenants_of(breaker.resting_circuits(now)))
    voidings = []
    for event in due.select_related("owner__tenant", "owner__office").order_by("pk")[:limit]:
        lease_expires_at = now + LEASE
        claimed = FiscalEvent.unscoped.filter(
            pk=event.pk,
            state=VoidState.REQUESTED,
            next_attempt_at=event.next_attempt_at,
            lease_expires_at=event.lease_expires_at,
        ).update(
            attempts=F("attempts") + 1,
            next_attempt_at=None,
            lease_expires_at=lease_expires_at,
            updated_at=now,
        )
        if claimed == 1:
            event.attempts += 1
            voidings.append(Voiding(event, lease_expires_at))
    return voidings
