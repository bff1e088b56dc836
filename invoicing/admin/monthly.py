"""The page of the month's table: what the PAC bills, tenant by tenant, and the same as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe
from unfold.admin import ModelAdmin

from invoicing.admin.lists import Figure, list_of, number
from invoicing.api.spreadsheets import csv_response
from invoicing.models import Document, FiscalEvent, GenerationMode, LegalStatus, VoidState
from invoicing.models.documents import PacDocumentType
from invoicing.services import monthly
from invoicing.services.monthly import Tally
from pac.dgi.calendar import panama_date
from tenants.admin.scoped import tenant_id_of
from tenants.models import Tenant
from tenants.roles import TALLY

EARLIEST = date(2000, 1, 1)
MONTHS_OFFERED = 24
SHOWN_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Column:
    """One number of a tenant's month, and the filters of the list behind it."""

    title: str | Promise
    model: type[Document] | type[FiscalEvent]
    filters: dict[str, str]

    def link(self, request: HttpRequest, month: date, tenant: Tenant | None) -> str:
        first, last = monthly.days_of(month)
        column = "settled_at" if self.model is FiscalEvent else "issued_at"
        days = {f"{column}_from": first.isoformat(), f"{column}_to": last.isoformat()}
        whose = {"tenant__id__exact": str(tenant.pk)} if tenant else {}
        return list_of(request, self.model, **whose, **days, **self.filters)


_TAKEN = {"generation_mode__exact": GenerationMode.DGI.value, "taken": "yes"}


def _of_kind(kind: PacDocumentType) -> dict[str, str]:
    return _TAKEN | {"document_type__exact": kind.value}


def _of_verdict(verdict: str) -> dict[str, str]:
    return _TAKEN | {"legal": verdict}


COLUMNS = (
    Column(_("Facturas"), Document, _of_kind(PacDocumentType.INVOICE)),
    Column(_("Notas de crédito"), Document, _of_kind(PacDocumentType.CREDIT_NOTE)),
    Column(_("Notas de débito"), Document, _of_kind(PacDocumentType.DEBIT_NOTE)),
    Column(_("Total"), Document, _TAKEN),
    Column(_("Autorizados DGI"), Document, _of_verdict(LegalStatus.DGI_AUTHORIZED.value)),
    Column(_("Rechazados DGI"), Document, _of_verdict(LegalStatus.DGI_REJECTED.value)),
    Column(_("Rechazados PAC"), Document, _of_verdict(LegalStatus.PAC_REJECTED.value)),
    Column(_("Sin veredicto"), Document, _TAKEN | {"taken": "undecided"}),
    Column(_("Anulaciones"), FiscalEvent, {"state__exact": VoidState.ACCEPTED.value}),
)


def numbers(tally: Tally) -> tuple[int, ...]:
    """In the order of `COLUMNS`."""
    return (
        tally.invoices,
        tally.credit_notes,
        tally.debit_notes,
        tally.documents,
        tally.authorized,
        tally.dgi_rejected,
        tally.pac_rejected,
        tally.undecided,
        tally.voids,
    )


class MonthlyPage(ModelAdmin):
    """Adds the page to the admin of documents, for those with the right `TALLY`."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.monthly))
        return [path("monthly/", view, name="invoicing_document_monthly"), *super().get_urls()]

    def monthly(self, request: HttpRequest) -> HttpResponse:
        """`month=2026-11`, this month without it; `format=csv` downloads it."""
        if not may_tally(request):
            raise PermissionDenied
        today = panama_date(timezone.now())
        month = _month(request.GET.get("month", ""), today)
        tenant = Tenant.objects.get(pk=tenant_id_of(request)) if tenant_id_of(request) else None
        found = monthly.table(month, tenant)
        if request.GET.get("format") == "csv":
            return csv_response(f"documentos_{month:%Y-%m}.csv", _sheet(month, found))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Documentos del mes por contribuyente"),
            "month": f"{month:%Y-%m}",
            "month_name": _name(month),
            "months": [(f"{each:%Y-%m}", _name(each)) for each in _offered(month, today)],
            "titles": [column.title for column in COLUMNS],
            "rows": [
                (each, _cells(request, month, tally, each)) for each, tally in found[:SHOWN_AT_MOST]
            ],
            "total": _cells(request, month, Tally.sum(tally for _, tally in found), tenant),
            "count": len(found),
            "is_cut": len(found) > SHOWN_AT_MOST,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/dashboard/monthly.html", context)


def may_tally(request: HttpRequest) -> bool:
    return bool(request.user.has_perm(TALLY))


def monthly_link(request: HttpRequest) -> str:
    """The page of the table; empty where the user may not see it."""
    return reverse("admin:invoicing_document_monthly") if may_tally(request) else ""


def _month(text: str, today: date) -> date:
    if not text:
        return today.replace(day=1)
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise Http404(gettext("Un mes se escribe así: 2026-11.")) from error
    if not EARLIEST <= month <= today:
        raise Http404(gettext("Ese mes no tiene documentos."))
    return month


def _offered(month: date, today: date) -> Iterable[date]:
    """The last months, newest first, and the one that is shown."""
    offered = [today.replace(day=1)]
    while len(offered) < MONTHS_OFFERED:
        offered.append((offered[-1] - timedelta(days=1)).replace(day=1))
    return sorted({*offered, month}, reverse=True)


def _name(month: date) -> str:
    return str(date_format(month, "F Y"))


def _cells(request: HttpRequest, month: date, tally: Tally, tenant: Tenant | None) -> list[Figure]:
    return [
        Figure(str(column.title), number(count), column.link(request, month, tenant))
        for column, count in zip(COLUMNS, numbers(tally), strict=True)
    ]


def _sheet(month: date, rows: Iterable[tuple[Tenant, Tally]]) -> Iterable[Sequence[object]]:
    columns = [str(column.title) for column in COLUMNS]
    yield [gettext("Mes"), "RUC", "DV", gettext("Contribuyente"), *columns]
    for tenant, tally in rows:
        yield [f"{month:%Y-%m}", tenant.ruc, tenant.dv, tenant.name, *numbers(tally)]
