"""The PAC's deliveries, to look at: word for word, and what came of them."""

from django.contrib import admin

from invoicing.admin.readonly import LookOnlyAdmin
from webhooks.models import PacDelivery


@admin.register(PacDelivery)
class PacDeliveryAdmin(LookOnlyAdmin):
    list_display = ("created_at", "tenant", "state", "tries", "next_try_at")
    list_filter = ("state",)
    list_select_related = ("tenant",)
    search_fields = ("tenant__ruc",)
    search_help_text = "RUC del contribuyente."
    ordering = ("-id",)
    fields = ("created_at", "tenant", "state", "tries", "next_try_at", "digest", "body")
