"""Counts and sums over a tenant's documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from django.db.models import Count, F, Sum
from django.db.models.functions import TruncDate

from invoicing.models import Document, GenerationMode
from pac.dgi.calendar import PANAMA
from tenants.models import Tenant

CENT = Decimal("0.01")


class Grouping(StrEnum):
    DAY = "day"
    TYPE = "type"
    LEGAL_STATUS = "legal_status"


@dataclass(frozen=True, slots=True)
class Figures:
    """How many documents, and what their amounts in B/. add up to."""

    count: int = 0
    net: Decimal = Decimal("0.00")
    itbms: Decimal = Decimal("0.00")
    total: Decimal = Decimal("0.00")

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.count + other.count,
            self.net + other.net,
            self.itbms + other.itbms,
            self.total + other.total,
        )


@dataclass(frozen=True, slots=True)
class Group:
    """The figures of the documents that have `values` in common: a `date`, a code, or None where
    there is no legal status yet."""

    values: dict[Grouping, Any]
    figures: Figures


COLUMNS = {
    Grouping.DAY: TruncDate("issued_at"),
    Grouping.TYPE: F("document_type"),
    Grouping.LEGAL_STATUS: F("legal_status"),
}


def documents(
    tenant: Tenant, *, first: date, last: date, by: Sequence[Grouping]
) -> tuple[list[Group], Figures]:
    """The figures of each group, in order, and those of all of them; by one query.

    Counted is what was issued, in Panama, from `first` to `last`, both included. Proformas and what
    was voided are left out: no group would tell them from documents in force. Amounts are added as
    they stand on the documents, so only `Grouping.TYPE` tells sales from credit notes.
    """
    rows = (
        Document.objects.for_tenant(tenant)
        .filter(
            issued_at__gte=datetime.combine(first, time(), PANAMA),
            issued_at__lt=datetime.combine(last + timedelta(days=1), time(), PANAMA),
            voided_at__isnull=True,
        )
        .exclude(generation_mode=GenerationMode.PROFORM)
        .order_by()
        .values(**{f"by_{grouping}": COLUMNS[grouping] for grouping in by})
        .annotate(
            documents=Count("pk"),
            sum_net=Sum("net"),
            sum_itbms=Sum("itbms"),
            sum_total=Sum("total"),
        )
    )
    groups = sorted((_group(row, by) for row in rows), key=_in_order)
    return groups, sum((group.figures for group in groups), Figures())


def _group(row: dict[str, Any], by: Sequence[Grouping]) -> Group:
    # SQLite adds decimals as floating numbers: the cents are right, what follows them is not.
    sums = [row[f"sum_{name}"].quantize(CENT) for name in ("net", "itbms", "total")]
    return Group(
        {grouping: row[f"by_{grouping}"] for grouping in by}, Figures(row["documents"], *sums)
    )


def _in_order(group: Group) -> list[str]:
    return [str(value or "") for value in group.values.values()]
