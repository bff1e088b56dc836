"""The taxpayers that issue through Cifras."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanWidget

from pac.dgi.ruc import MalformedRuc, RucType, parse
from tenants.admin.scoped import ScopedAdmin, tenant_id_of
from tenants.models import OnboardingStatus, Tenant

STATUS_COLOURS = {
    **dict.fromkeys(OnboardingStatus.values, "info"),
    OnboardingStatus.READY.value: "success",
}


class TenantForm(forms.ModelForm):
    """Secrets go in and never come out."""

    new_pac_token = forms.CharField(
        label="token del PAC",
        required=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Se guarda cifrado y no se muestra nunca. Vacío: queda el que está.",
    )
    remove_pac_token = forms.BooleanField(
        label="borrar el token propio",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Se usa entonces el de la configuración.",
    )

    class Meta:
        model = Tenant
        fields = ("ruc", "ruc_type", "dv")

    def clean_new_pac_token(self) -> str:
        token = str(self.cleaned_data["new_pac_token"]).strip()
        if not (token.isascii() and token.isprintable()):
            raise forms.ValidationError("El token solo tiene letras, cifras y signos sin acento.")
        return token

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        # Shown for a new tenant only; afterwards they are read-only.
        if "ruc" in data and "ruc_type" in data:
            try:
                ruc = parse(data["ruc"], RucType(data["ruc_type"]))
            except MalformedRuc:
                self.add_error("ruc", "No es el RUC de una persona de este tipo.")
            else:
                data["ruc"] = ruc.text
                if data.get("dv") and data["dv"] != ruc.dv:
                    self.add_error("dv", f"El DV de {ruc.text} es {ruc.dv}.")
        return data

    def save(self, commit: bool = True) -> Any:
        if self.cleaned_data["remove_pac_token"]:
            self.instance.pac_token = ""
        if token := self.cleaned_data["new_pac_token"]:
            self.instance.pac_token = token
        return super().save(commit)


@admin.register(Tenant)
class TenantAdmin(ScopedAdmin):
    form = TenantForm
    tenant_path = "pk"
    list_display = ("name", "ruc", "dv", "ruc_type", "onboarding_badge", "is_active")
    list_filter = ("onboarding_status", "is_active", "ruc_type")
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
        ("Incorporación", {"fields": ("onboarding_badge", "onboarding_error", "affiliation_qr")}),
        (
            "PAC",
            {
                "fields": (
                    ("company_type", "pac_company_id"),
                    ("pac_base_url", "pac_environment"),
                    ("new_pac_token", "remove_pac_token"),
                    ("has_own_token", "has_webhook_secret", "pac_webhook_url"),
                )
            },
        ),
        ("Logo", {"fields": ("logo_url", "logo")}),
    )
    readonly_fields = (
        "onboarding_badge",
        "onboarding_error",
        "affiliation_qr",
        "pac_company_id",
        "pac_webhook_url",
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

    @display(description="incorporación", label=STATUS_COLOURS, ordering="onboarding_status")
    def onboarding_badge(self, tenant: Tenant) -> tuple[str, str]:
        return tenant.onboarding_status, str(tenant.get_onboarding_status_display())

    @display(description="token propio", boolean=True)
    def has_own_token(self, tenant: Tenant) -> bool:
        return bool(tenant.pac_token)

    @display(description="secreto del webhook", boolean=True)
    def has_webhook_secret(self, tenant: Tenant) -> bool:
        return bool(tenant.webhook_secret)
