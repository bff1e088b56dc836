"""The wizard's forms: they ask, the services judge, all faults are shown at once."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from pac.dgi.ruc import RucType
from tenants.admin.onboarding.widgets import FileWidget
from tenants.admin.words import fault_words
from tenants.models import Office, Tenant
from tenants.models.offices import OFFICE_TYPES
from tenants.models.tenant import RUC_TYPES, CompanyType
from tenants.services.certificates import MAX_FILE, Certificate, Certificates, extension_of
from tenants.services.onboarding import (
    OFFICE_STEP,
    CompanyData,
    OfficeData,
    find_faults,
)
from tenants.services.onboarding.registration import AFFILIATION_STEP

P12 = {"accept": ".p12,.pfx"}


class JudgedForm(forms.Form):
    """A form whose faults come from a service."""

    use_required_attribute = False  # the page says everything that is wrong, not the browser

    def add_faults(self, error: ValidationError) -> None:
        """What the service refused, at its fields; a field that has a fault already is left."""
        for field, texts in fault_words(error).items():
            place = field if field in self.fields else None
            if place not in self.errors:
                for text in texts:
                    self.add_error(place, text)


class CertificatesForm(JudgedForm):
    """Certificates are read into memory, and nothing of them comes back in a page."""

    signature_certificate = forms.FileField(
        label=_("Certificado de firma"),
        help_text=_("PKCS#12 (.p12 o .pfx), con su llave privada. No se guarda: va al PAC."),
        widget=FileWidget(attrs=P12),
    )
    authentication_certificate = forms.FileField(
        label=_("Certificado de autenticación"),
        required=False,
        help_text=_("Si es otro archivo; vacío: el de firma."),
        widget=FileWidget(attrs=P12),
    )
    certificate_password = forms.CharField(
        label=_("Contraseña de los certificados"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}),
    )

    def certificates(self) -> Certificates | None:
        """What was uploaded; None where there is no file."""
        signature = self.cleaned_data.get("signature_certificate")
        if signature is None:
            return None
        password = self.cleaned_data.get("certificate_password", "")
        authentication = self.cleaned_data.get("authentication_certificate")
        first = _read(signature, password)
        return Certificates(first, _read(authentication, password) if authentication else first)


class CompanyForm(CertificatesForm):
    """The taxpayer and its certificates: all that the PAC needs to create the company."""

    ruc = forms.CharField(
        label=_("RUC"),
        help_text=_("Con guiones, p. ej. 155700000-2-2021."),
        widget=UnfoldAdminTextInputWidget(),
    )
    ruc_type = forms.ChoiceField(
        label=_("Tipo de RUC"),
        choices=RUC_TYPES,
        initial=RucType.JURIDICO,
        widget=UnfoldAdminSelectWidget(),
    )
    dv = forms.CharField(
        label=_("DV"),
        required=False,
        help_text=_("Vacío: se calcula. Si lo escribe, se comprueba."),
        widget=UnfoldAdminTextInputWidget(),
    )
    name = forms.CharField(label=_("Razón social"), widget=UnfoldAdminTextInputWidget())
    trade_name = forms.CharField(
        label=_("Nombre comercial"), required=False, widget=UnfoldAdminTextInputWidget()
    )
    email = forms.CharField(
        label=_("Correo"),
        help_text=_("Recibe las respuestas de los receptores."),
        widget=UnfoldAdminEmailInputWidget(),
    )
    logo_url = forms.CharField(
        label=_("Dirección del logo"),
        required=False,
        help_text=_("https, PNG o JPEG; se copia una vez."),
        widget=UnfoldAdminTextInputWidget(),
    )
    company_type = forms.ChoiceField(
        label=_("Tipo en el PAC"),
        choices=CompanyType.choices,
        initial=CompanyType.ASSOCIATED,
        help_text=_("«Principal» hay una sola por cada token del PAC."),
        widget=UnfoldAdminSelectWidget(),
    )
    pac_company_id = forms.CharField(
        label=_("Id de la empresa en el PAC"),
        required=False,
        help_text=_("Solo si el PAC ya la tiene: entonces no hacen falta los certificados."),
        widget=UnfoldAdminTextInputWidget(),
    )

    field_order = (
        "ruc",
        "ruc_type",
        "dv",
        "name",
        "trade_name",
        "email",
        "logo_url",
        "company_type",
        "signature_certificate",
        "authentication_certificate",
        "certificate_password",
        "pac_company_id",
    )

    def __init__(self, *args: Any, tenant: Tenant | None = None, **options: Any) -> None:
        """For a `tenant` that is registered here, whose RUC is settled, what can still change."""
        self.tenant = tenant
        if tenant:
            options["initial"] = CompanyData.of(tenant).editable()
        super().__init__(*args, **options)
        self.fields["signature_certificate"].required = False
        if tenant:
            for name in ("ruc", "ruc_type", "dv"):
                del self.fields[name]

    def company(self) -> CompanyData:
        given = self.cleaned_data
        tenant = self.tenant
        return CompanyData(
            ruc=tenant.ruc if tenant else given.get("ruc", ""),
            ruc_type=tenant.issuer_ruc_type if tenant else RucType(given["ruc_type"]),
            dv=given.get("dv", ""),
            name=given.get("name", ""),
            trade_name=given.get("trade_name", ""),
            email=given.get("email", ""),
            logo_url=given.get("logo_url", ""),
            company_type=given.get("company_type", ""),
        )

    def clean(self) -> dict[str, Any]:
        if self.tenant or "ruc_type" in self.cleaned_data:
            found = find_faults(
                company=self.company(),
                office=None,
                certificates=self.certificates(),
                first_number=None,
                pac_company_id=self.cleaned_data.get("pac_company_id", ""),
                last_step=AFFILIATION_STEP,
            )
            if found:
                self.add_faults(ValidationError(found))
        return self.cleaned_data


class OfficeForm(JudgedForm):
    """A branch, and where its numbers begin."""

    office_code = forms.CharField(
        label=_("Código"),
        initial="0001",
        help_text=_("Cuatro cifras; forma parte de cada CUFE."),
        widget=UnfoldAdminTextInputWidget(),
    )
    office_type = forms.ChoiceField(
        label=_("Tipo"), choices=OFFICE_TYPES, widget=UnfoldAdminSelectWidget()
    )
    address = forms.CharField(
        label=_("Dirección"),
        help_text=_("A lo sumo 100 caracteres."),
        widget=UnfoldAdminTextInputWidget(),
    )
    location = forms.CharField(
        label=_("Corregimiento"),
        help_text=_("Escriba el nombre y elija, o ponga el código, p. ej. 8-8-7."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    coordinates = forms.CharField(
        label=_("Coordenadas"),
        help_text=_("Grados decimales, p. ej. +9.0017832,-79.5275519."),
        widget=UnfoldAdminTextInputWidget(),
    )
    telephone = forms.CharField(
        label=_("Teléfono"),
        help_text=_("P. ej. 269-1234 o 6123-4567."),
        widget=UnfoldAdminTextInputWidget(),
    )
    email = forms.CharField(label=_("Correo"), required=False, widget=UnfoldAdminEmailInputWidget())
    first_number = forms.CharField(
        label=_("Próximo número"),
        required=False,
        help_text=_("Solo si ya facturó con otro programa; vacío: empieza en 1."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )

    def __init__(self, data: Any, *, tenant: Tenant, office: Office | None) -> None:
        """`office` is one that waits for the PAC: sending the form again finishes it."""
        self.tenant = tenant
        has_main = tenant.main_office_id is not None
        initial = {
            "office_type": "associated" if has_main else "main",
            "office_code": "" if has_main else "0001",
            "email": tenant.email,
        }
        if office:
            initial = {
                {"code": "office_code", "type": "office_type"}.get(name, name): value
                for name, value in OfficeData.of(office).values().items()
            }
        super().__init__(data, initial=initial)
        self.fields["location"].widget.attrs |= {
            "hx-get": reverse("admin:tenants_tenant_onboarding_places"),
            "hx-trigger": "input changed delay:250ms",
            "hx-target": "#places",
        }

    def office(self) -> OfficeData:
        data = {
            name: self.cleaned_data.get(name, "")
            for name in ("address", "location", "coordinates", "telephone", "email")
        }
        return OfficeData(
            code=self.cleaned_data.get("office_code", ""),
            type=self.cleaned_data.get("office_type", ""),
            **data,
        )

    def next_number(self) -> int | None:
        return whole_number(self.cleaned_data.get("first_number", ""))

    def clean(self) -> dict[str, Any]:
        found = find_faults(
            company=CompanyData.of(self.tenant),
            office=self.office(),
            certificates=None,
            first_number=self.next_number(),
            pac_company_id="",
            last_step=OFFICE_STEP,
        )
        if found:
            self.add_faults(ValidationError(found))
        return self.cleaned_data


def whole_number(text: str) -> int | None:
    """What the service judges: 0, which it refuses, for what is no number; None for nothing."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0


def _read(file: Any, password: str) -> Certificate:
    """In memory: an upload never touches the disk (`FILE_UPLOAD_HANDLERS`)."""
    file.seek(0)
    return Certificate(file.read(MAX_FILE + 1), password, extension_of(file.name))
