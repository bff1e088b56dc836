"""Finding documents by what people have at hand, each on its index: never by a part in the middle.

Number (with or without its series and leading zeros), CUFE, the receiver's RUC, the client's own
id, the PAC's id.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.models import Q, QuerySet

from invoicing.models import Document
from tenants.models import Office

LONGEST = 100  # an `external_id`
SERIES = re.compile(r"(?:(?P<office>\d{4})-)?(?P<point>\d{3})-(?P<number>\d{1,10})")
NUMBER = re.compile(r"\d{1,10}")
CUFE = re.compile(r"FE[0-9A-Z-]{40,64}")
PAC_ID = re.compile(r"[0-9A-Za-z]{26}")


def found(queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
    """The documents of `queryset` that `term` names exactly.

    Each way of naming one is a query of its own, so that each uses its own index.
    """
    first, *others = (
        Document.unscoped.filter(condition).order_by().values("pk") for condition in _ways(term)
    )
    return queryset.filter(pk__in=first.union(*others, all=True) if others else first)


def _ways(term: str) -> list[Q]:
    term = term.strip()[:LONGEST]
    shout = term.upper()
    if CUFE.fullmatch(shout):
        return [Q(invoice_number=shout), Q(computed_cufe=shout)]
    ways = [Q(external_id=term), Q(receiver_ruc=shout)]
    if NUMBER.fullmatch(term):
        ways.append(Q(number=term.zfill(10)))
    elif series := SERIES.fullmatch(term):
        ways.append(_in_series(series))
    elif PAC_ID.fullmatch(term):
        ways.append(Q(document_id=term))
    return ways


def _in_series(series: re.Match[str]) -> Q:
    numbered = Q(number=series["number"].zfill(10), billing_point=series["point"])
    if not series["office"]:
        return numbered
    offices = Office.unscoped.filter(code=series["office"]).order_by().values("pk")
    return numbered & Q(office__in=offices)
