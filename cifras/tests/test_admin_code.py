"""`manage.py admin_code`: a way in for a developer without a phone."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django_otp.plugins.otp_totp.models import TOTPDevice
from pytest_django import Settings as SettingsWrapper

from tenants.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def _developer(settings: SettingsWrapper) -> None:
    settings.DEBUG = True


@pytest.fixture
def root(db: None) -> User:
    return User.objects.create_superuser("root", password="x")


def printed() -> str:
    out = StringIO()
    call_command("admin_code", "root", stdout=out)
    return out.getvalue().strip()


@pytest.mark.usefixtures("_developer")
def test_its_code_opens_the_admin_once(root: User, client: Client) -> None:
    data = {"username": "root", "password": "x", "code": printed()}
    assert client.post("/admin/login/", data).status_code == 302
    assert client.get("/admin/").status_code == 200
    assert Client().post("/admin/login/", data).status_code == 200
    with pytest.raises(CommandError, match="ask again"):
        printed()
    assert TOTPDevice.objects.count() == 1


@pytest.mark.usefixtures("_developer")
def test_it_does_not_replace_a_device(root: User) -> None:
    assert len(printed()) == 6
    device = TOTPDevice.objects.get()
    printed()
    assert TOTPDevice.objects.get() == device


@pytest.mark.usefixtures("_developer")
def test_a_user_who_does_not_exist_is_told() -> None:
    with pytest.raises(CommandError, match="no user 'root'"):
        printed()


def test_a_deployment_has_no_such_way_in(root: User) -> None:
    with pytest.raises(CommandError, match="DEBUG"):
        printed()
    assert not TOTPDevice.objects.exists()
