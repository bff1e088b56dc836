"""What the machine room shows: e-mails, workers, circuits."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from invoicing.admin.filters import DaysFilter
from invoicing.admin.readonly import TENANT_FILTER, LookOnly, OfDocumentAdmin
from invoicing.admin.waiting import WaitingFilter
from invoicing.models import Breaker, EmailDelivery, FiscalEvent, PumpLease
from tenants.admin.scoped import OperatorOnly


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(OfDocumentAdmin):
    list_display = ("created_at", "tenant", "document", "occasion", "to", "state", "attempts")
    list_filter = (TENANT_FILTER, ("state", ChoicesDropdownFilter), WaitingFilter)
    list_filter_submit = True
    list_select_related = ("tenant", "owner__office")
    search_fields = ("message_id",)
    ordering = ("-id",)


@admin.register(FiscalEvent)
class FiscalEventAdmin(OfDocumentAdmin):
    list_display = ("requested_at", "tenant", "document", "state", "reason", "attempts")
    list_filter = (
        TENANT_FILTER,
        ("state", ChoicesDropdownFilter),
        WaitingFilter,
        ("settled_at", DaysFilter),
    )
    list_filter_submit = True
    list_select_related = ("tenant", "owner__office")
    ordering = ("-id",)


@admin.register(PumpLease)
class PumpLeaseAdmin(LookOnly, OperatorOnly, ModelAdmin):
    list_display = ("name", "role", "renewed_at", "expires_at")
    list_filter = ("role",)
    ordering = ("-renewed_at",)


class OpenFilter(admin.SimpleListFilter):
    """Circuits through which nothing goes but a probe."""

    title = _("estado")
    parameter_name = "open"
    yes = "yes"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.yes, gettext("Abierto"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(retry_at__isnull=False) if self.value() == self.yes else queryset


@admin.register(Breaker)
class BreakerAdmin(LookOnly, OperatorOnly, ModelAdmin):
    list_display = ("key", "failures", "retry_at", "reason")
    list_filter = (OpenFilter,)
