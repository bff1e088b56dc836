from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client

from tenants.models import Tenant, User


@pytest.fixture(autouse=True)
def _one_factor(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second factor has tests of its own; here a signed-in member of staff is inside."""

    def has_permission(request: Any) -> bool:
        return bool(request.user.is_active and request.user.is_staff)

    monkeypatch.setattr(admin.site, "has_permission", has_permission)


@pytest.fixture
def root(db: None) -> Client:
    """A superuser's browser."""
    return browser_of(User.objects.create_superuser("root", password="x"))


def staff(*permissions: str, tenant: Tenant | None = None, name: str = "staff") -> User:
    user = User.objects.create_user(name, password="x", is_staff=True, tenant=tenant)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def browser_of(user: User) -> Client:
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    return client
