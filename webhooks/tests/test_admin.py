"""The page of deliveries: to look at, at a fixed price."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from conftest import sign_in, staff_of
from invoicing.models import HistoryEntry
from invoicing.tests.admin.test_document_lists import made
from tenants.models import Tenant
from webhooks import inbox
from webhooks.admin import PacDeliveryAdmin, deliveries
from webhooks.models import PacDelivery

pytestmark = pytest.mark.django_db

LIST = "/admin/webhooks/pacdelivery/"


@pytest.fixture
def page() -> PacDeliveryAdmin:
    return PacDeliveryAdmin(PacDelivery, admin.site)


def queries_of_the_list(tenant: Tenant | None = None, **query: str) -> tuple[int, str]:
    user, _ = get_user_model().objects.get_or_create(
        username=f"root {tenant}", is_superuser=True, is_staff=True, tenant=tenant
    )
    browser = sign_in(Client(), user)
    browser.get(LIST)
    with CaptureQueriesContext(connection) as queries:
        text = browser.get(LIST, query).content.decode()
    return len(queries), text


def test_nothing_on_it_can_be_added_changed_or_deleted(page: PacDeliveryAdmin) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_staff=True, is_active=True)
    assert page.has_view_permission(request)
    assert not page.has_add_permission(request)
    assert not page.has_change_permission(request)
    assert not page.has_delete_permission(request)
    assert "delete_selected" not in page.get_actions(request)


def test_its_price_does_not_grow_and_it_speaks_spanish(alice: Tenant, bob: Tenant) -> None:
    inbox.store(alice, b'{"id": "one"}')
    few, _ = queries_of_the_list()
    for number in range(20):
        inbox.store(alice if number % 2 else bob, b'{"id": "%d"}' % number)
    many, text = queries_of_the_list()
    assert many == few
    assert "Por atender" in text
    assert alice.name in text
    assert "webhooks recibidos" in text.lower()


def test_it_is_searched_by_the_tenants_ruc(alice: Tenant, bob: Tenant) -> None:
    inbox.store(alice, b"1")
    inbox.store(bob, b"1")
    _, text = queries_of_the_list(q=bob.ruc)
    assert bob.name in text
    assert alice.name not in text


def test_who_is_bound_to_a_tenant_sees_that_tenants_alone(alice: Tenant, bob: Tenant) -> None:
    inbox.store(alice, b"1")
    inbox.store(bob, b"1")
    _, text = queries_of_the_list(tenant=bob)
    assert bob.name in text
    assert alice.name not in text


def test_the_page_of_a_document_tells_its_webhooks(alice: Tenant, bob: Tenant) -> None:
    document = made(alice, document_id="01JAAAAAAAAAAAAAAAAAAAAAAA", queued_at=timezone.now())
    sent = {"id": document.document_id, "note": "<script>", "total": 203.3, "password": "hunter2"}
    inbox.store(alice, json.dumps(sent).encode())
    inbox.store(alice, b'{"id": "01JBBBBBBBBBBBBBBBBBBBBBBB"}')
    inbox.store(bob, json.dumps(sent).encode())
    with CaptureQueriesContext(connection) as few:
        (entry,) = deliveries(document)
    assert entry.title == "Webhook del PAC: Por atender"
    ((_, text),) = entry.texts
    assert document.document_id in text
    assert "hunter2" not in text
    for number in range(10):
        inbox.store(alice, json.dumps(sent | {"number": number}).encode())
    with CaptureQueriesContext(connection) as many:
        assert len(list(deliveries(document))) == 11
    assert len(few) == len(many) == 2
    browser = sign_in(Client(), staff_of("soporte"))
    page = browser.get(f"/admin/invoicing/invoice/{document.pk}/change/").content.decode()
    assert "Webhook del PAC" in page
    assert "&lt;script&gt;" in page


def test_it_is_looked_for_around_each_news_of_the_document(alice: Tenant) -> None:
    """Days may pass between the sending and the verdict."""
    now = timezone.now()
    document = made(
        alice, document_id="01JAAAAAAAAAAAAAAAAAAAAAAA", queued_at=now - timedelta(days=3)
    )
    inbox.store(alice, b'{"id": "01JAAAAAAAAAAAAAAAAAAAAAAA"}')
    assert list(deliveries(document)) == []
    HistoryEntry.unscoped.create(tenant=alice, owner=document, event="legal_status")
    assert len(list(deliveries(document))) == 1


@pytest.mark.parametrize("body", ["[" * 500 + "]" * 500, "9" * 5000, "{}"])
def test_no_delivery_is_too_odd_to_be_shown(alice: Tenant, body: str) -> None:
    document = made(alice, computed_cufe="FE01", queued_at=timezone.now())
    PacDelivery.unscoped.create(tenant=alice, body=f'{{"cufe": "FE01", "x": {body}}}', digest="1")
    assert len(list(deliveries(document))) == 1


def test_a_document_that_the_pac_cannot_name_has_none(alice: Tenant) -> None:
    assert list(deliveries(made(alice))) == []
