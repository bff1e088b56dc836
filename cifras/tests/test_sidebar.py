"""The sidebar: every page for those who may view it, and none for others."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from conftest import sign_in, staff_of
from tenants.models import Tenant, User
from tenants.roles import ROLES

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


def items(answer: Any) -> list[dict[str, Any]]:
    return [item for group in answer.context["sidebar_navigation"] for item in group["items"]]


@pytest.mark.parametrize("role", [role.name for role in ROLES])
@pytest.mark.parametrize("is_bound", [False, True])
def test_each_page_stands_there_for_whom_it_is(role: str, is_bound: bool, alice: Tenant) -> None:
    browser = sign_in(Client(), staff_of(role, tenant=alice if is_bound else None))
    answer = browser.get("/admin/")
    shown = {item["link"] for item in items(answer)}
    for model, page in admin.site._registry.items():
        names = (model._meta.app_label, model._meta.model_name)
        address = reverse("admin:{}_{}_changelist".format(*names))
        assert (address in shown) == page.has_view_permission(answer.wsgi_request), model
        assert (f'href="{address}"' in answer.content.decode()) == (address in shown)
    assert all(browser.get(link).status_code == 200 for link in shown)


def test_the_wizard_is_for_operators(alice: Tenant) -> None:
    wizard = reverse("admin:tenants_tenant_onboarding_begin")
    for user, offered in (
        (staff_of("operador"), True),
        (staff_of("soporte"), False),
        (staff_of("operador", tenant=alice), False),
    ):
        answer = sign_in(Client(), user).get("/admin/")
        assert (wizard in {item["link"] for item in items(answer)}) == offered


def test_who_may_view_nothing_has_the_dashboard_alone() -> None:
    user = User.objects.create_user("nobody", password="x", is_staff=True)
    answer = sign_in(Client(), user).get("/admin/")
    assert [item["link"] for item in items(answer)] == ["/admin/"]
    assert [group["title"] for group in answer.context["sidebar_navigation"]] == [""]


@pytest.mark.parametrize(
    ("address", "title"),
    [
        ("/admin/", "Tablero"),
        ("/admin/invoicing/document/", "Todos los documentos"),
        ("/admin/invoicing/document/?attention=failed", "Todos los documentos"),
        ("/admin/invoicing/document/?attention=any", "Documentos"),
        ("/admin/invoicing/document/monthly/", "Documentos del mes"),
        ("/admin/tenants/tenant/?trouble=onboarding", "Incorporaciones detenidas"),
        ("/admin/tenants/tenant/add/", "Contribuyentes"),
        ("/admin/tenants/tenant/onboarding/", "Incorporar"),
        ("/admin/password_change/", None),
    ],
)
def test_one_item_at_most_is_marked_as_the_page_that_is_shown(
    operator_browser: Client, address: str, title: str | None
) -> None:
    answer = operator_browser.get(address)
    assert answer.status_code == 200
    marked = [str(item["title"]) for item in items(answer) if item["active"]]
    assert marked == ([title] if title else [])
