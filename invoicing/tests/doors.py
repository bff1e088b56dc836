"""Every route of the API and what alice has behind it, for those who try the handles."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from rest_framework.response import Response
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import Customer, Document, Payment
from tenants.base import TenantOwned
from tenants.models import ApiKey, Tenant

ROOT = "api/v1/"
SAFE = {"get", "head", "options"}
BANNERS = re.compile(
    r'Traceback|File "|Django[/ ]?\d|Python[/ ]?\d|CPython|gunicorn|WSGIServer|psycopg|sqlite3|'
    r"SELECT .* FROM|site-packages|DJANGO_SETTINGS",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Door:
    """One route and one method of it."""

    route: str
    method: str

    @property
    def resource(self) -> str:
        return self.route.removeprefix(ROOT).partition("/")[0]

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"<(?:\w+:)?(\w+)>", self.route)

    @property
    def about_an_object(self) -> bool:
        return "<uuid:" in self.route

    def url(self, values: dict[str, Any]) -> str:
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda name: str(values[name[1]]), self.route)


def walk(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in resolver.url_patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, path)
        else:
            yield path, pattern


def methods(callback: Any) -> set[str]:
    view = getattr(callback, "cls", None) or callback.view_class
    names = getattr(callback, "actions", None) or {
        name for name in view.http_method_names if hasattr(view, name)
    }
    return {*names, "options"} | ({"head"} if "get" in names else set())


DOORS = [
    Door(route, method)
    for route, pattern in walk(get_resolver())
    if route.startswith(ROOT)
    for method in sorted(methods(pattern.callback))
]
READING = [door for door in DOORS if door.method in SAFE]
WRITING = [door for door in DOORS if door.method not in SAFE]
OF_OBJECTS = [door for door in DOORS if door.about_an_object]


def call(client: APIClient, door: Door, values: dict[str, Any], data: Any = None) -> Response:
    """Goes through a door, and looks at the answer as a thief would."""
    arguments = {} if door.method in {"get", "head"} else {"data": data or {}}
    answer = getattr(client, door.method)(door.url(values), **arguments)
    text = f"{dict(answer.headers)} {answer.getvalue() if answer.streaming else answer.content!r}"
    assert not BANNERS.search(text), text
    assert not {"Server", "X-Powered-By"} & set(answer.headers)
    assert answer.status_code != 500, text
    return answer


class Alice:
    """One of each thing that alice has, and what a stranger may see of it: nothing."""

    def __init__(self, tenant: Tenant, api: APIClient) -> None:
        self.tenant = tenant
        self.invoice = self.issued(api, external_id="order-of-alice")
        self.proforma = self.issued(api, generation_mode="PROFORM")
        self.customer = Customer.unscoped.create(
            tenant=tenant, type="CONSUMIDOR_FINAL", name="Customer of alice"
        )
        self.objects: dict[str, list[Any]] = {
            "invoices": [self.invoice, self.proforma],
            "credit-notes": [self.note("02", "06")],
            "debit-notes": [self.note("03", "07")],
            "customers": [self.customer],
        }
        self.payments = {
            document.pk: Payment.unscoped.create(
                tenant=tenant, owner=document, amount=1, method="02", paid_at=timezone.now()
            )
            for documents in self.objects.values()
            for document in documents
            if isinstance(document, Document)
        }

    @staticmethod
    def issued(api: APIClient, **changes: Any) -> Document:
        answer = api.post("/api/v1/invoices", body(**changes))
        assert answer.status_code == 201, answer.data
        return Document.unscoped.get(pk=answer.data["id"])

    def note(self, kind: str, dgi_kind: str) -> Document:
        note = Document.unscoped.get(pk=self.invoice.pk)
        note.pk, note._state.adding = uuid.uuid4(), True
        note.document_type, note.dgi_document_type = kind, dgi_kind
        note.computed_cufe, note.external_id = None, None
        note.save()
        return note

    def parameters(self, door: Door) -> list[dict[str, Any]]:
        """For each of alice's things that the route may be about, its parameters."""
        if not door.about_an_object:
            fixed = {"text": self.tenant.ruc, "name": "itbms-rates"}
            return [{name: fixed[name] for name in door.parameters}]
        return [
            {"pk": each.pk}
            | ({"payment": self.payments[each.pk].pk} if each.pk in self.payments else {})
            for each in self.objects[door.resource]
        ]

    def secrets(self) -> list[str]:
        """What no answer to a stranger may hold."""
        return [
            self.tenant.name,
            str(self.tenant.pk),
            str(self.tenant.pac_company_id),
            str(self.tenant.main_office_id),
            str(self.invoice.computed_cufe),
            "order-of-alice",
            "Customer of alice",
            *(str(payment.pk) for payment in self.payments.values()),
        ]


def everything() -> dict[str, list[Any]]:
    """All rows of all tenants, to see that nothing moved."""
    return {
        model._meta.label: list(model.unscoped.order_by("pk").values())
        for model in apps.get_models()
        if issubclass(model, TenantOwned) and not model._meta.proxy
    }


def signed(text: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=text)
    return client


def key_of(tenant: Tenant, *scopes: str, **columns: Any) -> tuple[ApiKey, str]:
    key, text = ApiKey.objects.issue(tenant=tenant, name="k", scopes=scopes or ("read", "write"))
    ApiKey.objects.filter(pk=key.pk).update(**columns)
    return key, text
