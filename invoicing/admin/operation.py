"""What the machine room shows: e-mails, workers, circuits."""

from django.contrib import admin
from unfold.admin import ModelAdmin

from invoicing.admin.readonly import LookOnly, LookOnlyAdmin
from invoicing.models import Breaker, EmailDelivery, FiscalEvent, PumpLease
from tenants.admin.scoped import OperatorOnly


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(LookOnlyAdmin):
    list_display = ("created_at", "tenant", "owner", "occasion", "to", "state", "attempts")
    list_filter = ("state",)
    list_select_related = ("tenant", "owner__office")
    search_fields = ("message_id",)
    ordering = ("-id",)


@admin.register(FiscalEvent)
class FiscalEventAdmin(LookOnlyAdmin):
    list_display = ("requested_at", "tenant", "owner", "state", "reason", "attempts")
    list_filter = ("state",)
    list_select_related = ("tenant", "owner__office")
    ordering = ("-id",)


@admin.register(PumpLease)
class PumpLeaseAdmin(LookOnly, OperatorOnly, ModelAdmin):
    list_display = ("name", "role", "renewed_at", "expires_at")


@admin.register(Breaker)
class BreakerAdmin(LookOnly, OperatorOnly, ModelAdmin):
    list_display = ("key", "failures", "retry_at", "reason")
