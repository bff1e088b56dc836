"""Customers as staff see them: to read. They are kept through the API, which judges them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from invoicing.admin.readonly import LookOnlyAdmin
from invoicing.models import Customer
from invoicing.models.customers import beginning_with, with_verification


@admin.register(Customer)
class CustomerAdmin(LookOnlyAdmin):
    list_display = ("__str__", "tenant", "type", "ruc", "dv", "withholds", "verified")
    list_filter = ("type", "withholds")
    list_select_related = ("tenant",)
    search_fields = ("search_name", "ruc")
    search_help_text = _("El comienzo del nombre o del RUC.")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("tenant", "name", "type")}),
        ("RUC", {"fields": (("ruc", "ruc_type", "dv"), "verified")}),
        (
            _("Lugar"),
            {"fields": ("address", ("location", "country", "other_country"))},
        ),
        (_("Extranjero"), {"fields": (("foreign_number", "foreign_country"),)}),
        (_("Contacto"), {"fields": ("emails", "phones")}),
        (_("Retención"), {"fields": (("withholds", "retention_code"),)}),
        (None, {"fields": (("created_at", "updated_at"),)}),
    )
    readonly_fields = ("verified", "created_at", "updated_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return with_verification(super().get_queryset(request))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (beginning_with(queryset, search_term) if search_term else queryset), False

    @display(description=_("RUC verificado"))
    def verified(self, customer: Any) -> Any:
        return customer.ruc_verified_at
