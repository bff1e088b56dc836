"""Who may sign in here, and what for."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants.admin.scoped import OperatorOnly
from tenants.models import User

admin.site.unregister(Group)

# Only a superuser hands out power; otherwise who may edit users could make himself one.
POWERS = ("is_staff", "is_superuser", "groups", "user_permissions", "tenant")


@admin.register(User)
class UserAdmin(OperatorOnly, DjangoUserAdmin, ModelAdmin):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "tenant", "is_staff", "is_active")
    list_filter = ("is_staff", "is_active", "groups")
    list_select_related = ("tenant",)
    search_fields = ("username",)
    show_full_result_count = False
    autocomplete_fields = ("tenant",)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Persona", {"fields": (("first_name", "last_name"), "email")}),
        (
            "Permisos",
            {"fields": ("tenant", ("is_active", "is_staff", "is_superuser"), "groups")},
        ),
        ("Permisos sueltos", {"classes": ("collapse",), "fields": ("user_permissions",)}),
        ("Fechas", {"fields": (("last_login", "date_joined"),)}),
    )
    readonly_fields = ("last_login", "date_joined")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if _is_superuser(request) else (*fields, *POWERS)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody takes over an account that can do more than his own, by setting its password."""
        if isinstance(obj, User) and obj.is_superuser and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a user did stays on record: accounts are deactivated."""
        return False


@admin.register(Group)
class GroupAdmin(OperatorOnly, DjangoGroupAdmin, ModelAdmin):
    """The groups and their rights; who is in them is set at the user."""


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
