"""The wizard's pages. Each button runs `onboard`, as `manage.py onboard_tenant` does: what one of
them began the other finishes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from unfold.decorators import action
from unfold.enums import ActionVariant

from pac.dgi.codes import Environment
from tenants.admin.onboarding.extras import extras
from tenants.admin.onboarding.forms import CompanyForm, OfficeForm
from tenants.admin.onboarding.standing import Need, Standing, standing
from tenants.admin.own_pages import OwnPages
from tenants.admin.private import private
from tenants.admin.qr_image import qr_data_uri
from tenants.admin.scoped import tenant_id_of
from tenants.admin.words import error_words, fault_words, kept_words
from tenants.errors import TenantError
from tenants.models import Tenant
from tenants.roles import ONBOARD
from tenants.services.onboarding import (
    LAST_STEP,
    OFFICE_STEP,
    CompanyData,
    Onboarded,
    known,
    onboard,
)
from tenants.services.onboarding.registration import ACCEPTANCE_STEP, AFFILIATION_STEP

TIME_LIMIT = 45.0  # seconds of one request, all calls to the PAC together
MOST_PLACES = 20


class OnboardingPages(OwnPages):
    """What the admin of taxpayers has for those that are not ready yet."""

    actions_list = ("new_taxpayer",)

    def get_urls(self) -> list[URLPattern]:
        def page(route: str, view: Any, name: str) -> URLPattern:
            return path(route, self.admin_site.admin_view(view), name=f"tenants_tenant_{name}")

        return [
            page("onboarding/", self.begin, "onboarding_begin"),
            page("onboarding/places/", require_GET(self.places), "onboarding_places"),
            page("<uuid:pk>/onboarding/", self.wizard, "onboarding"),
            page("<uuid:pk>/onboarding/trial/", require_GET(self.trial), "onboarding_trial"),
            *super().get_urls(),
        ]

    def has_begin_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who is bound to a tenant makes no other."""
        return not tenant_id_of(request) and request.user.has_perm(ONBOARD)

    @action(
        description=gettext_lazy("Nuevo contribuyente"),
        url_path="new",
        permissions=["begin"],
        icon="add_business",
        variant=ActionVariant.PRIMARY,
    )
    def new_taxpayer(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:tenants_tenant_onboarding_begin"))

    @action(
        description=gettext_lazy("Incorporación"),
        url_path="wizard",
        permissions=[ONBOARD],
        icon="checklist",
    )
    def open_wizard(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(_wizard_url(self.own(request, object_id)))

    @private
    def begin(self, request: HttpRequest) -> HttpResponse:
        """A taxpayer that nobody has registered yet."""
        if not self.has_begin_permission(request):
            raise PermissionDenied
        form = CompanyForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            company = form.company()
            there = known(ruc=company.ruc, ruc_type=company.ruc_type).tenant
            if there:
                messages.info(
                    request, _("%(tenant)s ya está registrado: continúe aquí.") % {"tenant": there}
                )
                return HttpResponseRedirect(_wizard_url(there))
            self._run(request, company, AFFILIATION_STEP, form, **_given(form))
            made = known(ruc=company.ruc, ruc_type=company.ruc_type).tenant
            if made:
                return HttpResponseRedirect(_wizard_url(made))
        return self.page(request, "onboarding/begin.html", _("Nuevo contribuyente"), form=form)

    @private
    def wizard(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """Where a taxpayer stands, and the form or the button for the next step."""
        tenant = self.onboarded(request, pk)
        stands = standing(tenant)
        form: forms.Form | None = self._form(request, tenant, stands)
        if request.method == "POST":
            if request.POST.get("step") == "trial":
                self._issue_trial(request, tenant)
                return HttpResponseRedirect(_wizard_url(tenant))
            # A page that was overtaken by another request or by the command is shown anew.
            if request.POST.get("step") != stands.need:
                messages.info(request, _("Ese paso ya se había dado: así está ahora."))
                return HttpResponseRedirect(_wizard_url(tenant))
            if form is None or form.is_valid():
                done = self._take_step(request, tenant, stands, form)
                if done and done.api_key:
                    return self.show_key(request, tenant, done.api_key, _wizard_url(tenant))
                if form is None or form.is_valid():
                    return HttpResponseRedirect(_wizard_url(tenant))
        return self.page(
            request,
            "onboarding/wizard.html",
            _("Incorporación de %(name)s") % {"name": tenant.name},
            object=tenant,
            tenant=tenant,
            standing=stands,
            form=form,
            trouble=kept_words(tenant.onboarding_error),
            qr=qr_data_uri(tenant.affiliation_qr) if stands.need is Need.ACCEPTANCE else "",
            is_production=tenant.environment == Environment.PRODUCTION,
            **_trial_context(tenant, stands),
        )

    def trial(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        """The part of the page that follows the trial invoice, fetched again until it is over."""
        tenant = self.onboarded(request, pk)
        context = {"tenant": tenant, **_trial_context(tenant, standing(tenant))}
        return TemplateResponse(request, "admin/tenants/onboarding/trial.html", context)

    def places(self, request: HttpRequest) -> HttpResponse:
        """Corregimientos whose code or name has every word that was typed so far."""
        if not request.user.has_perm(ONBOARD):
            raise PermissionDenied
        words = request.GET.get("location", "").strip()
        found = extras.find_places(words)[: MOST_PLACES + 1] if words else ()
        return TemplateResponse(
            request,
            "admin/tenants/onboarding/places.html",
            {"places": found[:MOST_PLACES], "words": words, "more": len(found) > MOST_PLACES},
        )

    def onboarded(self, request: HttpRequest, pk: UUID | str) -> Tenant:
        """The tenant, for those who may onboard and see it."""
        if not request.user.has_perm(ONBOARD):
            raise PermissionDenied
        tenant: Tenant = self.own(request, pk)
        return tenant

    def add_office(self, request: HttpRequest, tenant: Tenant, form: OfficeForm) -> bool:
        """Whether the PAC has the office now."""
        company = CompanyData.of(tenant)
        return bool(self._run(request, company, OFFICE_STEP, form, **_given(form)))

    def _form(
        self, request: HttpRequest, tenant: Tenant, stands: Standing
    ) -> CompanyForm | OfficeForm | None:
        is_posted = request.method == "POST" and request.POST.get("step") == stands.need
        data = request.POST if is_posted else None
        if stands.need is Need.COMPANY:
            return CompanyForm(data, request.FILES if is_posted else None, tenant=tenant)
        if stands.need is Need.OFFICE:
            office = stands.office or tenant.main_office
            return OfficeForm(data, tenant=tenant, office=office)
        return None

    def _take_step(
        self, request: HttpRequest, tenant: Tenant, stands: Standing, form: Any
    ) -> Onboarded | None:
        company = form.company() if isinstance(form, CompanyForm) else CompanyData.of(tenant)
        return self._run(request, company, _last_step(stands), form, **_given(form))

    def _run(
        self,
        request: HttpRequest,
        company: CompanyData,
        last_step: int,
        form: Any,
        **given: Any,
    ) -> Onboarded | None:
        """Runs the steps within the time of a request, and tells and logs what came of it."""
        was_there = known(ruc=company.ruc, ruc_type=company.ruc_type).tenant is not None
        done: Onboarded | None = None
        try:
            done = onboard(company=company, last_step=last_step, time_limit=TIME_LIMIT, **given)
        except ValidationError as error:
            self._show_faults(request, form, error)
            return None
        except TenantError as error:
            words = error_words(error)
            messages.warning(request, words)
        else:
            words = str(done.tenant.get_onboarding_status_display())
            messages.success(request, _("Hecho: %(status)s.") % {"status": words})
        tenant = known(ruc=company.ruc, ruc_type=company.ruc_type).tenant
        if tenant:
            log = self.log_change if was_there else self.log_addition
            log(request, tenant, _("Incorporación: %(words)s") % {"words": words})
            if tenant.logo_url and not tenant.logo:
                messages.warning(request, _("El logo no se pudo copiar: se factura sin él."))
        return done

    def _show_faults(self, request: HttpRequest, form: Any, error: ValidationError) -> None:
        if form is not None:
            form.add_faults(error)
            return
        for texts in fault_words(error).values():
            messages.error(request, " ".join(texts))

    def _issue_trial(self, request: HttpRequest, tenant: Tenant) -> None:
        if extras.trial is None:
            raise PermissionDenied
        try:
            extras.trial.issue(tenant)
        except TenantError as error:
            messages.warning(request, error_words(error))
        else:
            self.log_change(request, tenant, _("Factura de prueba emitida."))


def _given(form: Any) -> dict[str, Any]:
    """What a valid form adds to the run."""
    if isinstance(form, CompanyForm):
        return {
            "certificates": form.certificates(),
            "pac_company_id": form.cleaned_data["pac_company_id"],
        }
    if isinstance(form, OfficeForm):
        return {"office": form.office(), "first_number": form.next_number()}
    return {}


def _last_step(stands: Standing) -> int:
    """As far as no person is needed again."""
    match stands.need:
        case Need.COMPANY | Need.RETRY:
            return AFFILIATION_STEP
        case Need.ACCEPTANCE:
            return OFFICE_STEP if stands.office else ACCEPTANCE_STEP
        case Need.OFFICE:
            return OFFICE_STEP
        case _:
            return LAST_STEP


def _trial_context(tenant: Tenant, stands: Standing) -> dict[str, Any]:
    offered = (
        stands.is_ready
        and extras.trial is not None
        and tenant.environment != Environment.PRODUCTION
    )
    trial = extras.trial.look(tenant) if extras.trial and stands.is_ready else None
    return {
        "trial": trial,
        "trial_is_offered": offered and (trial is None or trial.may_be_repeated),
    }


def _wizard_url(tenant: Tenant) -> str:
    return reverse("admin:tenants_tenant_onboarding", args=[tenant.pk])
