"""What the machine room shows: e-mails, workers, circuits."""

from django.contrib import admin

from invoicing.admin.readonly import LookOnlyAdmin
from invoicing.models import Breaker, EmailDelivery, PumpLease


@admin.register(EmailDelivery)
class EmailDeliveryAdmin(LookOnlyAdmin):
    list_display = ("created_at", "tenant", "owner", "occasion", "to", "state", "attempts")
    list_filter = ("state",)
    list_select_related = ("tenant", "owner__office")
    search_fields = ("message_id",)
    ordering = ("-id",)


@admin.register(PumpLease)
class PumpLeaseAdmin(LookOnlyAdmin):
    list_display = ("name", "role", "renewed_at", "expires_at")


@admin.register(Breaker)
class BreakerAdmin(LookOnlyAdmin):
    list_display = ("key", "failures", "retry_at", "reason")
