"""Delivery: the receiver gets the document by e-mail, once per occasion.

The row comes first and is unique in the database, so that no two workers mail the same occasion. A
kill inside SMTP leaves SENDING with a lease; the message is then sent again under the same
Message-ID, by which a mail server tells the second from the first.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from smtplib import SMTPException, SMTPRecipientsRefused
from typing import cast
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from invoicing import bell
from invoicing.emails import compose
from invoicing.models import (
    DeliveryState,
    Document,
    EmailDelivery,
    FileKind,
    GenerationMode,
    LegalStatus,
)
from invoicing.models.history import Event
from invoicing.services.claims import read, share_out, waiting_tenants
from invoicing.services.errands import backoff
from invoicing.services.history import note
from invoicing.services.locks import locked_now
from tenants.base import new_id
from tenants.errors import Conflict

log = logging.getLogger(__name__)

AUTHORIZED = "authorized"
# Connecting, TLS, signing in, envelope and message may each take the whole time-out.
LEASE = timedelta(seconds=6 * settings.EMAIL_TIMEOUT)
ATTEMPTS_AT_MOST = 8  # with the backoff, about two hours
FIRST_PAUSE = timedelta(seconds=30)


def queue_if_ready(document: Document) -> EmailDelivery | None:
    """Queues the e-mail of the authorisation, once, as soon as verdict and PDF are both there.

    Belongs in the commit that brought the later of the two. No address, no e-mail; nor for an
    import, which was delivered where it was issued.
    """
    if document.generation_mode == GenerationMode.DGI_IMPORT:
        return None
    if document.legal_status != LegalStatus.DGI_AUTHORIZED or not document.delivery_addresses:
        return None
    if not document.files.filter(kind=FileKind.PDF).exists():
        return None
    if EmailDelivery.unscoped.filter(owner=document, occasion=AUTHORIZED).exists():
        return None
    return _queue(document, AUTHORIZED, document.delivery_addresses, "")


def obstacle_to_mailing(document: Document) -> Conflict | None:
    """Why the document is not mailed to anybody; None where it may be."""
    if document.is_rejected:
        return Conflict("rejected", "The DGI or the PAC rejected it: it is no fiscal document.")
    if document.generation_mode == GenerationMode.DGI and (
        document.legal_status != LegalStatus.DGI_AUTHORIZED
    ):
        return Conflict(
            "not_authorized", "It is mailed by itself as soon as the DGI authorises it."
        )
    if not any(file.kind == FileKind.PDF for file in document.files.all()):
        return Conflict("no_pdf", "The document has no PDF yet; it is mailed once it has.")
    return None


def send_again(
    document: Document,
    *,
    to: Sequence[str],
    message: str,
    actor: str = "",
    sending: UUID | None = None,
) -> EmailDelivery:
    """Queues one more e-mail of `document`: a new occasion. Without `to`, to its own addresses.

    The same `sending` a second time (a second click) is the e-mail of the first. Raises `Conflict`
    (`no_pdf`, `no_address`) where there is nothing to send or nobody to send to, and
    `not_authorized` or `rejected` for what has no fiscal force, lest somebody take it for one that
    has.
    """
    if obstacle := obstacle_to_mailing(document):
        raise obstacle
    addresses = list(to) or document.delivery_addresses
    if not addresses:
        raise Conflict("no_address", "Nobody to send it to: give `to`.")
    occasion = f"resend:{sending or new_id()}"
    with transaction.atomic():
        if sending:
            locked_now(document).get()  # a twin waits here, and then finds the first
            first = EmailDelivery.unscoped.filter(owner=document, occasion=occasion).first()
            if first:
                return first
        return _queue(document, occasion, addresses, message, actor)


def _queue(
    document: Document, occasion: str, to: Sequence[str], message: str, actor: str = ""
) -> EmailDelivery:
    _, sender = parseaddr(settings.DEFAULT_FROM_EMAIL)
    domain = sender.rpartition("@")[2] or "localhost"
    delivery = EmailDelivery(
        tenant_id=document.tenant_id,
        owner=document,
        occasion=occasion,
        to=list(to),
        message=message,
        message_id=f"<{document.pk.hex}.{occasion.replace(':', '.')}@{domain}>",
        next_attempt_at=timezone.now(),
    )
    delivery.save(force_insert=True)
    note(document, Event.EMAIL_QUEUED, actor=actor, occasion=occasion, to=list(to))
    transaction.on_commit(lambda: bell.ring("mail"))
    return delivery


@dataclass(slots=True)
class Mailing:
    """One claimed e-mail on its way. An errand of the pump."""

    delivery: EmailDelivery
    lease_expires_at: datetime
    message: EmailMultiAlternatives | None = None

    @property
    def document(self) -> Document:
        return self.delivery.owner

    def call(self) -> Exception | None:
        """Hands the message to the mail server. No database."""
        try:
            cast(EmailMultiAlternatives, self.message).send()
        except (SMTPException, OSError) as error:
            return error
        return None

    def commit(self, error: Exception | None) -> None:
        now = timezone.now()
        delivery = self.delivery
        hopeless = isinstance(error, SMTPRecipientsRefused) or (
            delivery.attempts >= ATTEMPTS_AT_MOST
        )
        if error is None:
            changes = {"state": DeliveryState.SENT, "sent_at": now, "error": ""}
        elif hopeless:
            changes = {"state": DeliveryState.FAILED, "error": str(error)}
        else:
            pause = backoff(delivery.attempts, first=FIRST_PAUSE)
            changes = {
                "state": DeliveryState.QUEUED,
                "next_attempt_at": now + pause,
                "error": str(error),
            }
        with transaction.atomic():
            written = EmailDelivery.unscoped.filter(
                pk=delivery.pk,
                state=DeliveryState.SENDING,
                lease_expires_at=self.lease_expires_at,
            ).update(lease_expires_at=None, updated_at=now, **changes)
            if written != 1:
                return
            if error is None:
                note(delivery.owner, Event.EMAIL_SENT, occasion=delivery.occasion, to=delivery.to)
            elif hopeless:
                _note_failure(delivery, str(error))


def claim_due(limit: int) -> list[Mailing]:
    """Claims up to `limit` e-mails that are due, fairly between tenants."""
    now = timezone.now()
    with transaction.atomic():
        waiting = waiting_tenants(EmailDelivery, "next_attempt_at", now, limit)
        keys = share_out(EmailDelivery, "next_attempt_at", now, waiting, limit)
        rows = EmailDelivery.unscoped.select_related("owner__tenant", "owner__office")
        due = read(rows, keys, "next_attempt_at", now)
        claimed = [claim(delivery, now=now) for delivery in due]
    mailings = []
    for mailing in claimed:
        if mailing is None:
            continue
        delivery = mailing.delivery
        try:
            mailing.message = _message(delivery)
        except Exception as error:  # a lost file or a broken template costs this e-mail alone
            log.exception("E-mail %s could not be composed", delivery.pk)
            mailing.commit(error)
        else:
            mailings.append(mailing)
    return mailings


def claim(delivery: EmailDelivery, *, now: datetime) -> Mailing | None:
    """Takes the e-mail for one attempt; None where somebody else was faster."""
    lease_expires_at = now + LEASE
    claimed = EmailDelivery.unscoped.filter(
        pk=delivery.pk,
        state=DeliveryState.QUEUED,
        next_attempt_at=delivery.next_attempt_at,
    ).update(
        state=DeliveryState.SENDING,
        attempts=F("attempts") + 1,
        next_attempt_at=None,
        lease_expires_at=lease_expires_at,
        updated_at=now,
    )
    if claimed != 1:
        return None
    delivery.attempts += 1
    return Mailing(delivery, lease_expires_at)


def _message(delivery: EmailDelivery) -> EmailMultiAlternatives:
    document = delivery.owner
    file = document.files.filter(kind=FileKind.PDF).latest("id")
    with file.content.open() as content:
        attachment = (file.name, content.read(), "application/pdf")
    return compose(
        document,
        to=delivery.to,
        message=delivery.message,
        message_id=delivery.message_id,
        attachments=[attachment],
    )


def recover_lost(limit: int = 100) -> int:
    """E-mails whose worker died with them go back into the queue, under the same Message-ID.

    One that has used all its attempts is set aside as FAILED. Returns how many there were.
    """
    now = timezone.now()
    lost = EmailDelivery.unscoped.filter(lease_expires_at__lte=now)[:limit]
    for delivery in lost:
        with transaction.atomic():
            _recover(delivery, now)
    return len(lost)


def _recover(delivery: EmailDelivery, now: datetime) -> None:
    poison = delivery.attempts >= ATTEMPTS_AT_MOST
    error = "A worker died while it was sending this e-mail."
    changed = EmailDelivery.unscoped.filter(
        pk=delivery.pk,
        state=DeliveryState.SENDING,
        lease_expires_at=delivery.lease_expires_at,
    ).update(
        state=DeliveryState.FAILED if poison else DeliveryState.QUEUED,
        lease_expires_at=None,
        next_attempt_at=None if poison else now,
        error=error,
        updated_at=now,
    )
    if changed == 1 and poison:
        _note_failure(delivery, error)


def _note_failure(delivery: EmailDelivery, error: str) -> None:
    note(
        delivery.owner,
        Event.EMAIL_FAILED,
        occasion=delivery.occasion,
        to=delivery.to,
        error=error,
    )
