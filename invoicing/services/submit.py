"""Submission: a document reaches the PAC once, whatever breaks on the way.

    QUEUED ──claim──▶ SENDING ──judged──────────▶ DONE
      ▲                 ├──surely not taken─────▶ QUEUED, later
      │                 └──nobody knows─────────▶ UNCERTAIN ──claim──▶ SENDING, asking first
      └──retry── FAILED ◀──gave up: needs a person

A POST whose outcome is unknown is never simply repeated: first the PAC is asked for the number.
What is in there is ours if, and only if, its CUFE is the one computed before the first send. If
nothing is there, the same payload is posted again, which the PAC's own numbering makes harmless;
where that is refused, the PAC is asked once more before the refusal counts.

Before the first send the PAC is asked whether the receiver's RUC exists, unless it has said so not
long ago. Only its plain no stops a document; whatever keeps it from answering does not.

What a kill leaves behind: before the claim's commit, nothing; between claim and outcome, SENDING
with a lease, which `recover_lost` turns into UNCERTAIN when it has expired.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import DatabaseError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from invoicing.fiscal.payload import build_payload
from invoicing.models import Document, SubmissionState
from invoicing.models.history import Event
from invoicing.services import breaker
from invoicing.services.claims import due_documents, locked
from invoicing.services.errands import (
    LEASE,
    backoff,
    keep_exchanges,
    kind_of,
    require_time,
)
from invoicing.services.history import note
from invoicing.services.identity import (
    contradiction,
    has_our_code,
    has_our_number,
    is_numbered_alike,
    is_ours,
)
from invoicing.services.locks import locked_again
from invoicing.services.outcomes import Decision, Outcome, decide
from pac.answers import DocumentAnswer
from pac.client import PacClient
from pac.errors import Duplicate, PacError, Rejected
from tenants.pac import pac_client
from tenants.services import rucs
from tenants.services.rucs import RucAndType

log = logging.getLogger(__name__)

DEATHS_AT_MOST = 5
LOST_AGAIN = timedelta(seconds=15)  # doubled at each further loss, with jitter


@dataclass(slots=True)
class Sending:
    """One claimed document on its way to the PAC. An errand of the pump."""

    document: Document
    payload: dict[str, Any]
    lease_expires_at: datetime
    question: rucs.Question | None = None  # of a receiver that is new to us

    def call(self) -> Outcome:
        """Asks first where the receiver is new or an earlier send is in doubt, then posts. No
        database."""
        outcome = Outcome()
        if self.question:
            outcome.verification = self.question.answer()
            if outcome.ruc_is_unknown:
                outcome.exchanges += self.question.exchanges
                return outcome
        client = pac_client(self.document.tenant, outcome.exchanges.append)
        try:
            if self.document.doubtful_since:
                outcome.answer = self._look_up(client, outcome)
            if outcome.answer is None and not outcome.number_is_taken:
                self._post(client, outcome)
        except PacError as error:
            outcome.error = error
        return outcome

    def _post(self, client: PacClient, outcome: Outcome) -> None:
        require_time(client, self.lease_expires_at)
        outcome.posted = True
        try:
            outcome.answer = client.issue(kind_of(self.document), self._company_id, self.payload)
        except Duplicate:
            raise
        except Rejected as refusal:
            outcome.error, outcome.known_absent = refusal, False
            if self.document.doubtful_since:
                # It was not there before; the send that is in doubt may have arrived meanwhile.
                with suppress(PacError):  # no answer: then it is not known to be absent
                    outcome.answer = self._look_up(client, outcome)

    @property
    def _company_id(self) -> str:
        return self.document.tenant.pac_company_id or ""

    def _look_up(self, client: PacClient, outcome: Outcome) -> DocumentAnswer | None:
        """Our document, if the PAC has it. Notes down what else the PAC says of the number."""
        document, kind = self.document, kind_of(self.document)
        require_time(client, self.lease_expires_at)
        entries = client.find(kind, self._company_id, document.number, document.billing_point)
        if entries is None:
            return None  # this PAC has no such call: only another POST can tell
        for entry in entries:
            if entry.cufe is None or has_our_code(document, entry):
                require_time(client, self.lease_expires_at)
                answer = client.read(kind, self._company_id, entry.id)
                if has_our_code(document, answer):
                    outcome.doubts = contradiction(document, answer)
                    return answer
        # A PAC that does not filter shows other numbers: then its silence about ours says nothing.
        outcome.known_absent = all(is_numbered_alike(document, entry) for entry in entries)
        outcome.number_is_taken = any(has_our_number(document, entry) for entry in entries)
        return None

    def commit(self, outcome: Outcome) -> None:
        """Writes the outcome, if this errand still holds the document."""
        now = timezone.now()
        with transaction.atomic():
            keep_exchanges(self.document, outcome.exchanges)
            decision = decide(self.document, outcome)
            try:
                document = locked_again(
                    self.document,
                    submission_state=SubmissionState.SENDING,
                    lease_expires_at=self.lease_expires_at,
                )
            except Document.DoesNotExist:
                self._leave_a_hint(outcome, now)
            else:
                decision.carry_out(document, now=now)
        self._tell_breaker(decision, outcome, now)
        if self.question:
            self.question.keep()

    def _leave_a_hint(self, outcome: Outcome, now: datetime) -> None:
        """Our lease ran out and somebody else has the document now; what we learnt still helps."""
        if outcome.answer and outcome.answer.id and is_ours(self.document, outcome.answer):
            Document.unscoped.filter(pk=self.document.pk, document_id__isnull=True).update(
                hinted_document_id=outcome.answer.id, next_poll_at=now
            )

    def _tell_breaker(self, decision: Decision, outcome: Outcome, now: datetime) -> None:
        tenant = self.document.tenant
        if decision.pac_answered:
            breaker.succeeded(tenant)
        elif outcome.error:
            breaker.not_judged(tenant, self.document.pk, outcome.error, now)


def claim_due(limit: int) -> list[Sending]:
    """Claims up to `limit` documents that are due: QUEUED ones and UNCERTAIN ones.

    The attempt is counted, and the payload stored, in the commit that comes before the call: a
    document that kills its worker has that on its record.
    """
    now = timezone.now()
    with transaction.atomic():
        documents = due_documents("next_attempt_at", now=now, limit=limit)
        questions = _questions(documents)
        sendings = [
            claim(document, now=now, question=questions.get(document.pk)) for document in documents
        ]
    return [sending for sending in sendings if sending]


def claim(
    document: Document, *, now: datetime, question: rucs.Question | None = None
) -> Sending | None:
    """Takes the document for one try, in the caller's transaction.

    None where somebody else was faster, and for a document of which no payload can be made, or none
    that can be stored: it is set aside as FAILED, so that a defect of ours stops one document and
    not the queue.
    """
    lease_expires_at = now + LEASE
    try:
        payload = document.pac_input or build_payload(document, document.lines.all())
        with transaction.atomic():
            claimed = Document.unscoped.filter(
                pk=document.pk,
                submission_state=document.submission_state,
                next_attempt_at=document.next_attempt_at,
            ).update(
                submission_state=SubmissionState.SENDING,
                attempts=F("attempts") + 1,
                lease_expires_at=lease_expires_at,
                next_attempt_at=None,
                pac_input=payload,
                updated_at=now,
            )
    except OperationalError:  # the database's trouble, not the document's
        raise
    except Exception:
        log.exception("No payload can be made of document %s", document.pk)
        _set_aside(document, now)
        breaker.give_up_probe(document.tenant, document.pk, now)
        return None
    if claimed != 1:
        return None
    document.submission_state = SubmissionState.SENDING
    document.attempts += 1
    return Sending(document, payload, lease_expires_at, question)


def _questions(documents: Sequence[Document]) -> dict[UUID, rucs.Question]:
    """What to ask the PAC before it gets these documents: one question for all of a tenant that go
    to the same new RUC.

    A document in doubt was verified before its first send; of it we ask whether it is there.
    """
    asking = {
        document.pk: (document.receiver_ruc, document.receiver_ruc_type)
        for document in documents
        if document.receiver_ruc and not document.doubtful_since
    }
    confirmed = rucs.confirmed(set(asking.values()))
    shared: dict[tuple[UUID, RucAndType], rucs.Question] = {}
    return {
        document.pk: shared.setdefault(
            (document.tenant_id, asking[document.pk]),
            rucs.Question(document.tenant, *asking[document.pk]),
        )
        for document in documents
        if document.pk in asking and asking[document.pk] not in confirmed
    }


def _set_aside(document: Document, now: datetime) -> None:
    error = {
        "code": "no_payload",
        "message": "This document cannot be put into the PAC's words: a defect of Cifras. Its log "
        "says where; retry when it is mended.",
    }
    Document.unscoped.filter(pk=document.pk).update(
        submission_state=SubmissionState.FAILED,
        submission_error=error,
        next_attempt_at=None,
        updated_at=now,
    )
    note(document, Event.FAILED, error=error)


def recover_lost(limit: int = 100) -> int:
    """Documents whose worker died with them: nobody knows, so they become UNCERTAIN and are due.

    One that took `DEATHS_AT_MOST` workers with it is set aside as FAILED for a person. Those that
    were lost together before are spread over time, so that whoever only happened to be in flight
    with such a one is not lost with it again. Returns how many there were.
    """
    now = timezone.now()
    with transaction.atomic():
        lost = list(locked(Document.unscoped.filter(lease_expires_at__lte=now))[:limit])
        for document in lost:
            try:
                with transaction.atomic():
                    _recover(document, now)
            except DatabaseError:
                log.exception("The lost document %s could not be recovered", document.pk)
    return len(lost)


def _recover(document: Document, now: datetime) -> None:
    poison = document.lost_leases + 1 >= DEATHS_AT_MOST
    state = SubmissionState.FAILED if poison else SubmissionState.UNCERTAIN
    error = {
        "code": "worker_lost",
        "message": "A worker died while it was sending this document."
        + (f" That happened {DEATHS_AT_MOST} times; look at its log." if poison else ""),
    }
    due = now
    if document.lost_leases:
        due += backoff(document.lost_leases, first=LOST_AGAIN)
    changed = Document.unscoped.filter(
        pk=document.pk,
        submission_state=SubmissionState.SENDING,
        lease_expires_at=document.lease_expires_at,
    ).update(
        submission_state=state,
        lost_leases=F("lost_leases") + 1,
        doubtful_since=document.doubtful_since or now,
        lost_at=now,
        lease_expires_at=None,
        next_attempt_at=None if poison else due,
        next_poll_at=now if document.hinted_document_id else None,
        submission_error=error,
        updated_at=now,
    )
    if changed == 1:
        note(document, Event.FAILED if poison else Event.UNCERTAIN, error=error)
