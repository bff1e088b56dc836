"""The taxpayers that issue through Cifras."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from pac.dgi.ruc import MalformedRuc, RucType, parse
from tenants.admin.care import TenantCare
from tenants.admin.scoped import tenant_id_of
from tenants.admin.trouble import TroubleFilter
from tenants.admin.words import FAULTS, kept_words
from tenants.models import OnboardingStatus, Tenant
from tenants.roles import ONBOARD

STATUS_COLOURS = {
    **dict.fromkeys(OnboardingStatus.values, "info"),
    OnboardingStatus.READY.value: "success",
}


class TenantForm(forms.ModelForm):
    """Secrets go in and never come out."""

    new_pac_token = forms.CharField(
        label=gettext_lazy("token del PAC"),
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=gettext_lazy(
            "Se guarda cifrado y no se muestra nunca. Vacío: queda el que está."
        ),
    )
    remove_pac_token = forms.BooleanField(
        label=gettext_lazy("borrar el token propio"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=gettext_lazy("Se usa entonces el de la configuración."),
    )

    class Meta:
        model = Tenant
        fields = ("ruc", "ruc_type", "dv")

    def clean_new_pac_token(self) -> str:
        token = str(self.cleaned_data["new_pac_token"]).strip()
        if not (token.isascii() and token.isprintable()):
            raise forms.ValidationError(
                _("El token solo tiene letras, cifras y signos sin acento.")
            )
        return token

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        # Shown for a new tenant only; afterwards they are read-only.
        if "ruc" in data and "ruc_type" in data:
            try:
                ruc = parse(data["ruc"], RucType(data["ruc_type"]))
            except MalformedRuc:
                self.add_error("ruc", str(FAULTS["ruc_malformed"]))
            else:
                data["ruc"] = ruc.text
                if data.get("dv") and data["dv"] != ruc.dv:
                    told = {"ruc": ruc.text, "dv": ruc.dv, "given": data["dv"]}
                    self.add_error("dv", FAULTS["dv_wrong"] % told)
        return data

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["remove_pac_token"]:
            self.instance.pac_token = ""
        if token := self.cleaned_data["new_pac_token"]:
            self.instance.pac_token = token
        return super().save(commit)


@admin.register(Tenant)
class TenantAdmin(TenantCare):
    form = TenantForm
    tenant_path = "pk"
    show_add_link = False  # the wizard is the way in; it links to the form for an own token
    list_display = (
        "name",
        "ruc",
        "dv",
        "ruc_type",
        "onboarding_badge",
        "is_active",
        "certificates_expire_on",
    )
    list_filter = (TroubleFilter, "onboarding_status", "is_active", "ruc_type")
    list_select_related = ()
    search_fields = ("name__istartswith", "ruc__startswith")
    ordering = ("name",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "trade_name"),
                    ("ruc", "ruc_type", "dv"),
                    "email",
                    "is_active",
                    "main_office",
                )
            },
        ),
        (
            gettext_lazy("Incorporación"),
            {"fields": ("onboarding_status", "trouble", "certificates_expire_on")},
        ),
        (
            "PAC",
            {
                "fields": (
                    ("company_type", "pac_company_id"),
                    ("pac_base_url", "pac_environment"),
                    ("new_pac_token", "remove_pac_token"),
                    ("has_own_token", "has_webhook_secret"),
                    "webhook",
                )
            },
        ),
        (gettext_lazy("Logo"), {"fields": ("logo_url", "logo")}),
    )
    readonly_fields = (
        "is_active",  # has buttons of its own, which ask why
        "onboarding_status",
        "trouble",
        "certificates_expire_on",
        "pac_company_id",
        "webhook",
        "has_own_token",
        "has_webhook_secret",
    )
    # Part of every CUFE, or of the company at the PAC: settled from the first day.
    settled_fields = ("ruc", "ruc_type", "dv", "company_type")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return (*fields, "main_office") if obj is None else (*fields, *self.settled_fields)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The main office is one of the tenant's own."""
        if db_field.name == "main_office" and request.resolver_match:
            kwargs["queryset"] = db_field.remote_field.model.unscoped.filter(
                tenant=request.resolver_match.kwargs.get("object_id")
            )
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return not tenant_id_of(request) and super().has_add_permission(request)

    def response_add(
        self, request: HttpRequest, obj: Tenant, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to the wizard, which creates the company with the token that was given."""
        if request.user.has_perm(ONBOARD):
            return HttpResponseRedirect(reverse("admin:tenants_tenant_onboarding", args=[obj.pk]))
        return super().response_add(request, obj, post_url_continue)

    @display(description=gettext_lazy("último error de la incorporación"))
    def trouble(self, tenant: Tenant) -> str:
        return kept_words(tenant.onboarding_error) or "—"

    @display(
        description=gettext_lazy("incorporación"),
        label=STATUS_COLOURS,
        ordering="onboarding_status",
    )
    def onboarding_badge(self, tenant: Tenant) -> tuple[str, str]:
        return tenant.onboarding_status, str(tenant.get_onboarding_status_display())

    @display(description=gettext_lazy("webhook registrado en el PAC"))
    def webhook(self, tenant: Tenant) -> SafeString:
        """A long address that stays inside its column, on a phone too."""
        return format_html(
            '<span style="overflow-wrap: anywhere">{}</span>', tenant.pac_webhook_url or "—"
        )

    @display(description=gettext_lazy("token propio"), boolean=True)
    def has_own_token(self, tenant: Tenant) -> bool:
        return bool(tenant.pac_token)

    @display(description=gettext_lazy("secreto del webhook"), boolean=True)
    def has_webhook_secret(self, tenant: Tenant) -> bool:
        return bool(tenant.webhook_secret)
