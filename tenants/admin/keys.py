"""API keys: made, shown once, replaced, revoked; never edited, never deleted."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from tenants.admin.care_forms import NewKeyForm, ReasonForm
from tenants.admin.own_pages import OwnPages
from tenants.admin.words import error_words
from tenants.errors import Conflict
from tenants.models import ApiKey
from tenants.models.keys import Scope
from tenants.roles import ROTATE
from tenants.services.rotation import replace_api_key


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("permisos"),
        choices=Scope.choices,
        initial=Scope.values,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = ApiKey
        fields = ("tenant", "name")
        labels = {"name": gettext_lazy("nombre")}


class RevokedFilter(admin.BooleanFieldListFilter):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.title = gettext_lazy("revocada")


class RevokeForm(BaseDialogForm):
    reason = ReasonForm.base_fields["reason"]


@admin.register(ApiKey)
class ApiKeyAdmin(OwnPages):
    form = ApiKeyForm
    list_display = ("start", "title", "tenant", "scope_names", "state", "made", "last_used_at")
    list_display_links = ("start",)
    list_filter = (("revoked", RevokedFilter),)
    list_select_related = ("tenant",)
    search_fields = ("prefix__exact", "tenant__ruc__startswith")
    ordering = ("-created",)
    autocomplete_fields = ("tenant",)
    actions_detail = ("replace", "revoke")

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> Any:
        if obj is None:
            return ("tenant", "name", "scopes")
        return ("tenant", "title", "start", "scope_names", "state", "made", "last_used_at")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(super().has_change_permission(request))

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        key, text = ApiKey.objects.issue(
            tenant=obj.tenant, name=obj.name, scopes=form.cleaned_data["scopes"]
        )
        obj.pk, obj.prefix = key.pk, key.prefix  # what the log and the next page speak of
        obj.text = text  # type: ignore[attr-defined]  # for `response_add`, and for nobody else

    def response_add(
        self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None
    ) -> HttpResponse:
        text: str = obj.text  # type: ignore[attr-defined]
        return self.show_key(request, obj.tenant, text, _page_of(obj))

    @action(
        description=gettext_lazy("Cambiar por una nueva"),
        url_path="replace",
        permissions=[ROTATE],
        icon="autorenew",
    )
    def replace(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A new key with the same name and scopes, shown once."""
        key: ApiKey = self.own(request, object_id)
        form = NewKeyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            revoke = form.cleaned_data["old_key"] == "revoke"
            try:
                new, text = replace_api_key(key, new_id=form.key_id(), revoke=revoke)
            except Conflict as error:
                messages.info(request, error_words(error))
                return HttpResponseRedirect(_page_of(key))
            reason = form.cleaned_data["reason"]
            fate = _("revocada") if revoke else _("sigue valiendo")
            told = {"old": key.prefix, "new": new.prefix, "fate": fate, "reason": reason}
            self.log_change(
                request, key, _("Cambiada por %(new)s; esta %(fate)s. %(reason)s") % told
            )
            self.log_addition(request, new, _("En el lugar de %(old)s. %(reason)s") % told)
            return self.show_key(request, key.tenant, text, _page_of(new))
        return self.page(
            request,
            "confirm.html",
            _("Cambiar la clave por una nueva"),
            form=form,
            button=_("Crear la clave nueva"),
            explained=[_("La nueva tiene el mismo nombre y los mismos permisos.")],
            object=key,
            about=f"{key.prefix} ({key.name}), {key.tenant}",
            back=_page_of(key),
        )

    @action(
        description=gettext_lazy("Revocar"),
        permissions=["revoke"],
        variant=ActionVariant.DANGER,
        dialog={
            "title": gettext_lazy("Revocar la clave"),
            "description": gettext_lazy(
                "Los programas que la usan dejan de entrar. No se puede deshacer."
            ),
            "form_class": RevokeForm,
            "form_submit_text": gettext_lazy("Revocar"),
        },
    )
    def revoke(self, request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        key = get_object_or_404(self.get_queryset(request), pk=object_id)
        page = _page_of(key)
        if ApiKey.objects.filter(pk=key.pk, revoked=False).update(revoked=True):
            reason = form.cleaned_data["reason"]
            self.log_change(request, key, _("Revocada. %(reason)s") % {"reason": reason})
            messages.success(request, _("La clave %(key)s está revocada.") % {"key": key.prefix})
        else:
            messages.info(request, _("La clave %(key)s ya estaba revocada.") % {"key": key.prefix})
        # The dialog was sent by htmx, which follows this header and not a redirect.
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": page})
        return HttpResponseRedirect(page)

    # The library's columns, in the words of the other pages.
    @display(description=gettext_lazy("prefijo"), ordering="prefix")
    def start(self, key: ApiKey) -> str:
        return key.prefix

    @display(description=gettext_lazy("nombre"), ordering="name")
    def title(self, key: ApiKey) -> str:
        return key.name

    @display(description=gettext_lazy("creado"), ordering="created")
    def made(self, key: ApiKey) -> datetime:
        return key.created

    @display(description=gettext_lazy("permisos"))
    def scope_names(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @display(
        description=gettext_lazy("estado"),
        label={"active": "success", "revoked": "danger", "expired": "warning"},
    )
    def state(self, key: ApiKey) -> tuple[str, str]:
        if key.revoked:
            return "revoked", _("Revocada")
        return ("expired", _("Vencida")) if key.has_expired else ("active", _("Activa"))


def _page_of(key: ApiKey) -> str:
    return reverse("admin:tenants_apikey_change", args=[key.pk])
