"""Pages to look at: nothing in them can be changed by hand."""

from typing import Any

from django.db import models
from django.http import HttpRequest
from unfold.admin import TabularInline

from tenants.admin.scoped import ScopedAdmin


class LookOnly:
    """Neither add, change nor delete; what may be done has an action of its own."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class LookOnlyAdmin(LookOnly, ScopedAdmin):
    """A tenant's rows, to look at; who is bound to a tenant sees that tenant's alone."""


class LookOnlyInline(LookOnly, TabularInline):
    extra = 0
    tab = True

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        return super().get_queryset(request).order_by("pk")
