"""Customers in the admin: looked at and found, by the operator or by their own tenant."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from conftest import sign_in
from invoicing.models import Customer
from tenants.models import RucVerification, Tenant, User

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/invoicing/customer/"


@pytest.fixture
def desk(client: Client, db: None) -> Client:
    """A member of the operator's staff, signed in."""
    sign_in(client, User.objects.create_superuser("rosa", "rosa@cifras.test", "x"))
    return client


def made(tenant: Tenant, **changes: Any) -> Customer:
    values = {
        "type": "CONTRIBUYENTE",
        "ruc": "155646463-2-2017",
        "ruc_type": "JURIDICO",
        "dv": "86",
        "name": "Ñandú Hermanos, S.A.",
    }
    customer: Customer = Customer.unscoped.create(tenant=tenant, **values | changes)
    return customer


def test_a_customer_is_shown_with_the_age_of_its_verification(desk: Client, alice: Tenant) -> None:
    customer = made(alice, withholds=True, retention_code="4")
    moment = timezone.now().replace(year=2024, month=2, day=3)
    RucVerification.objects.create(
        ruc=customer.ruc, ruc_type="JURIDICO", exists=True, verified_at=moment
    )
    page = desk.get(f"{LIST}{customer.pk}/change/").content.decode()
    for told in ("Ñandú Hermanos, S.A.", "155646463-2-2017", "Contribuyente", "2024"):
        assert told in page


@pytest.mark.parametrize(("term", "found"), [("nandu her", True), ("1556", True), ("her", False)])
def test_it_is_found_by_the_beginning_of_name_or_ruc(
    term: str, found: bool, desk: Client, alice: Tenant
) -> None:
    customer = made(alice)
    page = desk.get(LIST, {"q": term}).content.decode()
    assert (f"{LIST}{customer.pk}/change/" in page) is found


def test_nobody_adds_changes_or_deletes_one_by_hand(desk: Client, alice: Tenant) -> None:
    page = f"{LIST}{made(alice).pk}"
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{page}/change/", {"name": "Otro"}).status_code == 403
    assert desk.post(f"{page}/delete/", {"post": "yes"}).status_code == 403


def test_who_is_bound_to_a_tenant_sees_that_tenants_alone(
    client: Client, alice: Tenant, bob: Tenant
) -> None:
    own, foreign = made(alice), made(bob)
    user = User.objects.create_user("ana", is_staff=True, tenant=alice)
    user.user_permissions.add(Permission.objects.get(codename="view_customer"))
    sign_in(client, user)
    page = client.get(LIST).content.decode()
    assert str(own.pk) in page
    assert str(foreign.pk) not in page
    assert client.get(f"{LIST}{foreign.pk}/change/").status_code == 302


def test_the_list_takes_the_same_queries_however_long(
    desk: Client, alice: Tenant, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        made(alice, ruc=f"8-1-{number + 1}")
    desk.get(LIST)
    with django_assert_max_num_queries(6):
        assert desk.get(LIST).status_code == 200
