"""The admin's site: nobody is in before his second factor.

Outside of `tenants.admin`, which registers its pages at a site that has to be there by then.
"""

from base64 import b32encode, b64encode
from typing import Any
from urllib.parse import urlencode

import zxingcpp
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django_otp import login as sign_in_device
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from unfold.sites import UnfoldAdminSite

from tenants.errors import Conflict
from tenants.services import second_factor
from tenants.staff.forms import EnrolForm, SignInForm

# The secret that somebody is enrolling with. It belongs to his session: another who knows the
# password, too, is shown another one.
IN_SESSION = "second_factor_secret"


class StaffSite(UnfoldAdminSite):
    login_form = SignInForm

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff whose session was opened with the second factor."""
        return bool(super().has_permission(request) and request.user.is_verified())  # type: ignore[union-attr]

    def get_urls(self) -> list[URLPattern]:
        # Not an `admin_view`: those are closed until this one is done.
        return [
            path("second-factor/", self.second_factor, name="second_factor"),
            *super().get_urls(),
        ]

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        user = _staff_of(request)
        if request.method == "GET" and user and not second_factor.is_enrolled(user):
            going_to = urlencode({REDIRECT_FIELD_NAME: self._next(request)})
            return HttpResponseRedirect(f"{reverse('admin:second_factor')}?{going_to}")
        answer = super().login(request, extra_context)
        if answer.status_code == 302 and request.method == "POST":
            self._tell_of_recovery(request)
        return answer

    @method_decorator([never_cache, csrf_protect, sensitive_post_parameters()])
    def second_factor(self, request: HttpRequest) -> HttpResponse:
        """Enrolment, at the first sign-in: a secret to scan, a code that proves it, and the
        recovery codes, on the answer to that alone."""
        user = _staff_of(request)
        if user is None:
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if second_factor.is_enrolled(user):
            return HttpResponseRedirect(reverse("admin:index"))
        key = request.session.setdefault(IN_SESSION, second_factor.new_key())
        form = EnrolForm(request.POST or None)
        if form.is_valid():
            try:
                device, codes = second_factor.enrol(user, key=key, code=form.cleaned_data["code"])
            except second_factor.WrongCode:
                told = _("La aplicación muestra ahora otro código. Revise la hora del teléfono.")
                form.add_error("code", told)
            except Conflict:
                return HttpResponseRedirect(reverse("admin:index"))  # enrolled meanwhile, elsewhere
            else:
                del request.session[IN_SESSION]
                request.session.cycle_key()
                sign_in_device(request, device)
                _log(user, _("Segundo factor activado."))
                title = _("Códigos de recuperación")
                return self._page(request, "recovery_codes", title=title, codes=codes)
        return self._page(
            request,
            "second_factor",
            title=_("Segundo factor"),
            form=form,
            secret=_for_typing(key),
            qr=_picture(_uri(user, key)),
        )

    def _page(self, request: HttpRequest, name: str, **context: Any) -> HttpResponse:
        everywhere = {**self.each_context(request), "next": self._next(request)}
        return TemplateResponse(request, f"admin/{name}.html", everywhere | context)

    def _next(self, request: HttpRequest) -> str:
        """Where the visitor was going, if that is a page of ours."""
        wanted = request.POST.get(REDIRECT_FIELD_NAME) or request.GET.get(REDIRECT_FIELD_NAME) or ""
        is_ours = url_has_allowed_host_and_scheme(
            wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        return wanted if is_ours else reverse("admin:index")

    def _tell_of_recovery(self, request: HttpRequest) -> None:
        user = _staff_of(request)
        if user and isinstance(request.user.otp_device, StaticDevice):  # type: ignore[union-attr]
            left = second_factor.recovery_codes_left(user)
            said = ngettext(
                "Entró con un código de recuperación; le queda %(left)d. Si perdió el teléfono, "
                "pida a un superusuario que restablezca su segundo factor.",
                "Entró con un código de recuperación; le quedan %(left)d. Si perdió el teléfono, "
                "pida a un superusuario que restablezca su segundo factor.",
                left,
            )
            messages.warning(request, said % {"left": left})


def _staff_of(request: HttpRequest) -> Any:
    """The member of staff who gave his password; `None` where it is somebody else."""
    user = request.user
    return user if user.is_authenticated and user.is_active and user.is_staff else None


def _uri(user: Any, key: str) -> str:
    return str(TOTPDevice(user=user, key=key).config_url)


def _for_typing(key: str) -> str:
    """The secret as apps ask for it, in groups of four."""
    text = b32encode(bytes.fromhex(key)).decode()
    return " ".join(text[place : place + 4] for place in range(0, len(text), 4))


def _picture(uri: str) -> str:
    """A QR as the address of an image."""
    code = zxingcpp.create_barcode(uri, zxingcpp.BarcodeFormat.QRCode, ec_level="M")
    svg = code.to_svg(scale=4, add_quiet_zones=True)
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _log(user: Any, words: str) -> None:
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, change_message=words, single_object=True)
