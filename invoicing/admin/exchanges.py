"""The calls to the PAC, to look at: how long each took and what came of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter
from unfold.decorators import display

from invoicing.admin.changelist import DocumentChangeList
from invoicing.admin.readonly import TENANT_FILTER, OfDocumentAdmin
from invoicing.admin.timeline import pretty
from invoicing.models import PacExchange
from invoicing.services.machinery import FAILED_CALL, WINDOWS, calls_within


class WindowFilter(DropdownFilter):
    """The last minutes, as the dashboard sums them up."""

    title = _("últimos minutos")
    parameter_name = "minutes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(minutes(window)), str(minutes(window))) for window in WINDOWS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for window in WINDOWS:
            if self.value() == str(minutes(window)):
                return calls_within(queryset, window, now=timezone.now())
        return queryset.none() if self.value() else queryset


class FailedFilter(DropdownFilter):
    """Calls by which the PAC judged nothing: no answer, or one about itself."""

    title = _("resultado")
    parameter_name = "failed"
    yes = "yes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.yes, gettext("Sin respuesta útil"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(FAILED_CALL) if self.value() == self.yes else queryset


class ExchangeList(DocumentChangeList):
    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[str]:
        """By the index over their age, which a window of minutes reads a part of."""
        return ["-created_at", "-id"]


@admin.register(PacExchange)
class ExchangeAdmin(OfDocumentAdmin):
    list_display = ("created_at", "tenant_name", "method", "path", "answer", "elapsed_ms")
    list_filter = (TENANT_FILTER, WindowFilter, FailedFilter)
    list_filter_submit = True
    list_select_related = ("tenant",)
    list_disable_select_all = True
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER  # they count
    fields = (
        ("created_at", "elapsed_ms"),
        ("tenant", "owner"),
        ("method", "answer"),
        "path",
        "error",
        "sent",
        "received",
    )
    readonly_fields = ("answer", "sent", "received")

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[DocumentChangeList]:
        return ExchangeList

    @display(description=_("contribuyente"))
    def tenant_name(self, exchange: PacExchange) -> str:
        return exchange.tenant.name

    @display(description=_("respuesta"))
    def answer(self, exchange: PacExchange) -> str:
        return str(exchange.status or gettext("ninguna"))

    @display(description=_("enviado"))
    def sent(self, exchange: PacExchange) -> str:
        return pretty(exchange.request) or "—"

    @display(description=_("recibido"))
    def received(self, exchange: PacExchange) -> str:
        return pretty(exchange.response) or "—"


def minutes(window: timedelta) -> int:
    return int(window.total_seconds()) // 60
