"""What is asked before something is done to a taxpayer, or to one of its keys."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from tenants.admin.onboarding.forms import CertificatesForm, JudgedForm, whole_number
from tenants.admin.words import FAULTS
from tenants.base import new_id
from tenants.models import Office, Tenant
from tenants.services.onboarding.data import MAX_NUMBER


class NumbersForm(JudgedForm):
    """A billing point of an office, and the next number of its series."""

    office = forms.ModelChoiceField(
        label=_("Sucursal"), queryset=Office.unscoped.none(), widget=UnfoldAdminSelectWidget()
    )
    billing_point = forms.RegexField(
        r"^(?!000)[0-9]{3}$",
        label=_("Punto de facturación"),
        help_text=_("Tres cifras, de 001 a 999."),
        error_messages={"invalid": _("Tres cifras, de 001 a 999.")},
        widget=UnfoldAdminTextInputWidget(),
    )
    first_number = forms.CharField(
        label=_("Próximo número"),
        initial="1",
        help_text=_("Vale para todos los tipos de documento de la DGI. Nunca se baja."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, *args: Any, tenant: Tenant, **options: Any) -> None:
        super().__init__(*args, **options)
        offices = Office.objects.for_tenant(tenant)
        field = self.fields["office"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = offices
        self.initial["office"] = tenant.main_office_id

    def next_number(self) -> int:
        return whole_number(self.cleaned_data["first_number"]) or 0

    def clean_first_number(self) -> str:
        text = str(self.cleaned_data["first_number"])
        if not 1 <= (whole_number(text) or 0) <= MAX_NUMBER:
            raise forms.ValidationError(FAULTS["number_range"] % {"highest": MAX_NUMBER})
        return text


class RenewalForm(CertificatesForm):
    """New certificates in the place of those that end."""


class ReasonForm(JudgedForm):
    """Who does it is known; why has to be said."""

    reason = forms.CharField(
        label=_("Motivo"),
        min_length=5,
        max_length=500,
        help_text=_("Queda en el historial, con su nombre."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )


class NewKeyForm(JudgedForm):
    """`new_id` makes one key of a button that is pressed twice."""

    old_key = forms.ChoiceField(
        label=_("La clave de ahora"),
        choices=[
            ("revoke", _("Se revoca ya: lo que la usa deja de entrar")),
            ("keep", _("Se queda hasta que la revoque a mano")),
        ],
        initial="keep",
        widget=UnfoldAdminSelectWidget(),
    )
    reason = ReasonForm.base_fields["reason"]
    new_id = forms.UUIDField(widget=forms.HiddenInput, initial=new_id)

    def key_id(self) -> UUID:
        return UUID(str(self.cleaned_data["new_id"]))
