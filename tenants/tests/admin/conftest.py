import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from conftest import sign_in
from tenants.models import Tenant, User


@pytest.fixture
def root(db: None) -> Client:
    """A superuser's browser."""
    return browser_of(User.objects.create_superuser("root", password="x"))


def staff(*permissions: str, tenant: Tenant | None = None, name: str = "staff") -> User:
    user = User.objects.create_user(name, password="x", is_staff=True, tenant=tenant)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def browser_of(user: User) -> Client:
    return sign_in(Client(SERVER_NAME="localhost"), user)
