"""The second factor of the staff: a code of an app on the phone, or one of ten recovery codes.

Whoever has a device has enrolled; there are none that wait to be confirmed, since whoever saw the
secret of one could share it with its later owner. A code is good once: the app's own are not taken
twice, a recovery code is used up. The wrong ones slow down the next (django-otp) and count as
failures to sign in.
"""

import secrets
from typing import Final

from django.db import transaction
from django.utils.crypto import salted_hmac
from django_otp.models import Device
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from tenants.errors import Conflict
from tenants.models import User

APP_DIGITS: Final = 6
RECOVERY_DIGITS: Final = 12
RECOVERY_CODES: Final = 10


class WrongCode(Conflict):
    def __init__(self) -> None:
        super().__init__("wrong_code", "The code is not the one that the app shows now.")


def new_key() -> str:
    """A secret for an app, in hexadecimal."""
    return random_hex(20)


def is_enrolled(user: User) -> bool:
    return TOTPDevice.objects.devices_for_user(user, confirmed=True).exists()


def recovery_codes_left(user: User) -> int:
    return StaticToken.objects.filter(device__user=user).count()


def enrol(user: User, *, key: str, code: str) -> tuple[TOTPDevice, list[str]]:
    """Gives the user his device, and the recovery codes, which nobody can read again.

    `code` shows that the app has taken the secret. Raises `WrongCode` where it does not, and
    `Conflict` where there is a device already: it takes a superuser to remove that.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # one enrolment at a time
        if is_enrolled(user):
            raise Conflict("already_enrolled", "There is a second factor already.")
        device = TOTPDevice.objects.create(user=user, name="app", key=key)
        if not device.verify_token(_plain(code)):
            raise WrongCode
        return device, _new_recovery_codes(user)


def verify(user: User, code: str) -> Device | None:
    """The device that the code proves; `None` where it proves nothing. A right code is used up.

    Its length says which device is meant: a wrong code of the app does not slow down the recovery.
    """
    token = _plain(code)
    if len(token) == APP_DIGITS:
        model = TOTPDevice
    elif len(token) == RECOVERY_DIGITS:
        model, token = StaticDevice, _digest(user, token)
    else:
        return None
    with transaction.atomic():
        for device in model.objects.devices_for_user(user, confirmed=True).select_for_update():
            if device.verify_token(token):
                return device
    return None


def reset(user: User) -> bool:
    """Takes the devices away, and so ends the user's sessions: he enrols at the next sign-in.

    Tells whether there were any.
    """
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        removed = [
            model.objects.devices_for_user(user).delete()[0] for model in (TOTPDevice, StaticDevice)
        ]
    return any(removed)


def _new_recovery_codes(user: User) -> list[str]:
    codes = [
        f"{secrets.randbelow(10**RECOVERY_DIGITS):0{RECOVERY_DIGITS}d}"
        for _ in range(RECOVERY_CODES)
    ]
    device = StaticDevice.objects.create(user=user, name="recovery")
    StaticToken.objects.bulk_create(
        StaticToken(device=device, token=_digest(user, code)) for code in codes
    )
    return ["-".join((code[:4], code[4:8], code[8:])) for code in codes]


def _plain(code: str) -> str:
    """The digits, without the spaces and hyphens that people type; empty where it has others."""
    digits = code.replace(" ", "").replace("-", "")
    return digits if digits.isascii() and digits.isdigit() else ""


def _digest(user: User, code: str) -> str:
    """What is stored of a recovery code; as long as django-otp's column."""
    return salted_hmac(
        "tenants.second_factor", f"{user.pk}:{code}", algorithm="sha256"
    ).hexdigest()[:16]
