"""Signing in to the admin, and enrolling in the second factor."""

from typing import Any

from django import forms
from django.contrib.auth.signals import user_login_failed
from django.core.validators import MaxLengthValidator
from django.utils.translation import gettext_lazy as _
from django_otp.models import Device
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from tenants.models import User
from tenants.services import second_factor

REFUSED = _(
    "El usuario, la contraseña o el código no son correctos. Quien ya activó el segundo factor "
    "siempre necesita un código nuevo; cada código sirve una sola vez."
)


def code_field(**options: Any) -> forms.CharField:
    return forms.CharField(
        max_length=20,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "one-time-code",
                "inputmode": "numeric",
                "class": " ".join(BASE_INPUT_CLASSES),
            }
        ),
        **options,
    )


class SignInForm(AuthenticationForm):
    """User, password and code at once. What was wrong is not told: a right password with a wrong
    code is refused, and counted, like a wrong password."""

    error_messages = {"invalid_login": REFUSED, "inactive": REFUSED}
    code = code_field(
        label=_("Código de verificación"),
        required=False,
        help_text=_(
            "De su aplicación de autenticación, o uno de sus códigos de recuperación. "
            "La primera vez déjelo vacío."
        ),
    )

    def __init__(self, request: Any = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(request, *args, **kwargs)
        # The library only tells the browser; a longer name would not fit into the log of failures.
        longest = self.fields["username"].max_length
        self.fields["username"].validators.append(MaxLengthValidator(longest))

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        user = self.get_user()
        if isinstance(user, User):
            # django-otp signs the device in with its user.
            user.otp_device = self._device_of(user, data.get("code", ""))  # type: ignore[attr-defined]
        return data

    def _device_of(self, user: User, code: str) -> Device | None:
        """What the code proves; `None` before the enrolment, when there is nothing to prove."""
        if not second_factor.is_enrolled(user):
            return None
        device = second_factor.verify(user, code)
        if device is None:
            user_login_failed.send(
                sender=__name__,
                credentials={"username": user.get_username()},
                request=self.request,
            )
            raise self.get_invalid_login_error()
        return device


class EnrolForm(forms.Form):
    code = code_field(label=_("Código que muestra la aplicación"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].widget.attrs["autofocus"] = ""
