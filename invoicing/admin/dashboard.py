"""The admin's first page: what was issued, what waits, what needs a person, and how the parts do.

Each number leads to the list of exactly the rows that it counts. A user sees what he may see in
those lists, of all tenants or of his own; the number of queries depends on neither.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from invoicing.admin.exchanges import minutes
from invoicing.admin.lists import Figure, list_of, number
from invoicing.admin.monthly import monthly_link
from invoicing.models import (
    Breaker,
    Document,
    GenerationMode,
    LegalStatus,
    PacExchange,
    PumpLease,
)
from invoicing.models.documents import PacDocumentType
from invoicing.pdf.formats import money
from invoicing.services import attention, figures, machinery, waiting
from invoicing.services.figures import DayFigures
from pac.dgi.calendar import panama_date
from tenants.admin.scoped import tenant_id_of
from tenants.models import Tenant
from tenants.services import trouble

CIRCUITS_SHOWN = 5
# Verdict, as the filter of the list names it, its colour on the chart, and its heading.
VERDICTS = (
    (LegalStatus.DGI_AUTHORIZED, LegalStatus.DGI_AUTHORIZED.value, "#16a34a", _("Autorizadas DGI")),
    (LegalStatus.PAC_AUTHORIZED, LegalStatus.PAC_AUTHORIZED.value, "#2563eb", _("Autorizadas PAC")),
    (None, "none", "#9ca3af", _("Sin veredicto")),
    (LegalStatus.DGI_REJECTED, LegalStatus.DGI_REJECTED.value, "#dc2626", _("Rechazadas DGI")),
    (LegalStatus.PAC_REJECTED, LegalStatus.PAC_REJECTED.value, "#ea580c", _("Rechazadas PAC")),
)
TICKS = "#9ca3af"  # as the library's own charts: readable on light and dark
ROLE_NAMES = {"pac": _("Trabajador del PAC"), "mail": _("Trabajador del correo")}


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Adds to the context of the admin's index what its template shows."""
    now = timezone.now()
    tenant = Tenant.objects.get(pk=tenant_id_of(request)) if tenant_id_of(request) else None
    sees_documents = bool(list_of(request, Document))
    sees_calls = bool(list_of(request, PacExchange))
    days = figures.by_day(tenant, today=panama_date(now)) if sees_documents else []
    return context | {
        "title": gettext("Tablero"),
        "now": now,
        "whose": tenant,
        "monthly": monthly_link(request),
        "cards": list(_cards(request, days)) if days else [],
        "chart": _chart(days) if days else None,
        "verdicts": [title for *rest, title in VERDICTS],
        "days": [(_day(day), _verdicts(request, day)) for day in reversed(days)],
        "week": _verdicts(request, figures.together(days)) if days else [],
        "attention": list(_attention(request, tenant, now)),
        "waiting": list(_waiting(request, tenant, now)),
        "calls": [
            _calls(request, calls)
            for calls in (machinery.pac_calls(tenant, now=now) if sees_calls else ())
        ],
        "heartbeats": list(_heartbeats(request, now)),
        "circuits": _circuits(request),
    }


# --- documents ------------------------------------------------------------------------------------


def _cards(request: HttpRequest, days: list[DayFigures]) -> Iterable[Figure]:
    for day, heading, billed in (
        (days[-1], gettext("Documentos de hoy"), gettext("Facturado hoy")),
        (figures.together(days), gettext("Documentos en 7 días"), gettext("Facturado en 7 días")),
    ):
        yield Figure(heading, number(day.total), _issued(request, day))
        authorised = {
            "document_type__exact": PacDocumentType.INVOICE.value,
            "legal": LegalStatus.DGI_AUTHORIZED.value,
        }
        link = _issued(request, day, **authorised)
        note = gettext("facturas autorizadas por la DGI, también las anuladas")
        yield Figure(billed, money(day.invoiced), link, note=note)


def _verdicts(request: HttpRequest, day: DayFigures) -> list[Figure]:
    shown = [
        Figure(str(title), number(day.counts[verdict]), _issued(request, day, legal=name))
        for verdict, name, _colour, title in VERDICTS
    ]
    return [*shown, Figure(gettext("Total"), number(day.total), _issued(request, day))]


def _issued(request: HttpRequest, day: DayFigures, **filters: str) -> str:
    """The list of what these figures count."""
    return list_of(
        request,
        Document,
        issued_at_from=day.first.isoformat(),
        issued_at_to=day.last.isoformat(),
        generation_mode__exact=GenerationMode.DGI.value,
        **filters,
    )


def _day(day: DayFigures) -> str:
    return f"{day.first:%d/%m/%Y}"


def _chart(days: list[DayFigures]) -> dict[str, str]:
    """For unfold's component: bars stacked by day, as JSON."""
    axis = {"stacked": True, "grid": {"display": False}, "ticks": {"color": TICKS, "precision": 0}}
    legend = {"position": "bottom", "labels": {"color": TICKS, "boxWidth": 10, "boxHeight": 10}}
    return {
        "data": json.dumps(
            {
                "labels": [f"{day.first:%d/%m}" for day in days],
                "datasets": [
                    {
                        "label": str(title),
                        "data": [day.counts[verdict] for day in days],
                        "backgroundColor": colour,
                        "maxBarThickness": 48,
                    }
                    for verdict, _name, colour, title in VERDICTS
                ],
            }
        ),
        "options": json.dumps(
            {
                "animation": False,
                "responsive": True,
                "maintainAspectRatio": False,
                "plugins": {"legend": legend},
                "scales": {"x": axis, "y": axis | {"beginAtZero": True, "grid": {}}},
            }
        ),
    }


# --- what needs a person, and what waits for the worker -------------------------------------------


def _attention(request: HttpRequest, tenant: Tenant | None, now: datetime) -> Iterable[Figure]:
    if list_of(request, Document):
        counts = attention.counts(tenant)
        for name, label in attention.reasons():
            yield _asking(label, counts[name], list_of(request, Document, attention=name))
    if list_of(request, Tenant):
        for each in trouble.Trouble:
            rows = trouble.tenants(each, today=panama_date(now)).order_by()
            rows = rows.filter(pk=tenant.pk) if tenant else rows
            count = rows.values("pk")[: attention.COUNTED_AT_MOST].count()
            yield _asking(str(each.label), count, list_of(request, Tenant, trouble=each.value))


def _asking(label: str, count: int, link: str) -> Figure:
    text = number(count) + ("+" if count >= attention.COUNTED_AT_MOST else "")
    return Figure(label, text, link, "danger" if count else "quiet")


def _waiting(request: HttpRequest, tenant: Tenant | None, now: datetime) -> Iterable[Figure]:
    for standing in waiting.standing(tenant):
        queue = standing.queue
        if link := list_of(request, queue.model, waiting=queue.name):
            since = standing.oldest
            note = gettext("desde hace %(age)s") % {"age": age(now - since)} if since else ""
            colour = "" if standing.count else "quiet"
            yield Figure(str(queue.label), number(standing.count), link, colour, note)


# --- the PAC and the worker -----------------------------------------------------------------------


def _calls(request: HttpRequest, calls: machinery.Calls) -> list[Figure]:
    """A window: its name, calls, failures, their rate, median, 95th percentile."""
    length = minutes(calls.window)
    every = list_of(request, PacExchange, minutes=length)
    failed = list_of(request, PacExchange, minutes=length, failed="yes")
    colour = "danger" if calls.failures else "quiet"
    return [
        Figure(gettext("Últimos"), f"{length} min", ""),
        Figure(gettext("Llamadas"), number(calls.count), every),
        Figure(gettext("Fallidas"), number(calls.failures), failed, colour),
        Figure(gettext("Error"), f"{calls.failure_rate:.1%}", failed, colour),
        Figure(gettext("Mediana"), _milliseconds(calls.median_ms), every),
        Figure("p95", _milliseconds(calls.p95_ms), every),
    ]


def _heartbeats(request: HttpRequest, now: datetime) -> Iterable[Figure]:
    if not list_of(request, PumpLease):
        return
    for beat in machinery.heartbeats(now=now):
        seen = gettext("hace %(age)s") % {"age": age(beat.age)} if beat.age is not None else ""
        yield Figure(
            str(ROLE_NAMES.get(beat.role, beat.role)),
            seen or gettext("nunca visto"),
            list_of(request, PumpLease, role__exact=beat.role),
            "success" if beat.is_alive else "danger",
        )


def _circuits(request: HttpRequest) -> dict[str, Any] | None:
    """How many circuits are open, and the first of them."""
    link = list_of(request, Breaker, open="yes")
    if not link:
        return None
    rows = list(
        Breaker.objects.filter(retry_at__isnull=False).order_by("key")[: attention.COUNTED_AT_MOST]
    )
    return {
        "count": _asking(gettext("Cortes abiertos"), len(rows), link),
        "rows": rows[:CIRCUITS_SHOWN],
    }


# --- words ----------------------------------------------------------------------------------------


def _milliseconds(duration: int | None) -> str:
    return "—" if duration is None else f"{number(duration)} ms"


def age(passed: timedelta) -> str:
    """``45 s``, ``12 min``, ``3 h 5 min``, ``2 d 4 h``; never below zero, should clocks differ."""
    seconds = max(int(passed.total_seconds()), 0)
    if seconds < 60:
        return f"{seconds} s"
    whole = seconds // 60
    if whole < 60:
        return f"{whole} min"
    if whole < 24 * 60:
        return f"{whole // 60} h {whole % 60} min"
    return f"{whole // 1440} d {whole % 1440 // 60} h"
