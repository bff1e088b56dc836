"""The filter by what a taxpayer needs a person for."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from pac.dgi.calendar import panama_date
from tenants.services import trouble


class TroubleFilter(admin.SimpleListFilter):
    title = _("necesita atención")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(each.value, str(each.label)) for each in trouble.Trouble]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value not in trouble.Trouble.values:
            return queryset.none()
        found = trouble.tenants(trouble.Trouble(value), today=panama_date(timezone.now()))
        return queryset.filter(pk__in=found.order_by().values("pk"))
