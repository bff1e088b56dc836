"""What an outcome at the PAC means for the document: one table, from outcome to decision.

| outcome                                          | decision                                    |
|--------------------------------------------------|---------------------------------------------|
| the receiver's RUC does not exist, nothing sent  | FAILED `ruc_unknown`                        |
| accepted, or found there with our CUFE           | DONE, follow it                             |
| found there, but with another receiver or total  | UNCERTAIN, a person decides                 |
| refused, and no earlier send is in doubt         | DONE, `PAC_REJECTED`                        |
| refused after a doubtful send, number unknown    | DONE, `PAC_REJECTED`                        |
| the same, but what was lost may still arrive     | UNCERTAIN, later                            |
| refused after a doubtful send, cannot be asked   | UNCERTAIN, later                            |
| numbering used, after a doubtful send            | UNCERTAIN, later: ours is in there          |
| numbering used, and none of ours ever got there  | FAILED `number_taken`                       |
| the number is in there with another CUFE         | FAILED `number_taken`                       |
| token, company or affiliation refused            | QUEUED (UNCERTAIN if in doubt), later       |
| certainly not received, 429                      | the same                                    |
| nobody knows (time-out, cut connection, 5xx)     | UNCERTAIN, later                            |
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from invoicing.models import Document, SubmissionState
from invoicing.models.documents import REJECTED
from invoicing.models.history import Event
from invoicing.services import follow
from invoicing.services.errands import TooLate, later
from invoicing.services.history import note
from invoicing.services.identity import match_doubted
from pac.answers import DocumentAnswer
from pac.client import Exchange
from pac.errors import (
    Ambiguous,
    Duplicate,
    NotFound,
    PacError,
    PacFault,
    Rejected,
    Unauthorized,
)
from tenants.models import RucVerification

PATIENCE = timedelta(days=3)
MOVED = (
    "attempts",
    "doubtful_since",
    "lease_expires_at",
    "lost_at",
    "next_attempt_at",
    "next_poll_at",
    "setbacks",
    "submission_error",
    "submission_state",
    "updated_at",
)
NOT_AFFILIATED = "AP1010"
NAMED_MEANWHILE = {
    "code": "pac_refused",
    "message": "The PAC refused it, and a webhook names a document there: that is asked for first.",
}
# Within this the PAC has done, or will never do, what we gave up waiting for.
SETTLING = timedelta(seconds=2 * (settings.PAC_CONNECT_TIMEOUT + settings.PAC_READ_TIMEOUT))


@dataclass(slots=True)
class Outcome:
    """What came of one try: an answer, or an error, and what was learnt on the way."""

    answer: DocumentAnswer | None = None
    error: PacError | None = None
    posted: bool = False
    # The PAC was asked for the number: it does not know it, or somebody else's document has it.
    known_absent: bool = False
    number_is_taken: bool = False
    # Field by field, where the PAC has our CUFE with another content.
    doubts: dict[str, dict[str, str]] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    verification: RucVerification | None = None

    @property
    def ruc_is_unknown(self) -> bool:
        """Whether the PAC was asked for the receiver's RUC and says that there is none."""
        return self.verification is not None and not self.verification.exists


@dataclass(slots=True)
class Decision:
    """The document's next state and why."""

    state: SubmissionState
    error: dict[str, Any] | None = None
    answer: DocumentAnswer | None = None
    # Nothing of this try is at the PAC; nothing of any try is.
    not_received: bool = False
    never_received: bool = False
    # The PAC is alive and said something about this document.
    pac_answered: bool = True
    retry_after: float | None = None
    needs_person: bool = False
    # The PAC may have taken what this try sent.
    may_have_arrived: bool = False

    def carry_out(self, document: Document, *, now: datetime) -> None:
        """Writes the decision, in the caller's transaction, which holds the row."""
        if self._is_refusal and document.doubtful_since and document.hinted_document_id:
            # A webhook has named a document there since we looked: that is asked for first.
            self.state, self.error = SubmissionState.UNCERTAIN, NAMED_MEANWHILE
            self.answer = None
        if self.may_have_arrived:
            document.lost_at = now
        if self.state == SubmissionState.UNCERTAIN:
            # Before patience may end: who gives up on it, and who retries it, has to know.
            document.doubtful_since = document.doubtful_since or now
        if self.state in (SubmissionState.QUEUED, SubmissionState.UNCERTAIN) and (
            now - (document.queued_at or now) > PATIENCE
        ):
            self.state = SubmissionState.FAILED
            obstacle = (self.error or {}).get("message", "")
            self.error = {
                "code": "gave_up",
                "message": f"Three days of trying. The last obstacle: {obstacle}",
            }
        self._move(document, now)
        self._note(document)
        if self.answer and not self.needs_person:
            follow.apply(document, self.answer, now=now, and_save=MOVED)
        else:
            document.save(update_fields=MOVED)

    @property
    def _is_refusal(self) -> bool:
        return self.answer is not None and self.answer.legal_status in REJECTED

    def _move(self, document: Document, now: datetime) -> None:
        document.submission_state = self.state
        document.submission_error = self.error
        document.lease_expires_at = document.next_attempt_at = None
        if self.not_received:
            document.attempts -= 1
        if self.never_received:
            document.attempts, document.doubtful_since = 0, None
        match self.state:
            case SubmissionState.DONE:
                document.doubtful_since = None
                document.setbacks = 0
                document.next_poll_at = self._first_poll(document, now)
            case SubmissionState.QUEUED | SubmissionState.UNCERTAIN:
                document.setbacks += 1
                if not self.needs_person:
                    document.next_attempt_at = later(now, document.setbacks, self.retry_after)
                if document.hinted_document_id:
                    document.next_poll_at = now

    def _first_poll(self, document: Document, now: datetime) -> datetime | None:
        """Of what was refused there is nothing more to ask, and often no id to ask by; what a
        webhook has named meanwhile is looked at now."""
        if document.hinted_document_id:
            return now
        return None if self._is_refusal else now + follow.FIRST_POLL

    def _note(self, document: Document) -> None:
        if self.needs_person:
            note(document, Event.MATCH_DOUBTED, error=self.error)
        else:
            event = {
                SubmissionState.DONE: Event.SENT,
                SubmissionState.QUEUED: Event.DELAYED,
                SubmissionState.UNCERTAIN: Event.UNCERTAIN,
                SubmissionState.FAILED: Event.FAILED,
            }[self.state]
            note(document, event, error=self.error)


def decide(document: Document, outcome: Outcome) -> Decision:
    """The table above. `document` is as it was claimed."""
    if outcome.ruc_is_unknown:
        return _ruc_unknown(document)
    if outcome.answer:
        return _on_answer(document, outcome, outcome.answer)
    if outcome.number_is_taken:
        return _number_taken(document, "")
    error = outcome.error
    assert error is not None  # noqa: S101 (a try has an answer or an error)
    in_doubt = document.doubtful_since is not None
    said = {"code": _code_of(error), "message": error.message}
    if isinstance(error, Ambiguous):
        # A question that broke off leaves the doubt as it was: this try posted nothing.
        return Decision(
            SubmissionState.UNCERTAIN,
            said,
            not_received=not outcome.posted,
            may_have_arrived=outcome.posted,
            pac_answered=False,
            retry_after=error.retry_after,
        )
    if isinstance(error, Rejected) and outcome.posted and not _about_the_company(error):
        return _on_refusal(document, error, outcome, said)
    return Decision(
        SubmissionState.UNCERTAIN if in_doubt else SubmissionState.QUEUED,
        said,
        not_received=True,
        pac_answered=isinstance(error, (NotFound, Rejected)),
        retry_after=error.retry_after,
    )


def _on_answer(document: Document, outcome: Outcome, answer: DocumentAnswer) -> Decision:
    if outcome.doubts:
        return Decision(
            SubmissionState.UNCERTAIN,
            match_doubted(document, answer, outcome.doubts),
            not_received=not outcome.posted,
            needs_person=True,
        )
    return Decision(SubmissionState.DONE, answer=answer)


def _on_refusal(
    document: Document, refusal: Rejected, outcome: Outcome, said: dict[str, Any]
) -> Decision:
    if document.doubtful_since is None:
        if isinstance(refusal, Duplicate):
            return _number_taken(document, refusal.message)
        return Decision(SubmissionState.DONE, answer=as_answer(refusal))
    if (
        isinstance(refusal, Duplicate)
        or not outcome.known_absent
        or _may_still_arrive(document.lost_at or document.doubtful_since)
    ):
        return Decision(SubmissionState.UNCERTAIN, said)
    return Decision(SubmissionState.DONE, answer=as_answer(refusal))


def _may_still_arrive(lost_at: datetime) -> bool:
    """Whether a send that was given up then may still be in the PAC's hands, whose "I do not have
    it" is no word to end with."""
    return timezone.now() - lost_at < SETTLING


def _ruc_unknown(document: Document) -> Decision:
    message = (
        f"The PAC says that there is no RUC {document.receiver_ruc} "
        f"({document.receiver_ruc_type}). Nothing was sent: correct the receiver, then retry."
    )
    error = {"code": "ruc_unknown", "message": message}
    return Decision(SubmissionState.FAILED, error, not_received=True)


def _number_taken(document: Document, said: str) -> Decision:
    tenant = document.tenant
    message = (
        "The PAC has another document with this number. Raise the number series beyond it: "
        f"onboard_tenant --ruc {tenant.ruc} --ruc-type {tenant.ruc_type} "
        f"--office-code {document.office.code} --billing-point {document.billing_point} "
        "--first-number N; or in the admin, at the taxpayer, «Puntos de facturación y numeración». "
        f"Then retry: it takes a new number. {said}"
    )
    error = {"code": "number_taken", "message": message.strip()}
    return Decision(SubmissionState.FAILED, error, not_received=True, never_received=True)


def _about_the_company(error: PacError) -> bool:
    return any(fault.code == NOT_AFFILIATED for fault in error.faults)


def _code_of(error: PacError) -> str:
    if isinstance(error, Duplicate):
        return "number_used"
    if isinstance(error, Unauthorized):
        return "pac_token_refused"
    if isinstance(error, NotFound):
        return "pac_company_unknown"
    if _about_the_company(error):
        return "company_not_affiliated"
    if isinstance(error, Ambiguous):
        return "answer_lost"
    if isinstance(error, TooLate):
        return "too_late"
    return "pac_refused" if isinstance(error, Rejected) else "pac_unavailable"


def as_answer(refusal: Rejected) -> DocumentAnswer:
    """A refusal by HTTP status is a verdict like one inside an answer: `PAC_REJECTED`."""
    return refusal.answer or DocumentAnswer.rejection(complaints(refusal))


def complaints(error: PacError) -> tuple[PacFault, ...]:
    """What the PAC complains of; its sentence where it gives no list."""
    return error.faults or (PacFault(code="", message=error.message, field=None),)
