"""What waits for a person: one definition, for the lists, the document's page and the dashboard.

A document asks for attention for a named reason and until it is put right, or somebody marks it as
handled outside (`services.handle`); what goes wrong after that asks anew. Each reason is found by
an index over the few rows that it concerns, whatever the size of the table.
"""

from __future__ import annotations

from datetime import timedelta

from django.db.models import (
    CharField,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    TextChoices,
    Value,
)
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from invoicing.models import (
    DeliveryState,
    Document,
    EmailDelivery,
    FiscalEvent,
    LegalStatus,
    SubmissionState,
    VoidState,
)
from invoicing.services.follow import VERDICT_DIFFERS
from invoicing.services.void import DOUBTED
from tenants.models import Tenant

PATIENCE = timedelta(minutes=15)
COUNTED_AT_MOST = 1000


class Reason(TextChoices):
    """Why, the most urgent first."""

    MATCH_DOUBTED = "match_doubted", _("Coincidencia dudosa: decidir si es la nuestra")
    VERDICT_DIFFERS = "verdict_differs", _("Aquí un veredicto, y en el PAC otro")
    FAILED = "failed", _("Envío detenido")
    UNCERTAIN = "uncertain", _("Sin saber si llegó al PAC, hace más de 15 minutos")
    DGI_REJECTED = "dgi_rejected", _("Rechazada por la DGI")
    PAC_REJECTED = "pac_rejected", _("Rechazada por el PAC")
    VOID_REFUSED = "void_refused", _("Anulación rechazada")
    EMAIL_FAILED = "email_failed", _("Correo no entregado")


def reasons() -> list[tuple[str, str]]:
    """Name and Spanish label of each reason, the most urgent first."""
    return [(reason.value, str(reason.label)) for reason in Reason]


def documents(reason: str | None = None, tenant: Tenant | None = None) -> QuerySet[Document]:
    """The documents that ask for attention for `reason`, or for any; newest first.

    Raises `ValueError` for a reason that there is not.
    """
    if reason is not None:
        return _asking(Reason(reason), tenant)
    first, *others = (_asking(each, tenant).order_by().values("pk") for each in Reason)
    return Document.unscoped.filter(pk__in=first.union(*others, all=True))


def counts(tenant: Tenant | None = None) -> dict[str, int]:
    """How many documents ask for attention, by reason. Counting stops at `COUNTED_AT_MOST`."""
    return {
        reason.value: _asking(reason, tenant).order_by().values("pk")[:COUNTED_AT_MOST].count()
        for reason in Reason
    }


def reasons_of(document: Document) -> list[Reason]:
    """Why this document asks for attention, the most urgent first; empty where it does not."""
    first, *others = (
        _asking(reason, None)
        .filter(pk=document.pk)
        .order_by()
        .annotate(why=Value(reason.value, output_field=CharField()))
        .values_list("why", flat=True)
        for reason in Reason
    )
    found = set(first.union(*others, all=True))
    return [reason for reason in Reason if reason.value in found]


def _asking(reason: Reason, tenant: Tenant | None) -> QuerySet[Document]:
    rows = Document.unscoped.filter(_condition(reason))
    return rows.filter(tenant=tenant) if tenant else rows


def _condition(reason: Reason) -> Q:
    doubted = Q(submission_error__code="match_doubted")
    match reason:
        case Reason.MATCH_DOUBTED:
            states = [SubmissionState.UNCERTAIN, SubmissionState.FAILED]
            return Q(submission_state__in=states) & doubted & _unhandled("queued_at")
        case Reason.VERDICT_DIFFERS:
            judged = Q(legal_status__isnull=False, submission_error__isnull=False)
            return judged & Q(submission_error__code=VERDICT_DIFFERS, handled_at=None)
        case Reason.FAILED:
            return Q(submission_state=SubmissionState.FAILED) & ~doubted & _unhandled("queued_at")
        case Reason.UNCERTAIN:
            since = Q(doubtful_since__lte=timezone.now() - PATIENCE)
            waiting = Q(submission_state=SubmissionState.UNCERTAIN) & since
            return waiting & ~doubted & _unhandled("queued_at")
        case Reason.DGI_REJECTED:
            return _rejected(LegalStatus.DGI_REJECTED)
        case Reason.PAC_REJECTED:
            return _rejected(LegalStatus.PAC_REJECTED)
        case Reason.VOID_REFUSED:
            return Q(pk__in=_refused_voids())
        case Reason.EMAIL_FAILED:
            return Q(pk__in=_undelivered())


def _unhandled(since: str, owner: str = "") -> Q:
    """Nobody has marked the document as handled since the moment in the column `since`."""
    unhandled = Q(**{f"{owner}handled_at": None})
    unhandled |= Q(**{f"{owner}handled_at__lt": F(since)})
    return unhandled


def _rejected(verdict: LegalStatus) -> Q:
    """Rejected, and its order not issued again since."""
    issued_again = Document.unscoped.filter(
        tenant=OuterRef("tenant"),
        document_type=OuterRef("document_type"),
        external_id=OuterRef("external_id"),
        pk__gt=OuterRef("pk"),
    )
    return Q(~Exists(issued_again), legal_status=verdict, handled_at=None)


def _refused_voids() -> QuerySet[FiscalEvent, object]:
    """Documents whose last void was refused, by key."""
    later = FiscalEvent.unscoped.filter(owner=OuterRef("owner"), pk__gt=OuterRef("pk"))
    refused = FiscalEvent.unscoped.filter(
        _unhandled("requested_at", "owner__"),
        Q(state=VoidState.REFUSED) | Q(state=VoidState.REQUESTED, error__code=DOUBTED),
        ~Exists(later),
    )
    return refused.order_by().values("owner")


def _undelivered() -> QuerySet[EmailDelivery, object]:
    """Documents whose last e-mail came back, by key."""
    later = EmailDelivery.unscoped.filter(owner=OuterRef("owner"), pk__gt=OuterRef("pk"))
    failed = EmailDelivery.unscoped.filter(
        _unhandled("created_at", "owner__"), ~Exists(later), state=DeliveryState.FAILED
    )
    return failed.order_by().values("owner")
