"""Following: from the PAC's first answer to the DGI's verdict and the signed PDF.

`apply` is the one place that writes `legal_status`, forwards only; a verdict never changes. A kill
at any point leaves `next_poll_at` in the past: the next sweep asks again and finds the same.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from invoicing.models import Document, File, FileKind, LegalStatus, SubmissionState
from invoicing.models.documents import REJECTED, TERMINAL
from invoicing.models.history import Event
from invoicing.services import breaker, deliver
from invoicing.services.claims import due_documents
from invoicing.services.errands import LEASE, LONGEST_PAUSE, keep_exchanges, kind_of
from invoicing.services.files import attach, new_file
from invoicing.services.history import note
from invoicing.services.identity import (
    contradiction,
    has_our_code,
    is_ours,
    match_doubted,
    was_disowned,
)
from invoicing.services.locks import locked_again
from invoicing.services.settle import settle_invoices_of, status_of
from pac.answers import DocumentAnswer
from pac.client import Exchange
from pac.dgi.calendar import panama_date
from pac.errors import NotFound, PacError, Rejected
from tenants.pac import pac_client

log = logging.getLogger(__name__)

FIRST_POLL = timedelta(seconds=10)
PATIENCE = timedelta(days=3)
SLOW_POLL = timedelta(hours=1)
UNANSWERED = 4  # how much sooner a question is asked again that got no answer

# What an answer may change, and what planning the next question may.
TOLD = (
    "authorization_protocol",
    "authorized_at",
    "document_id",
    "handled_at",
    "invoice_number",
    "legal_status",
    "pac_errors",
    "pac_response",
    "qr_code_url",
    "status",
    "submission_error",
    "updated_at",
    "warnings",
)
PLANNED = (
    "attempts",
    "doubtful_since",
    "hinted_document_id",
    "lease_expires_at",
    "next_attempt_at",
    "next_poll_at",
    "polls",
    "setbacks",
    "submission_error",
    "submission_state",
    "updated_at",
)

VERDICT_DIFFERS = "verdict_differs"

# From which states each verdict may be reached.
FORWARD: dict[str, tuple[str | None, ...]] = {
    LegalStatus.PAC_AUTHORIZED: (None,),
    LegalStatus.PAC_REJECTED: (None,),
    LegalStatus.DGI_AUTHORIZED: (None, LegalStatus.PAC_AUTHORIZED),
    LegalStatus.DGI_REJECTED: (None, LegalStatus.PAC_AUTHORIZED),
}

# While the PAC may have the document without our knowing.
NOT_KNOWN_THERE = (
    SubmissionState.QUEUED,
    SubmissionState.SENDING,
    SubmissionState.UNCERTAIN,
    SubmissionState.FAILED,
)


def apply(
    document: Document, answer: DocumentAnswer, *, now: datetime, and_save: Sequence[str] = ()
) -> None:
    """Writes what the PAC says of `document`, in the caller's transaction, which holds its row; in
    the same statement the fields `and_save`, which the caller has changed.

    Promises: forwards only; a terminal verdict never moves, and what it came with stays, though an
    older answer come after it; one that contradicts it is told; `invoice_number` is set with the
    authorisation. Where the PAC's CUFE is not the computed one, the PAC's is kept, the document
    carries a warning and an error is logged. Settles the business status and queues the e-mail.
    """
    before = document.legal_status
    _take_over(document, answer, now)
    document.save(update_fields=[*TOLD, *and_save])
    _react(document, before, now)


def _take_over(document: Document, answer: DocumentAnswer, now: datetime) -> None:
    before = document.legal_status
    verdict = answer.legal_status
    document.document_id = document.document_id or answer.id or None
    if before in TERMINAL and verdict != before:
        # Either it is older than the verdict, and was only slow, or it contradicts it.
        if verdict in TERMINAL and not {verdict, before} <= set(REJECTED):
            _warn_of_other_verdict(document, verdict)
        return
    document.pac_response = answer.raw
    document.qr_code_url = answer.qr or document.qr_code_url
    document.authorization_protocol = (
        answer.authorization_protocol or document.authorization_protocol
    )
    if verdict in FORWARD and before in FORWARD[verdict] and _is_complete(document, answer):
        _move(document, answer, LegalStatus(verdict), now)


def _react(document: Document, before: str | None, now: datetime) -> None:
    if document.legal_status != before:
        settle_invoices_of(document, today=panama_date(now))
    deliver.queue_if_ready(document)


def _is_complete(document: Document, answer: DocumentAnswer) -> bool:
    """An authorisation without CUFE or id authorises nothing yet: ask again."""
    if answer.legal_status in REJECTED or (answer.cufe and document.document_id):
        return True
    log.warning("The PAC calls document %s authorised without its CUFE or id", document.pk)
    return False


def _move(document: Document, answer: DocumentAnswer, verdict: LegalStatus, now: datetime) -> None:
    document.legal_status = verdict
    if verdict in REJECTED:
        document.pac_errors = [
            {"code": fault.code, "message": fault.message, "field": fault.field}
            for fault in answer.faults
        ]
    if verdict != LegalStatus.PAC_REJECTED:
        # The DGI judges what the PAC has authorised, whether we saw that in between or not.
        document.invoice_number = document.invoice_number or answer.cufe or ""
    if verdict == LegalStatus.DGI_AUTHORIZED:
        document.authorized_at = now
    document.status = status_of(document, today=panama_date(now))
    note(document, Event.LEGAL_STATUS, legal_status=verdict, errors=document.pac_errors)
    if document.invoice_number and document.invoice_number != document.computed_cufe:
        _warn_of_other_cufe(document)


def _warn_of_other_verdict(document: Document, verdict: str) -> None:
    """A verdict never moves, be it right or wrong: a person looks before it is issued anew."""
    message = (
        f"Here it is {document.legal_status}, and the PAC says {verdict} now. Look at it there, "
        "and mark it as handled, before anything is issued in its place."
    )
    if not _warn(document, VERDICT_DIFFERS, message):
        return
    document.submission_error = {"code": VERDICT_DIFFERS, "message": message}
    document.handled_at = None
    note(document, Event.VERDICT_DIFFERS, ours=document.legal_status, pac=verdict)


def _warn_of_other_cufe(document: Document) -> None:
    message = (
        f"The PAC's CUFE is kept; {document.computed_cufe} was computed before sending. "
        "Check the tenant's RUC, DV, environment and office code."
    )
    if _warn(document, "cufe_differs", message):
        note(
            document,
            Event.CUFE_DIFFERS,
            pac=document.invoice_number,
            computed=document.computed_cufe,
        )


def _warn(document: Document, code: str, message: str) -> bool:
    """Whether the document did not carry this warning before."""
    if any(warning["code"] == code for warning in document.warnings):
        return False
    document.warnings = [*document.warnings, {"code": code, "message": message}]
    log.error("Document %s: %s", document.pk, message)
    return True


@dataclass(slots=True)
class Reading:
    """What came of asking the PAC about one document."""

    answer: DocumentAnswer | None = None
    pdf: File | None = None
    error: PacError | None = None
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def is_answered(self) -> bool:
        """Whether the PAC said something of the document, if only that it has none."""
        return self.answer is not None or isinstance(self.error, (NotFound, Rejected))


@dataclass(slots=True)
class Following:
    """Asks the PAC about one document and fetches its PDF. An errand of the pump."""

    document: Document
    deadline: float | None = None  # seconds for one call; None: as the settings say

    def call(self) -> Reading:
        """One GET, and one download where a PDF is there and we have none."""
        document, reading = self.document, Reading()
        pac = pac_client(document.tenant, reading.exchanges.append, deadline=self.deadline)
        try:
            reading.answer = pac.read(
                kind_of(document),
                document.tenant.pac_company_id or "",
                document.document_id or document.hinted_document_id,
            )
            if reading.answer.pdf and self._wants_pdf(reading.answer):
                content = pac.download(reading.answer.pdf)
                name = f"{reading.answer.cufe}.pdf"
                reading.pdf = new_file(document, FileKind.PDF, name, content)
        except PacError as error:
            reading.error = error
        return reading

    def _wants_pdf(self, answer: DocumentAnswer) -> bool:
        if answer.legal_status in REJECTED or not self._is_ours(answer):
            return False
        return not any(file.kind == FileKind.PDF for file in self.document.files.all())

    def _is_ours(self, answer: DocumentAnswer) -> bool:
        """An id that only a webhook or a person named is believed when the PAC shows our CUFE
        under it; of one that was lost, our digits in another CUFE are looked at too."""
        if self.document.document_id:
            return True
        if self.document.submission_state in NOT_KNOWN_THERE:
            return has_our_code(self.document, answer)
        return is_ours(self.document, answer)

    def commit(self, reading: Reading) -> None:
        now = timezone.now()
        with transaction.atomic():
            keep_exchanges(self.document, reading.exchanges)
            document = locked_again(self.document)
            before = document.legal_status
            adopted = False
            if reading.answer and self._is_ours(reading.answer):
                adopted = self._adopt(document, reading, reading.answer, now)
            elif reading.is_answered:
                self._drop_hint(document)  # nothing of ours is under that id
            self._plan_next(document, now, answered=reading.is_answered)
            document.save(update_fields=[*PLANNED, *(TOLD if adopted else ())])
            if adopted:
                _react(document, before, now)
        if reading.is_answered:
            breaker.succeeded(self.document.tenant)
        elif reading.error:
            breaker.not_judged(self.document.tenant, self.document.pk, reading.error, now)

    def _drop_hint(self, document: Document) -> None:
        if document.hinted_document_id == self.document.hinted_document_id:  # else a newer one
            document.hinted_document_id = ""

    def _adopt(
        self, document: Document, reading: Reading, answer: DocumentAnswer, now: datetime
    ) -> bool:
        """Whether the answer was taken over; to be saved by the caller."""
        if not self._settles(document, answer, now):
            self._drop_hint(document)
            if reading.pdf:
                reading.pdf.content.delete(save=False)
            return False
        if reading.pdf and attach(reading.pdf):
            note(document, Event.FILE_STORED, name=reading.pdf.name, size=reading.pdf.size)
        _take_over(document, answer, now)
        return True

    def _settles(self, document: Document, answer: DocumentAnswer, now: datetime) -> bool:
        if document.submission_state in NOT_KNOWN_THERE:
            return self._recover(document, answer, now)
        return bool(document.document_id) or is_ours(document, answer)

    @staticmethod
    def _recover(document: Document, answer: DocumentAnswer, now: datetime) -> bool:
        """Whether what the PAC shows under our CUFE settles the sending, whoever is at it: a sender
        that comes back later finds it settled."""
        if was_disowned(document, answer):
            return False
        doubts = contradiction(document, answer)
        if doubts and document.submission_state == SubmissionState.SENDING:
            return False  # the answer to the sender's own POST says more
        document.next_attempt_at = None
        if doubts:
            document.submission_state = SubmissionState.UNCERTAIN
            document.doubtful_since = document.doubtful_since or now
            doubted = match_doubted(document, answer, doubts)
            if document.submission_error != doubted:  # else it was told already
                note(document, Event.MATCH_DOUBTED, error=doubted)
            document.submission_error = doubted
            return False
        document.submission_state = SubmissionState.DONE
        document.attempts = max(document.attempts, 1)  # it is there, so it was sent
        document.setbacks = 0
        document.doubtful_since = document.lease_expires_at = None
        document.submission_error = None
        note(document, Event.RECOVERED, document_id=answer.id)
        return True

    @staticmethod
    def _plan_next(document: Document, now: datetime, *, answered: bool) -> None:
        known = document.document_id or document.hinted_document_id
        finished = document.legal_status in REJECTED or (
            document.legal_status in TERMINAL and document.files.filter(kind=FileKind.PDF).exists()
        )
        document.polls += 1
        if finished or not known:
            document.next_poll_at = None
        elif document.next_poll_at is None or document.next_poll_at > now:
            pause = _pause(document, now)
            # No answer says nothing of how long the verdict takes; a PAC that is away is spared by
            # its breaker.
            document.next_poll_at = now + (pause if answered else pause / UNANSWERED)
        # Else a webhook came while the PAC was being asked: its news may be newer than the answer.


def _pause(document: Document, now: datetime) -> timedelta:
    """10 s, then half as much again each time up to 15 minutes; after three days, each hour."""
    if now - document.issued_at > PATIENCE:
        return SLOW_POLL
    return min(FIRST_POLL * 1.5 ** min(document.polls, 20), LONGEST_PAUSE)


def claim_due(limit: int) -> list[Following]:
    """Up to `limit` documents whose poll is due. The claim puts the next poll past the lease, so
    that a worker that dies in between costs that much time and nothing else."""
    now = timezone.now()
    with transaction.atomic():
        documents = due_documents("next_poll_at", now=now, limit=limit)
        Document.unscoped.filter(pk__in=[document.pk for document in documents]).update(
            next_poll_at=now + LEASE
        )
    return [Following(document) for document in documents]
