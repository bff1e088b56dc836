"""Who may sign in here, and what for."""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.admin import ModelAdmin
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from tenants import roles
from tenants.admin.scoped import OperatorOnly
from tenants.admin.unregistered import instead_of_theirs
from tenants.models import User
from tenants.services import second_factor

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
        (_("Persona"), {"fields": (("first_name", "last_name"), "email")}),
        (
            _("Permisos"),
            {"fields": ("tenant", "is_active", "is_staff", "is_superuser", "groups")},
        ),
        (_("Permisos sueltos"), {"classes": ("collapse",), "fields": ("user_permissions",)}),
        (_("Segundo factor"), {"fields": ("second_factor_state",)}),
        (_("Fechas"), {"fields": (("last_login", "date_joined"),)}),
    )
    readonly_fields = ("second_factor_state", "last_login", "date_joined")
    actions_detail = ("reset_second_factor",)

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

    def has_reset_second_factor_permission(
        self, request: HttpRequest, object_id: Any = None
    ) -> bool:
        """Only a superuser: with the password, which staff may set, it is the whole account."""
        return _is_superuser(request) and self.has_change_permission(request)

    @action(
        description=_("Restablecer el segundo factor"),
        permissions=["reset_second_factor"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": _("Restablecer el segundo factor"),
            "description": _(
                "Su aplicación y sus códigos de recuperación dejan de servir, y sus sesiones "
                "terminan. Activa otro al entrar la próxima vez."
            ),
            "form_class": None,
            "form_submit_text": _("Restablecer"),
        },
    )
    def reset_second_factor(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        user = get_object_or_404(self.get_queryset(request), pk=object_id)
        if second_factor.reset(user):
            self.log_change(request, user, gettext("Segundo factor restablecido."))
            messages.success(request, gettext("El segundo factor está restablecido."))
        else:
            messages.info(request, gettext("No tenía segundo factor."))
        page = reverse("admin:tenants_user_change", args=[user.pk])
        # The dialog was sent by htmx, which follows this header and not a redirect.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": page})
        return HttpResponseRedirect(page)

    @display(description=_("segundo factor"))
    def second_factor_state(self, user: User) -> str:
        device = TOTPDevice.objects.devices_for_user(user, confirmed=True).first()
        if device is None:
            return gettext("No activado: lo activa al entrar la próxima vez.")
        used = device.last_used_at or device.created_at
        return gettext(
            "Activado el %(since)s, usado el %(used)s. Códigos de recuperación: %(left)d."
        ) % {
            "since": _shown(device.created_at),
            "used": _shown(used),
            "left": second_factor.recovery_codes_left(user),
        }


@instead_of_theirs(Group)
class GroupAdmin(OperatorOnly, DjangoGroupAdmin, ModelAdmin):
    """The groups and their rights; who is in them is set at the user. Those of the roles are made
    by the program, which would undo what is changed in them."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, Group) and obj.name in roles.NAMES:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        if isinstance(obj, Group) and obj.name in roles.NAMES:
            return False
        return super().has_delete_permission(request, obj)


def _shown(moment: datetime) -> str:
    return date_format(localtime(moment), "SHORT_DATETIME_FORMAT")


def _is_superuser(request: HttpRequest) -> bool:
    return bool(getattr(request.user, "is_superuser", False))
