"""The doors of the admin, every page of every app: which there are, who may what, and whose rows.

A page that is new has to be added here, and so thought about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import ForeignKey, Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse
from django.urls.resolvers import RoutePattern
from rest_framework.test import APIClient

from conftest import body, sign_in, staff_of, work
from invoicing.models import Customer, File
from pac.sandbox import Sandbox
from tenants.admin.scoped import OperatorOnly
from tenants.models import Tenant, User
from webhooks import inbox

# What operador, soporte and auditor may do with the rows of a page: view, add, change, delete.
PAGES = {
    "admin.LogEntry": ("", "", "v"),
    "auth.Group": ("v", "", "v"),
    "axes.AccessAttempt": ("v", "", "v"),
    "axes.AccessFailureLog": ("v", "", "v"),
    "axes.AccessLog": ("v", "", "v"),
    "django_q.Failure": ("v", "v", "v"),
    "django_q.OrmQ": ("v", "v", "v"),
    "django_q.Schedule": ("v", "v", "v"),
    "invoicing.Breaker": ("v", "v", "v"),
    "invoicing.CreditNote": ("v", "v", "v"),
    "invoicing.Customer": ("v", "v", "v"),
    "invoicing.DebitNote": ("v", "v", "v"),
    "invoicing.Document": ("v", "v", "v"),
    "invoicing.EmailDelivery": ("v", "v", "v"),
    "invoicing.FiscalEvent": ("v", "v", "v"),
    "invoicing.Invoice": ("v", "v", "v"),
    "invoicing.PacExchange": ("v", "v", "v"),
    "invoicing.PumpLease": ("v", "v", "v"),
    "tenants.ApiKey": ("va", "v", "v"),
    "tenants.NumberSeries": ("vc", "v", "v"),
    "tenants.Office": ("vc", "v", "v"),
    "tenants.Tenant": ("vac", "v", "v"),
    "tenants.User": ("vac", "", "v"),
    "webhooks.PacDelivery": ("v", "v", "v"),
}
ROLES = ("operador", "soporte", "auditor")
LETTERS = {"v": "view", "a": "add", "c": "change", "d": "delete"}
REASON = {"reason": "El cliente devolvió el pedido"}


def test_the_admin_has_these_pages_and_no_other() -> None:
    assert {model._meta.label for model in admin.site._registry} == set(PAGES)


def test_the_pages_are_checked_without_a_database() -> None:
    """Checks run before the first migrate, when there is no table yet."""
    assert admin.site.check(None) == []


@pytest.mark.django_db
@pytest.mark.parametrize("role", ROLES)
def test_each_role_may_what_is_written_here(role: str) -> None:
    request = RequestFactory().get("/")
    request.user = staff_of(role)
    may = {
        model._meta.label: "".join(
            letter
            for letter, verb in LETTERS.items()
            if getattr(page, f"has_{verb}_permission")(request)
        )
        for model, page in admin.site._registry.items()
    }
    assert may == {label: rights[ROLES.index(role)] for label, rights in PAGES.items()}


@pytest.mark.django_db
def test_each_list_and_its_search_opens_for_whom_it_is() -> None:
    support, auditor = (sign_in(Client(), staff_of(role)) for role in ROLES[1:])
    for model in admin.site._registry:
        page = url(model, "changelist")
        may_look = PAGES[model._meta.label][1] != ""
        assert support.get(page).status_code == (200 if may_look else 403), model
        assert auditor.get(page, {"q": "1"}).status_code == 200, model


# --- whose rows --------------------------------------------------------------------------------


def url(model: type[Model], page: str, *args: Any) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=args)


OPERATORS_OWN = [
    model for model, page in admin.site._registry.items() if isinstance(page, OperatorOnly)
]
TENANTS_OWN = [model for model in admin.site._registry if model not in OPERATORS_OWN]


@pytest.fixture
def two_businesses(
    box: Sandbox, alice: Tenant, bob: Tenant, client_of: Callable[..., APIClient]
) -> tuple[Tenant, Tenant]:
    """Two tenants who have something on each page."""
    for tenant in (alice, bob):
        api = client_of(tenant)
        invoices = [api.post("/api/v1/invoices", body()).data["id"] for _ in range(2)]
        work()
        for kind in ("credit-notes", "debit-notes"):
            line = {"description": "Ajuste", "quantity": "1", "unit_price": "1.00"}
            note = {"invoice": invoices[0], "lines": [line | {"itbms_rate": "00"}]}
            assert api.post(f"/api/v1/{kind}", note).status_code == 201
        assert api.post(f"/api/v1/invoices/{invoices[1]}/void", REASON).status_code == 202
        inbox.store(tenant, b"{}")
        Customer.unscoped.create(tenant=tenant, type="CONTRIBUYENTE", name="Cliente")
    work()
    return alice, bob


def row_of(model: type[Model], tenant: Tenant) -> Any:
    """A row of the page that is the tenant's; there has to be one, or nothing is shown here."""
    request = RequestFactory().get("/")
    request.user = User(is_superuser=True, is_active=True)
    rows = admin.site._registry[model].get_queryset(request)
    if model is Tenant:
        return rows.get(pk=tenant.pk)
    row = rows.filter(tenant=tenant).first()
    assert row is not None, model
    return row


def bound(tenant: Tenant, *, is_superuser: bool) -> Client:
    """A browser of somebody who has every right there is, and is bound to the tenant."""
    user = User.objects.create_user(
        f"bound {is_superuser}", is_staff=True, is_superuser=is_superuser, tenant=tenant
    )
    user.user_permissions.set(Permission.objects.all())
    return sign_in(Client(), user)


def doors_of(model: type[Model], row: Any) -> Iterator[str]:
    """Every address under a page that names the row: its own views, and those of its actions."""
    for pattern in admin.site._registry[model].get_urls():
        if not isinstance(pattern, URLPattern) or not isinstance(pattern.pattern, RoutePattern):
            continue
        wanted = pattern.pattern.converters
        if pattern.name and wanted:
            keys = {name: "void" if name == "name" else str(row.pk) for name in wanted}
            yield reverse(f"admin:{pattern.name}", kwargs=keys)


def kept(row: Any) -> dict[str, Any]:
    found: dict[str, Any] = type(row)._default_manager.filter(pk=row.pk).values().get()
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_superuser", [False, True])
def test_who_is_bound_to_a_tenant_reaches_nothing_of_another(
    two_businesses: tuple[Tenant, Tenant], is_superuser: bool
) -> None:
    alice, bob = two_businesses
    browser = bound(alice, is_superuser=is_superuser)
    foreign = (bob.name, bob.ruc, str(bob.pk))
    for model in TENANTS_OWN:
        own, other = row_of(model, alice), row_of(model, bob)
        before = kept(other)
        page = browser.get(url(model, "changelist")).content.decode()
        assert str(own.pk) in page, model
        for mark in (*foreign, str(other.pk)):
            assert mark not in page, model
        opened = browser.get(url(model, "change", own.pk), follow=True)
        assert opened.status_code == 200
        assert str(own.pk) in opened.request["PATH_INFO"]  # not sent away
        doors = list(doors_of(model, other))
        assert len(doors) >= 3, model  # change, delete, history
        for door in doors:
            for answer in (browser.get(door, follow=True), browser.post(door, REASON, follow=True)):
                text = answer.content.decode()
                assert bob.name not in text, door
                assert bob.ruc not in text, door
        request = answer.wsgi_request
        for name in admin.site._registry[model].get_actions(request):
            data = {"action": name, "_selected_action": [str(other.pk)], **REASON}
            text = browser.post(url(model, "changelist"), data, follow=True).content.decode()
            assert bob.name not in text, name
        assert kept(other) == before, model


@pytest.mark.django_db(transaction=True)
def test_neither_files_nor_choices_are_of_another(two_businesses: tuple[Tenant, Tenant]) -> None:
    browser = bound(two_businesses[0], is_superuser=False)
    mine, theirs = (
        File.unscoped.filter(owner__tenant=tenant, owner__document_type="01").first()
        for tenant in two_businesses
    )
    opened = [browser.get(f"/admin/invoicing/invoice/files/{file.pk}") for file in (mine, theirs)]
    assert [answer.status_code for answer in opened] == [200, 404]
    assert b"".join(opened[0].streaming_content).startswith(b"%PDF")

    asked = 0
    for model in admin.site._registry:
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey) or not field.remote_field:
                continue
            names = {"app_label": model._meta.app_label, "model_name": model._meta.model_name}
            for term in ("", "8", "Bob"):
                query = names | {"field_name": field.name, "term": term}
                answer = browser.get("/admin/autocomplete/", query)
                if answer.status_code == 200:
                    asked += 1
                    assert "Bob" not in answer.content.decode(), query
    assert asked > 3


@pytest.mark.django_db(transaction=True)
def test_a_list_costs_the_same_for_one_row_as_for_many(
    two_businesses: tuple[Tenant, Tenant], monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = sign_in(Client(), staff_of("auditor"))
    seen = 0
    for model, page_admin in admin.site._registry.items():
        auditor.get(url(model, "changelist"))
        costs = []
        for rows in (1, 50):
            monkeypatch.setattr(page_admin, "list_per_page", rows)
            with CaptureQueriesContext(connection) as queries:
                assert auditor.get(url(model, "changelist")).status_code == 200
            costs.append(len(queries))
        assert costs[0] == costs[1], model
        seen += model._default_manager.count() > 1
    assert seen > 10


@pytest.mark.django_db
@pytest.mark.parametrize("is_superuser", [False, True])
def test_the_operators_own_pages_are_closed_to_who_is_bound(
    alice: Tenant, is_superuser: bool
) -> None:
    browser = bound(alice, is_superuser=is_superuser)
    index = browser.get("/admin/").content.decode()
    assert url(Tenant, "changelist") in index
    for model in OPERATORS_OWN:
        assert browser.get(url(model, "changelist")).status_code == 403, model
        assert url(model, "changelist") not in index
