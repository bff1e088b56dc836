"""What holds of any document: credits never exceed their invoice, a verdict stays, and the order in
which news arrives changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoicing.errors import InvalidDocument
from invoicing.fiscal.draft import Draft
from invoicing.models import Document, HistoryEntry
from invoicing.models.history import Event
from invoicing.services import follow, submit, void
from invoicing.services.issue import issue
from invoicing.services.locks import locked_now
from invoicing.services.notes import issue_note
from invoicing.tests.fiscal import draft, line
from pac.answers import DocumentAnswer
from pac.errors import Ambiguous
from tenants.errors import Conflict
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

RANDOM = settings(
    max_examples=25,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@contextmanager
def undone() -> Iterator[None]:
    """An example of hypothesis's leaves nothing for the next one."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def told(document: Document, status: str | None) -> DocumentAnswer:
    return DocumentAnswer.parse(
        {
            "id": document.document_id or f"01{document.pk.hex[:24].upper()}",
            "legalStatus": status,
            "cufe": document.computed_cufe,
            "qr": "https://dgi-fep.mef.gob.pa/qr",
        }
    )


def apply(document: Document, status: str | None) -> None:
    with transaction.atomic():
        row = locked_now(document).get()
        follow.apply(row, told(row, status), now=timezone.now())


def issued(tenant: Tenant) -> Document:
    """A new invoice of B/.107.00 on credit."""
    made = draft(issued_at=None, due_date=date(2099, 12, 20))
    document = issue(tenant=tenant, draft=made, render=lambda document: None).document
    assert document is not None
    return document


@dataclass(slots=True)
class Ledger:
    """An authorised invoice, the credits against it, and what they should come to."""

    invoice: Document
    standing: dict[int, Decimal] = field(default_factory=dict)
    notes: list[Document] = field(default_factory=list)

    def credit(self, amount: Decimal) -> None:
        left = self.invoice.total - sum(self.standing.values())
        wanted = Draft(document_type="02", lines=[line(unit_price=amount, itbms_rate="00")])
        refused = pytest.raises(InvalidDocument, match=" left")
        with refused if amount > left else nullcontext():
            note = issue_note(
                tenant=self.invoice.tenant,
                draft=wanted,
                invoice_id=self.invoice.pk,
                left_out=frozenset({"receiver", "dgi_document_type"}),
                render=lambda document: None,
            ).document
        if amount > left:
            return
        assert note is not None
        self.standing[len(self.notes)] = amount
        self.notes.append(note)

    def judge(self, nth: int, status: str) -> None:
        if not self.notes:
            return
        nth %= len(self.notes)
        before = locked_now(self.notes[nth]).get()
        apply(before, status)
        if before.legal_status is None and status == "DGI_REJECTED":
            del self.standing[nth]

    def void(self, nth: int) -> None:
        if not self.notes:
            return
        nth %= len(self.notes)
        if voided(self.notes[nth]):
            del self.standing[nth]

    def check(self) -> None:
        invoice = locked_now(self.invoice).get()
        assert invoice.credited == sum(self.standing.values())
        assert 0 <= invoice.credited <= invoice.total
        assert invoice.balance == invoice.total - invoice.credited - invoice.paid
        assert (invoice.status == "CANCELED") is (invoice.credited == invoice.total)


def voided(document: Document) -> bool:
    """Asks for a void, which the PAC accepts; False where it may not be asked for."""
    current = locked_now(document).get()
    if current.legal_status != "DGI_AUTHORIZED" or current.voided_at:
        with pytest.raises(Conflict):
            void.request_void(current, reason="Pedido repetido por error")
        return False
    void.request_void(current, reason="Pedido repetido por error")
    for voiding in void.claim_due(10):
        voiding.commit(None)
    return True


NTH = st.integers(0, 9)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("credit"),
            st.sampled_from(["0.01", "33.33", "53.50", "106.99", "107.00", "107.01"]).map(Decimal),
        ),
        st.tuples(st.just("judge"), NTH, st.sampled_from(["DGI_AUTHORIZED", "DGI_REJECTED"])),
        st.tuples(st.just("void"), NTH),
    ),
    min_size=3,
    max_size=10,
)


@RANDOM
@given(steps=STEPS)
def test_credits_never_exceed_their_invoice_whatever_becomes_of_them(
    steps: list[tuple[Any, ...]], alice: Tenant
) -> None:
    with undone():
        ledger = Ledger(issued(alice))
        apply(ledger.invoice, "DGI_AUTHORIZED")
        for name, *details in steps:
            getattr(ledger, name)(*details)
            ledger.check()


# --- the order of events ----------------------------------------------------------------------

STATUSES = [None, "PAC_AUTHORIZED", "DGI_AUTHORIZED", "DGI_REJECTED", "PAC_REJECTED"]
RANK = {None: 0, "PAC_AUTHORIZED": 1}


@RANDOM
@given(said=st.lists(st.sampled_from(STATUSES), min_size=1, max_size=8))
def test_whatever_the_pac_says_a_status_only_moves_forwards_and_a_verdict_stays(
    said: list[str | None], alice: Tenant
) -> None:
    with undone():
        document = issued(alice)
        before = None
        for status in said:
            apply(document, status)
            after = locked_now(document).get().legal_status
            if before in RANK:
                assert RANK.get(after, 2) >= RANK[before]
                assert after in (before, status)
            else:
                assert after == before
            before = after


@dataclass(slots=True)
class News:
    """An invoice under way, and what may happen to it, each in a method."""

    document: Document
    verdict: str
    sending: submit.Sending
    void_is_wanted: bool = False

    @classmethod
    def of(cls, document: Document, verdict: str) -> News:
        with transaction.atomic():
            sending = submit.claim(locked_now(document).get(), now=timezone.now())
        assert sending is not None
        return cls(document, verdict, sending)

    def answer(self) -> None:
        self.sending.commit(submit.Outcome(told(self.document, "PAC_AUTHORIZED"), posted=True))

    def lost_answer(self) -> None:
        self.sending.commit(submit.Outcome(error=Ambiguous("Time-out"), posted=True))

    def hint(self) -> None:
        Document.unscoped.filter(pk=self.document.pk, document_id__isnull=True).update(
            hinted_document_id=told(self.document, None).id, next_poll_at=timezone.now()
        )

    def poll(self, status: str | None = None) -> None:
        answer = told(self.document, status or self.verdict)
        following = follow.Following(locked_now(self.document).get())
        following.commit(follow.Reading(answer))

    def stale_poll(self) -> None:
        self.poll("PAC_AUTHORIZED")

    def undecided_poll(self) -> None:
        self.poll("REGISTERED")

    def void(self) -> None:
        self.void_is_wanted = not voided(self.document)

    def end(self) -> dict[str, Any]:
        """The state once the pump has asked again, and the client too where he was put off."""
        self.poll()
        if self.void_is_wanted:
            voided(self.document)
        found = locked_now(self.document).get()
        history = HistoryEntry.unscoped.filter(owner=found)
        verdicts = history.filter(event=Event.LEGAL_STATUS, data__legal_status=self.verdict)
        return {
            "legal_status": found.legal_status,
            "submission": (found.submission_state, found.lease_expires_at, found.submission_error),
            "cufe": found.invoice_number == found.computed_cufe,
            "document_id": found.document_id == told(found, None).id,
            "status": found.status,
            "verdicts": verdicts.count(),
        }


EVENTS = ["hint", "poll", "stale_poll", "undecided_poll", "hint", "poll", "void"]


@pytest.mark.parametrize(
    ("verdict", "status"), [("DGI_AUTHORIZED", "VOID"), ("DGI_REJECTED", "CANCELED")]
)
@RANDOM
@given(data=st.data())
def test_news_ends_in_the_same_state_in_whatever_order_it_comes(
    verdict: str, status: str, data: st.DataObject, alice: Tenant
) -> None:
    sent = data.draw(st.sampled_from(["answer", "lost_answer"]))
    events = data.draw(st.permutations([sent, *EVENTS]))
    with undone():
        news = News.of(issued(alice), verdict)
        for event in events:
            getattr(news, event)()
        assert news.end() == {
            "legal_status": verdict,
            "submission": ("DONE", None, None),
            "cufe": True,
            "document_id": True,
            "status": status,
            "verdicts": 1,
        }
