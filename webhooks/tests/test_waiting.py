"""The deliveries that wait are told on the dashboard, which stands a floor below."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from conftest import sign_in, staff_of
from invoicing.services import waiting
from tenants.models import Tenant
from webhooks import inbox
from webhooks.models import PacDelivery

pytestmark = pytest.mark.django_db


def test_a_delivery_waits_until_it_is_attended(alice: Tenant, operator_browser: Client) -> None:
    inbox.store(alice, b'{"id": "unknown"}')
    inbox.store(alice, b'{"id": "attended"}')
    rows = PacDelivery.unscoped.order_by("pk")
    hour_ago = timezone.now() - timedelta(hours=1)
    PacDelivery.unscoped.filter(pk=rows[0].pk).update(created_at=hour_ago)
    PacDelivery.unscoped.filter(pk=rows[1].pk).update(state="MATCHED", next_try_at=None)

    told = {row.queue.name: row for row in waiting.standing()}["webhook"]
    assert (told.count, told.oldest) == (1, hour_ago)
    figure = operator_browser.get("/admin/").context["waiting"][-1]
    assert (figure.label, figure.text) == ("Webhook recibido", "1")
    assert figure.note == "desde hace 1 h 0 min"
    listed = operator_browser.get(figure.link).context["cl"].result_list
    assert list(listed) == [rows[0]]


def test_those_of_another_tenant_are_not_counted(alice: Tenant, bob: Tenant) -> None:
    inbox.store(alice, b"{}")
    browser = sign_in(Client(), staff_of("soporte", tenant=bob))
    assert browser.get("/admin/").context["waiting"][-1].text == "0"
