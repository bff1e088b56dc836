"""The filter by what waits for the worker, for the lists of whatever may wait."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import DropdownFilter

from invoicing.services import waiting


class WaitingFilter(DropdownFilter):
    """The queues in which rows of this list may be."""

    title = _("espera")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            (queue.name, str(queue.label))
            for queue in waiting.queues()
            if queue.model is model_admin.model
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        for queue in waiting.queues():
            if queue.name == self.value() and queue.model is queryset.model:
                return queryset.filter(**{f"{queue.column}__isnull": False})
        return queryset.none()
