"""Branches, and the numbers that each has used."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from pac.dgi import shapes
from tenants.admin.scoped import ScopedAdmin
from tenants.admin.words import FAULTS
from tenants.models import NumberSeries, Office
from tenants.services.onboarding.data import MAX_NUMBER

SHAPES = {
    "coordinates": (shapes.is_coordinates, FAULTS["coordinates"]),
    "location": (shapes.is_location, FAULTS["location"]),
    "telephone": (shapes.is_phone, _("Un número de Panamá, p. ej. 269-1234 o 6123-4567.")),
}


class OfficeForm(forms.ModelForm):
    class Meta:
        model = Office
        fields = ("code", *SHAPES)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        for name, (has_shape, words) in SHAPES.items():
            if data.get(name) and not has_shape(data[name]):
                self.add_error(name, str(words))
        return data


@admin.register(Office)
class OfficeAdmin(ScopedAdmin):
    """To look at and to put right; a new one begins at its taxpayer's page, which tells the PAC."""

    form = OfficeForm
    list_display = ("code", "tenant", "address", "telephone", "type", "pac_office_id")
    list_select_related = ("tenant",)
    search_fields = ("tenant__ruc__startswith", "pac_office_id__exact")
    autocomplete_fields = ("tenant",)
    fieldsets = (
        (None, {"fields": ("tenant", ("code", "type"), "pac_office_id")}),
        (_("Lugar"), {"fields": ("address", ("location", "coordinates"), ("telephone", "email"))}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """The code is in CUFEs, the id in documents. An id that is missing may be entered: that is
        how a person answers an onboarding that cannot tell whether the PAC has the office."""
        if obj is None:
            return ()
        return ("tenant", "code", "type", *(("pac_office_id",) if obj.pac_office_id else ()))


class NumberSeriesForm(forms.ModelForm):
    class Meta:
        model = NumberSeries
        fields = ("last_number",)

    def clean_last_number(self) -> int:
        """Never lowered: not below what was used since the page was opened either. The row stays
        locked until the page's transaction has saved it."""
        number = int(self.cleaned_data["last_number"])
        row = NumberSeries.unscoped.select_for_update().get(pk=self.instance.pk)
        if number < row.last_number:
            raise forms.ValidationError(
                gettext(
                    "El último número es %(last)s y nunca se baja: "
                    "un número que ya se usó no se repite."
                )
                % {"last": row.last_number}
            )
        if number > MAX_NUMBER:
            raise forms.ValidationError(_("Un número tiene a lo sumo diez cifras."))
        return number


@admin.register(NumberSeries)
class NumberSeriesAdmin(ScopedAdmin):
    """To look at, and to raise where a taxpayer issued with another program before."""

    form = NumberSeriesForm
    list_display = (
        "tenant",
        "office",
        "billing_point",
        "kind",
        "dgi_document_type",
        "last_number",
        "updated_at",
    )
    list_display_links = ("last_number",)
    list_filter = ("kind", "dgi_document_type")
    list_select_related = ("tenant", "office")
    search_fields = ("tenant__ruc__startswith",)
    ordering = ("tenant", "office", "billing_point", "kind", "dgi_document_type")
    fields = (
        "tenant",
        "office",
        ("billing_point", "kind", "dgi_document_type"),
        "last_number",
        "updated_at",
    )
    readonly_fields = (
        "tenant",
        "office",
        "billing_point",
        "kind",
        "dgi_document_type",
        "updated_at",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """A series begins with its first document, or at its taxpayer's page."""
        return False
