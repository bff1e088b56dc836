"""API keys: made, shown once, revoked; never edited, never deleted."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from tenants.admin.scoped import ScopedAdmin
from tenants.models import ApiKey
from tenants.models.keys import Scope


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label="permisos",
        choices=Scope.choices,
        initial=Scope.values,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ("tenant", "name")


@admin.register(ApiKey)
class ApiKeyAdmin(ScopedAdmin):
    form = ApiKeyForm
    list_display = ("prefix", "name", "tenant", "scope_names", "state", "created", "last_used_at")
    list_display_links = ("prefix",)
    list_filter = ("revoked",)
    list_select_related = ("tenant",)
    search_fields = ("prefix__exact", "tenant__ruc__startswith")
    ordering = ("-created",)
    autocomplete_fields = ("tenant",)
    actions_detail = ("revoke",)

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ("tenant", "name", "scopes")
        return ("tenant", "name", "prefix", "scope_names", "state", "created", "last_used_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(super().has_change_permission(request))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        key, text = ApiKey.objects.issue(
            tenant=obj.tenant, name=obj.name, scopes=form.cleaned_data["scopes"]
        )
        obj.pk, obj.prefix = key.pk, key.prefix  # what the log and the next page speak of
        messages.warning(
            request, f"La clave es {text} — cópiela ahora: no se vuelve a mostrar nunca."
        )

    @action(
        description="Revocar",
        permissions=["revoke"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": "Revocar la clave",
            "description": "Los programas que la usan dejan de entrar. No se puede deshacer.",
            "form_class": None,
            "form_submit_text": "Revocar",
        },
    )
    def revoke(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        key = get_object_or_404(self.get_queryset(request), pk=object_id)
        page = reverse("admin:tenants_apikey_change", args=[key.pk])
        if ApiKey.objects.filter(pk=key.pk, revoked=False).update(revoked=True):
            self.log_change(request, key, "Revocada.")
            messages.success(request, f"La clave {key.prefix} está revocada.")
        else:
            messages.info(request, f"La clave {key.prefix} ya estaba revocada.")
        # The dialog was sent by htmx, which follows this header and not a redirect.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": page})
        return HttpResponseRedirect(page)

    @display(description="permisos")
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(
        description="estado",
        label={"Activa": "success", "Revocada": "danger", "Vencida": "warning"},
    )
    def state(self, key: ApiKey) -> str:
        if key.revoked:
            return "Revocada"
        return "Vencida" if key.has_expired else "Activa"
