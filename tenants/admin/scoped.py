"""Admin pages of rows that belong to a tenant."""

from typing import Any

from django.contrib.admin.checks import ModelAdminChecks
from django.db import models
from django.forms import ModelChoiceField
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from tenants.models import Tenant


class ScopedAdmin(ModelAdmin):
    """A user who is bound to a tenant sees that tenant's rows, and may choose among them only.

    `tenant_path` leads from the row to the tenant's id.
    """

    # Not unfold's, which ask the database whether an action's right exists, before there is one.
    checks_class = ModelAdminChecks
    tenant_path = "tenant_id"
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = super().get_queryset(request)
        bound_to = tenant_id_of(request)
        return rows.filter(**{self.tenant_path: bound_to}) if bound_to else rows

    def formfield_for_foreignkey(
        self, db_field: Any, request: HttpRequest, **kwargs: Any
    ) -> ModelChoiceField | None:
        bound_to = tenant_id_of(request)
        related = db_field.remote_field.model
        if bound_to and "queryset" not in kwargs:
            own = "pk" if related is Tenant else "tenant_id"
            kwargs["queryset"] = related._default_manager.filter(**{own: bound_to})
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Tax documents hang on these rows: they are suspended or revoked, not deleted."""
        return False


class LookOnly:
    """Neither add, change nor delete; what may be done has an action of its own."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class OperatorOnly:
    """Pages for the operator's staff: who is bound to a tenant does not even see that they are."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return not tenant_id_of(request) and super().has_module_permission(request)  # type: ignore[misc]

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not tenant_id_of(request) and super().has_view_permission(request, obj)  # type: ignore[misc]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not tenant_id_of(request) and super().has_add_permission(request)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not tenant_id_of(request) and super().has_change_permission(request, obj)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not tenant_id_of(request) and super().has_delete_permission(request, obj)  # type: ignore[misc]


def tenant_id_of(request: HttpRequest) -> Any:
    """The tenant that the user is bound to; `None` for the operator's staff."""
    return getattr(request.user, "tenant_id", None)
