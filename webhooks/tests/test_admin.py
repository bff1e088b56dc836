"""The page of deliveries: to look at, at a fixed price."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from tenants.models import Tenant
from webhooks import inbox
from webhooks.admin import PacDeliveryAdmin
from webhooks.models import PacDelivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def page() -> PacDeliveryAdmin:
    return PacDeliveryAdmin(PacDelivery, admin.site)


def queries_of_the_list(
    page: PacDeliveryAdmin, tenant: Tenant | None = None, **query: str
) -> tuple[int, str]:
    request = RequestFactory().get("/admin/webhooks/pacdelivery/", query)
    request.user = get_user_model().objects.get_or_create(
        username=f"root {tenant}", is_superuser=True, is_staff=True, tenant=tenant
    )[0]
    with CaptureQueriesContext(connection) as queries:
        text = page.changelist_view(request).rendered_content
    return len(queries), text


def test_nothing_on_it_can_be_added_changed_or_deleted(page: PacDeliveryAdmin) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_staff=True, is_active=True)
    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)


def test_its_price_does_not_grow_and_it_speaks_spanish(
    page: PacDeliveryAdmin, alice: Tenant, bob: Tenant
) -> None:
    inbox.store(alice, b'{"id": "one"}')
    few, _ = queries_of_the_list(page)
    for number in range(20):
        inbox.store(alice if number % 2 else bob, b'{"id": "%d"}' % number)
    many, text = queries_of_the_list(page)
    assert many == few
    assert "Por atender" in text
    assert alice.name in text
    assert "webhooks recibidos" in text.lower()


def test_it_is_searched_by_the_tenants_ruc(
    page: PacDeliveryAdmin, alice: Tenant, bob: Tenant
) -> None:
    inbox.store(alice, b"1")
    inbox.store(bob, b"1")
    _, text = queries_of_the_list(page, q=bob.ruc)
    assert bob.name in text
    assert alice.name not in text


def test_who_is_bound_to_a_tenant_sees_that_tenants_alone(
    page: PacDeliveryAdmin, alice: Tenant, bob: Tenant
) -> None:
    inbox.store(alice, b"1")
    inbox.store(bob, b"1")
    _, text = queries_of_the_list(page, tenant=bob)
    assert bob.name in text
    assert alice.name not in text
