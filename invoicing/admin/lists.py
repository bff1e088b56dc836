"""Numbers with the list behind each, for pages that count what is in the lists."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with the list behind it. `colour` is empty, "danger", "success" or "quiet"."""

    label: str
    text: str
    link: str
    colour: str = ""
    note: str = ""


def number(count: int) -> str:
    """``1,234``"""
    return f"{count:,}"


def list_of(request: HttpRequest, model: type[Model], **filters: object) -> str:
    """The list of `model` with these filters; empty where the user may not see it."""
    if not admin.site.get_model_admin(model).has_view_permission(request):
        return ""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address
