from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django_otp.oath import hotp
from django_otp.plugins.otp_totp.models import TOTPDevice

from tenants.models import User
from tenants.services import second_factor

LOGIN = "/admin/login/"
ENROL = "/admin/second-factor/"
PASSWORD = "una clave muy larga"


def app_code(key: str) -> str:
    """What the app on the phone shows now."""
    return f"{hotp(bytes.fromhex(key), int(time.time()) // 30):06d}"


def fresh_code(user: User) -> str:
    """A code of the user's app that was not used yet, as if half a minute had passed."""
    TOTPDevice.objects.filter(user=user).update(
        last_t=-1, throttling_failure_count=0, throttling_failure_timestamp=None
    )
    return app_code(TOTPDevice.objects.get(user=user).key)


@pytest.fixture
def rosa(db: None) -> User:
    """Staff, not enrolled yet."""
    return User.objects.create_user("rosa", password=PASSWORD, is_staff=True, is_superuser=True)


@pytest.fixture
def recovery(rosa: User) -> list[str]:
    """Enrols rosa; these are her recovery codes."""
    key = second_factor.new_key()
    return second_factor.enrol(rosa, key=key, code=app_code(key))[1]


@pytest.fixture
def try_in() -> Callable[..., HttpResponse]:
    """Posts the form of the sign-in."""

    def post(
        browser: Client,
        username: str = "rosa",
        password: str = PASSWORD,
        code: str = "",
        going_to: str = "",
        **extra: Any,
    ) -> Any:
        data = {"username": username, "password": password, "code": code, "next": going_to}
        return browser.post(LOGIN, data, **extra)

    return post
