"""The month's table: what was handed to the PAC, by tenant and kind, as the PAC bills it.

A document counts once the PAC has taken it, which its `document_id` tells, whatever the verdict
was; what the PAC refused at its door, proformas and documents issued elsewhere do not. Its month is
that of its issue in Panama. A void counts in the month in which the PAC accepted it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from invoicing.models import Document, FiscalEvent, GenerationMode, LegalStatus, VoidState
from invoicing.models.documents import PacDocumentType
from invoicing.services.figures import start_of
from tenants.models import Tenant

TAKEN = Q(generation_mode=GenerationMode.DGI, document_id__isnull=False)
UNDECIDED = Q(legal_status=None) | Q(legal_status=LegalStatus.PAC_AUTHORIZED)
AUTHORIZED = Q(legal_status=LegalStatus.DGI_AUTHORIZED)
DGI_REJECTED = Q(legal_status=LegalStatus.DGI_REJECTED)
PAC_REJECTED = Q(legal_status=LegalStatus.PAC_REJECTED)


@dataclass(frozen=True, slots=True)
class Tally:
    """Documents by kind, the same documents by verdict, and voids."""

    invoices: int = 0
    credit_notes: int = 0
    debit_notes: int = 0
    authorized: int = 0
    dgi_rejected: int = 0
    pac_rejected: int = 0
    voids: int = 0

    @property
    def documents(self) -> int:
        return self.invoices + self.credit_notes + self.debit_notes

    @property
    def undecided(self) -> int:
        """Without the DGI's verdict yet."""
        return self.documents - self.authorized - self.dgi_rejected - self.pac_rejected

    def __add__(self, other: Tally) -> Tally:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Tally(*(mine + theirs for mine, theirs in pairs))

    @classmethod
    def sum(cls, tallies: Iterable[Tally]) -> Tally:
        return sum(tallies, cls())


COUNTS: dict[str, Count] = {
    "invoices": Count("pk", filter=TAKEN & Q(document_type=PacDocumentType.INVOICE)),
    "credit_notes": Count("pk", filter=TAKEN & Q(document_type=PacDocumentType.CREDIT_NOTE)),
    "debit_notes": Count("pk", filter=TAKEN & Q(document_type=PacDocumentType.DEBIT_NOTE)),
    "authorized": Count("pk", filter=TAKEN & AUTHORIZED),
    "dgi_rejected": Count("pk", filter=TAKEN & DGI_REJECTED),
    "pac_rejected": Count("pk", filter=TAKEN & PAC_REJECTED),
}


def days_of(month: date) -> tuple[date, date]:
    """The first and the last day of the month in which the day lies."""
    first = month.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def table(month: date, tenant: Tenant | None = None) -> list[tuple[Tenant, Tally]]:
    """The tenants that had something in the month, by name; one tenant where it is given.

    Three queries: the month's documents by the index of moments of issue, the voids, the names.
    """
    tallies = {pk: Tally(**counts) for pk, counts in _documents(month, tenant)}
    for pk, voids in _voids(month, tenant):
        tallies[pk] = tallies.get(pk, Tally()) + Tally(voids=voids)
    names = Tenant.objects.filter(pk__in=tallies).order_by("name", "ruc")
    return [(each, tallies[each.pk]) for each in names if tallies[each.pk] != Tally()]


def _documents(month: date, tenant: Tenant | None) -> Iterable[tuple[UUID, dict[str, int]]]:
    # What counts is no condition: the planner might leave the index of moments for another, and
    # read every document that the PAC ever took.
    rows = _within(Document.unscoped.all(), "issued_at", month, tenant)
    for row in rows.order_by().values("tenant").annotate(**COUNTS):
        yield row.pop("tenant"), row


def _voids(month: date, tenant: Tenant | None) -> Iterable[tuple[UUID, int]]:
    accepted = FiscalEvent.unscoped.filter(state=VoidState.ACCEPTED)
    rows = _within(accepted, "settled_at", month, tenant)
    return rows.order_by().values_list("tenant").annotate(voids=Count("pk"))


def _within(rows: QuerySet[Any], column: str, month: date, tenant: Tenant | None) -> QuerySet[Any]:
    first, last = days_of(month)
    rows = rows.filter(
        **{
            f"{column}__gte": start_of(first),
            f"{column}__lt": start_of(last + timedelta(days=1)),
        }
    )
    return rows.filter(tenant=tenant) if tenant else rows
