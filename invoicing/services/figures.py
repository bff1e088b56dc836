"""How many documents, by verdict and day: what the dashboard shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db.models import Count, Q, Sum
from django.db.models.functions import TruncDate

from invoicing.models import Document, GenerationMode, LegalStatus
from invoicing.models.documents import PacDocumentType
from pac.dgi.amounts import cents
from pac.dgi.calendar import PANAMA
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class DayFigures:
    """What was issued from `first` to `last`, both included, as days are counted in Panama.

    `counts` has every verdict, None for those without one; `invoiced` is what the invoices that the
    DGI authorised come to, in B/.
    """

    first: date
    last: date
    counts: Mapping[str | None, int]
    invoiced: Decimal

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def start_of(day: date) -> datetime:
    """The moment in which the day begins in Panama."""
    return datetime.combine(day, time(), PANAMA)


def by_day(tenant: Tenant | None, *, today: date, days: int = 7) -> list[DayFigures]:
    """The last days, today last; of every tenant where none is given.

    Counted is what was issued for the DGI: neither proformas nor what was issued elsewhere. One
    query, over the index of moments of issue.
    """
    first = today - timedelta(days=days - 1)
    rows = Document.unscoped.filter(
        issued_at__gte=start_of(first), issued_at__lt=start_of(today + timedelta(days=1))
    )
    # The mode is no condition: the planner might take the index of a series for it, which is long.
    fiscal = Q(generation_mode=GenerationMode.DGI)
    sales = Q(document_type=PacDocumentType.INVOICE, legal_status=LegalStatus.DGI_AUTHORIZED)
    found = (
        (rows.filter(tenant=tenant) if tenant else rows)
        .order_by()
        .annotate(day=TruncDate("issued_at"))
        .values("day", "legal_status")
        .annotate(count=Count("pk", filter=fiscal), invoiced=Sum("total", filter=fiscal & sales))
    )
    counts: dict[date, dict[str | None, int]] = {}
    invoiced: dict[date, Decimal] = {}
    for row in found:
        counts.setdefault(row["day"], {})[row["legal_status"]] = row["count"]
        invoiced[row["day"]] = invoiced.get(row["day"], Decimal(0)) + (row["invoiced"] or 0)
    return [
        DayFigures(
            day,
            day,
            {verdict: counts.get(day, {}).get(verdict, 0) for verdict in (*LegalStatus, None)},
            # SQLite adds decimals as floating numbers: the cents are right, what follows is not.
            cents(invoiced.get(day, Decimal(0))),
        )
        for day in (first + timedelta(days=number) for number in range(days))
    ]


def together(days: Sequence[DayFigures]) -> DayFigures:
    """The figures of these days, which follow one another, in one."""
    return DayFigures(
        days[0].first,
        days[-1].last,
        {verdict: sum(day.counts[verdict] for day in days) for verdict in days[0].counts},
        sum((day.invoiced for day in days), Decimal("0.00")),
    )
