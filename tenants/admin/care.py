"""What is done to a taxpayer after its onboarding: offices, numbers, certificates, secrets, doors.

Each page says what will happen, asks why, and leaves who and why in the history.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from pac.errors import PacError
from tenants.admin.care_forms import NumbersForm, ReasonForm, RenewalForm
from tenants.admin.onboarding.forms import OfficeForm
from tenants.admin.onboarding.pages import OnboardingPages
from tenants.admin.private import private
from tenants.admin.words import error_words
from tenants.errors import Conflict, TenantError
from tenants.models import Office, OnboardingStatus, Tenant
from tenants.roles import ONBOARD, ROTATE, SUSPEND
from tenants.services.onboarding import SeriesBeyond, raise_series
from tenants.services.renewal import renew_certificates
from tenants.services.rotation import is_rotating, rotate_webhook_secret
from tenants.services.suspension import resume, suspend

TIME_LIMIT = 20.0  # seconds that one call to the PAC may take while a person waits


class TenantCare(OnboardingPages):
    """The pages behind the buttons of a taxpayer's page."""

    actions_detail = (
        "open_wizard",
        {
            "title": gettext_lazy("Gestionar"),
            "icon": "settings",
            "items": [
                "new_office",
                "new_numbers",
                "renew",
                "rotate_webhook",
                "suspend",
                "resume",
            ],
        },
    )

    def has_suspend_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_switch(request, object_id, is_active=True)

    def has_resume_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self._may_switch(request, object_id, is_active=False)

    @action(
        description=gettext_lazy("Agregar sucursal"),
        url_path="offices/new",
        permissions=[ONBOARD],
        icon="add_home_work",
    )
    def new_office(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Another branch: the same service as in the wizard, up to the PAC's id."""
        tenant = self.own(request, object_id)
        if tenant.onboarding_status != OnboardingStatus.READY:
            return HttpResponseRedirect(
                reverse("admin:tenants_tenant_onboarding", args=[tenant.pk])
            )
        waiting = Office.objects.for_tenant(tenant).filter(pac_office_id="").first()
        form = OfficeForm(request.POST or None, tenant=tenant, office=waiting)
        if request.method == "POST" and form.is_valid() and self.add_office(request, tenant, form):
            return HttpResponseRedirect(_tenant_url(tenant))
        explained = [_("La sucursal se crea aquí y en el PAC; enviar dos veces no crea dos.")]
        if waiting:
            explained.append(
                _("La sucursal %(code)s espera todavía al PAC: envíela otra vez.")
                % {"code": waiting.code}
            )
        return self._confirm(
            request, tenant, _("Agregar sucursal"), form, _("Crear la sucursal"), explained
        )

    @action(
        description=gettext_lazy("Puntos de facturación y numeración"),
        url_path="numbers",
        permissions=[ONBOARD],
        icon="pin",
    )
    def new_numbers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """A new billing point, or a later next number for one."""
        tenant = self.own(request, object_id)
        form = NumbersForm(request.POST or None, tenant=tenant)
        if request.method == "POST" and form.is_valid() and self._raise(request, tenant, form):
            return HttpResponseRedirect(_tenant_url(tenant))
        explained = [
            _("El próximo documento de cada serie lleva este número. Un número nunca se repite.")
        ]
        return self._confirm(
            request, tenant, _("Puntos de facturación y numeración"), form, _("Guardar"), explained
        )

    @action(
        description=gettext_lazy("Renovar certificados"),
        url_path="certificates",
        permissions=[ONBOARD],
        icon="verified_user",
    )
    @private
    def renew(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = self.own(request, object_id)
        form = RenewalForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            certificates = form.certificates()
            if certificates is None:
                raise PermissionDenied  # the form lets nobody through without a file
            try:
                renew_certificates(tenant, certificates, deadline=TIME_LIMIT)
            except ValidationError as error:
                form.add_faults(error)
            except (TenantError, PacError) as error:
                self._failed(request, tenant, _("Renovar certificados"), error)
            else:
                tenant.refresh_from_db()
                day = f"{tenant.certificates_expire_on:%d/%m/%Y}"
                words = _("Certificados renovados: valen hasta el %(day)s.") % {"day": day}
                self.log_change(request, tenant, words)
                messages.success(request, words)
                return HttpResponseRedirect(_tenant_url(tenant))
        explained = [
            _("Se comprueban la contraseña y el vencimiento, y van al PAC. Aquí no se guardan.")
        ]
        if tenant.certificates_expire_on:
            explained.append(
                _("Los de ahora valen hasta el %(day)s.")
                % {"day": f"{tenant.certificates_expire_on:%d/%m/%Y}"}
            )
        return self._confirm(
            request,
            tenant,
            _("Renovar certificados"),
            form,
            _("Enviar al PAC"),
            explained,
            multipart=True,
        )

    @action(
        description=gettext_lazy("Rotar el secreto del webhook"),
        url_path="webhook-secret",
        permissions=[ROTATE],
        icon="key",
    )
    def rotate_webhook(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = self.own(request, object_id)

        def rotate(tenant: Tenant) -> None:
            rotate_webhook_secret(tenant, deadline=TIME_LIMIT)

        explained = [
            _("Se crea un secreto nuevo y se le da al PAC. Hasta que lo tome valen los dos.")
        ]
        if is_rotating(tenant):
            explained.append(
                _("La última rotación no terminó: el mismo secreto nuevo se envía otra vez.")
            )
        return self._with_reason(
            request,
            tenant,
            rotate,
            _("Rotar el secreto del webhook"),
            _("Rotar el secreto"),
            explained,
        )

    @action(
        description=gettext_lazy("Suspender"),
        url_path="suspend",
        permissions=["suspend"],
        icon="block",
    )
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with_reason(
            request,
            self.own(request, object_id),
            suspend,
            _("Suspender"),
            _("Suspender"),
            [
                _("Sus claves de API dejan de entrar en el acto."),
                _("Lo que ya está en cola se envía y se sigue hasta el final."),
            ],
            danger=True,
        )

    @action(
        description=gettext_lazy("Reanudar"),
        url_path="resume",
        permissions=["resume"],
        icon="play_arrow",
    )
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with_reason(
            request,
            self.own(request, object_id),
            resume,
            _("Reanudar"),
            _("Reanudar"),
            [_("Sus claves de API vuelven a entrar.")],
        )

    def _may_switch(self, request: HttpRequest, object_id: Any, *, is_active: bool) -> bool:
        """Only the button that would change something is there. A page that was overtaken by
        somebody else gets the service's answer."""
        if not request.user.has_perm(SUSPEND):
            return False
        if request.method == "POST" or object_id is None:
            return True
        return self.get_queryset(request).filter(pk=object_id, is_active=is_active).exists()

    def _raise(self, request: HttpRequest, tenant: Tenant, form: NumbersForm) -> bool:
        office, point = form.cleaned_data["office"], form.cleaned_data["billing_point"]
        number = form.next_number()
        try:
            with transaction.atomic():
                raise_series(office=office, billing_point=point, first_number=number)
                words = _("Numeración %(office)s-%(point)s: el próximo es %(number)s.") % {
                    "office": office.code,
                    "point": point,
                    "number": number,
                }
                self.log_change(request, tenant, words)
        except SeriesBeyond as beyond:
            form.add_faults(ValidationError({"first_number": [beyond.fault()]}))
            return False
        messages.success(request, words)
        return True

    def _with_reason(
        self,
        request: HttpRequest,
        tenant: Tenant,
        act: Callable[[Tenant], None],
        title: str,
        button: str,
        explained: Sequence[str | Promise],
        *,
        danger: bool = False,
    ) -> HttpResponse:
        """Confirms, asks why, acts and logs; a failure is told and logged as well."""
        form = ReasonForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason = form.cleaned_data["reason"]
            try:
                act(tenant)
            except Conflict as error:
                messages.info(request, error_words(error))
                return HttpResponseRedirect(_tenant_url(tenant))
            except PacError as error:
                self._failed(request, tenant, f"{title} ({reason})", error)
            else:
                self.log_change(request, tenant, f"{title}: {reason}")
                messages.success(request, _("Hecho: %(title)s.") % {"title": title})
                return HttpResponseRedirect(_tenant_url(tenant))
        return self._confirm(request, tenant, title, form, button, explained, danger=danger)

    def _failed(
        self, request: HttpRequest, tenant: Tenant, title: str, error: TenantError | PacError
    ) -> None:
        words = error_words(error)
        self.log_change(
            request,
            tenant,
            _("%(title)s: no se pudo. %(words)s") % {"title": title, "words": words},
        )
        messages.warning(request, words)

    def _confirm(
        self,
        request: HttpRequest,
        tenant: Tenant,
        title: str,
        form: Any,
        button: str,
        explained: Sequence[str | Promise],
        **context: Any,
    ) -> HttpResponse:
        return self.page(
            request,
            "confirm.html",
            title,
            form=form,
            button=button,
            explained=explained,
            object=tenant,
            about=str(tenant),
            back=_tenant_url(tenant),
            **context,
        )


def _tenant_url(tenant: Tenant) -> str:
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])
