"""The filters of the lists of documents. None of them lists or counts rows to be drawn."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter, RangeDateFilter, TextFilter
from unfold.contrib.filters.forms import RangeDateForm

from invoicing.models import LegalStatus
from invoicing.services import attention
from pac.dgi.calendar import PANAMA
from tenants.models import Office

Documents = QuerySet[Any]


class AttentionFilter(DropdownFilter):
    """What waits for a person: for any reason, or for one of them."""

    title = _("necesita atención")
    parameter_name = "attention"
    any_reason = "any"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(self.any_reason, gettext("Sí, por cualquier motivo")), *attention.reasons()]

    def queryset(self, request: HttpRequest, queryset: Documents) -> Documents:
        value = self.value()
        if not value:
            return queryset
        if value != self.any_reason and value not in attention.Reason.values:
            return queryset.none()
        waiting = attention.documents(None if value == self.any_reason else value)
        return queryset.filter(pk__in=waiting.order_by().values("pk"))


class LegalStatusFilter(DropdownFilter):
    """The verdict; also those without one."""

    title = _("estado legal")
    parameter_name = "legal"
    without = "none"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        found = [(status.value, str(status.label)) for status in LegalStatus]
        return [*found, (self.without, gettext("Sin veredicto"))]

    def queryset(self, request: HttpRequest, queryset: Documents) -> Documents:
        value = self.value()
        if not value:
            return queryset
        if value == self.without:
            return queryset.filter(legal_status=None)
        return queryset.filter(legal_status=value)


class OfficeFilter(TextFilter):
    """By the office's code, which stands on every document: 0001."""

    title = _("sucursal (código)")
    parameter_name = "office_code"

    def queryset(self, request: HttpRequest, queryset: Documents) -> Documents:
        value = (self.value() or "").strip()
        if not value:
            return queryset
        offices = Office.unscoped.filter(code=value.zfill(4))
        return queryset.filter(office__in=offices.order_by().values("pk"))


class DaysForm(RangeDateForm):
    def __init__(self, name: str, *args: Any, **options: Any) -> None:
        super().__init__(name, *args, **options)
        self.fields[f"{name}_from"].widget.attrs["placeholder"] = _("Desde")
        self.fields[f"{name}_to"].widget.attrs["placeholder"] = _("Hasta")


class DaysFilter(RangeDateFilter):
    """From a day to another, both included: days as Panama counts and writes them."""

    form_class = DaysForm

    def queryset(self, request: HttpRequest, queryset: Documents) -> Documents:
        """Raises `IncorrectLookupParameters` for what is no day: the list is then shown afresh."""
        for name, lookup, later in (("from", "gte", 0), ("to", "lt", 1)):
            said = self.used_parameters.get(f"{self.parameter_name}_{name}")
            # Not by the library's own reading, which takes 05/11 for the eleventh of May.
            try:
                day = forms.DateField(required=False).clean(said)
            except ValidationError as error:
                raise IncorrectLookupParameters(error) from error
            if day:
                moment = datetime.combine(day, time(), PANAMA) + timedelta(days=later)
                queryset = queryset.filter(**{f"{self.field_path}__{lookup}": moment})
        return queryset
