"""Every door of the API, found from the URL resolver: a new route cannot be forgotten.

A route that nobody explained here fails these tests with a KeyError: say in `Alice.objects` which
objects of alice's it is about.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import models
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body
from invoicing.api.views import InvoiceViewSet
from invoicing.models import Document
from invoicing.tests.doors import (
    BANNERS,
    DOORS,
    OF_OBJECTS,
    READING,
    ROOT,
    SAFE,
    WRITING,
    Alice,
    Door,
    call,
    everything,
    key_of,
    signed,
)
from tenants.api.throttling import ApiKeyRate, EmailRate
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db


# --- alice's things -----------------------------------------------------------------------------


@pytest.fixture
def hers(alice: Tenant, api: APIClient) -> Alice:
    return Alice(alice, api)


# --- the list itself ----------------------------------------------------------------------------


def test_the_resolver_shows_the_doors_that_are_promised() -> None:
    found = {(door.route.removeprefix(ROOT), door.method) for door in DOORS}
    assert found >= {
        ("me", "get"),
        ("offices", "get"),
        ("ruc/<str:text>", "get"),
        ("invoices", "get"),
        ("invoices", "post"),
        ("invoices/<uuid:pk>", "get"),
        ("invoices/<uuid:pk>", "patch"),
        ("invoices/<uuid:pk>", "delete"),
        ("invoices/<uuid:pk>/submit", "post"),
        ("invoices/<uuid:pk>/retry", "post"),
        ("invoices/<uuid:pk>/refresh", "post"),
        ("invoices/<uuid:pk>/email", "post"),
        ("invoices/<uuid:pk>/pdf", "get"),
        ("invoices/<uuid:pk>/events", "get"),
    }


def test_there_is_no_put_and_no_trace() -> None:
    assert not {door.method for door in DOORS} & {"put", "trace"}


def test_the_right_key_opens_every_door(hers: Alice, client_of: Callable[..., APIClient]) -> None:
    """Else the refusals below would prove nothing."""
    client = client_of(hers.tenant)
    refused = {
        door: answer.status_code
        for door in READING
        for values in hers.parameters(door)
        if (answer := call(client, door, values)).status_code not in {200, 400, 404}
        or (answer.status_code == 404 and not door.route.endswith(("/pdf", "/xml")))
    }
    assert refused == {}


# --- 401 ----------------------------------------------------------------------------------------


def bad_signatures(tenant: Tenant) -> dict[str, str]:
    """By name, the `Authorization` headers that open nothing."""
    past = timezone.now() - timedelta(seconds=1)
    _, good = key_of(tenant)
    _, revoked = key_of(tenant, revoked=True)
    _, expired = key_of(tenant, expiry_date=past)
    prefix, _, secret = good.partition(".")
    return {
        "no text": "Bearer",
        "blank": "Bearer   ",
        "another scheme": f"Basic {good}",
        "the library's own scheme": f"Api-Key {good}",
        "no scheme": good,
        "unknown": "Bearer AAAAAAAA.BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB",
        "prefix alone": f"Bearer {prefix}",
        "prefix and point": f"Bearer {prefix}.",
        "wrong secret": f"Bearer {prefix}.{secret[:-1]}",
        "longer secret": f"Bearer {good}x",
        "other case": f"Bearer {prefix}.{secret.swapcase()}",
        "its hash": f"Bearer {ApiKey.objects.get(prefix=prefix).hashed_key}",
        "two keys": f"Bearer {good} {good}",
        "NUL": f"Bearer {prefix}\0.{secret}",
        "no ASCII": f"Bearer {prefix}.ñandú",
        "SQL": "Bearer ' OR '1'='1",
        "very long": f"Bearer {'a' * 8000}.{'b' * 8000}",
        "revoked": f"Bearer {revoked}",
        "expired": f"Bearer {expired}",
    }


def test_without_a_key_every_door_is_401(hers: Alice) -> None:
    before = everything()
    wrong = {}
    for door in DOORS:
        for values in hers.parameters(door):
            answer = call(APIClient(), door, values)
            if (answer.status_code, answer.get("WWW-Authenticate")) != (401, "Bearer"):
                wrong[door] = answer.status_code
    assert wrong == {}
    assert everything() == before


def test_every_bad_signature_is_401_and_never_says_why(alice: Tenant) -> None:
    wrong, said = {}, set()
    for name, header in bad_signatures(alice).items():
        answer = signed(header).get("/api/v1/me")
        said.add(answer.content)
        if (answer.status_code, answer.get("WWW-Authenticate")) != (401, "Bearer"):
            wrong[name] = answer.status_code
    assert wrong == {}
    assert len(said) == 2, "malformed, or not valid"


def test_with_a_bad_key_every_door_is_401(hers: Alice) -> None:
    before = everything()
    headers = bad_signatures(hers.tenant)
    wrong = {}
    for name in ("no text", "unknown", "wrong secret", "revoked", "expired"):
        client = signed(headers[name])
        for door in DOORS:
            answer = call(client, door, hers.parameters(door)[0])
            if (answer.status_code, answer.get("WWW-Authenticate")) != (401, "Bearer"):
                wrong[name, door] = answer.status_code
    assert wrong == {}
    assert everything() == before


def test_a_suspended_tenants_key_opens_nothing(
    hers: Alice, client_of: Callable[..., APIClient]
) -> None:
    client = client_of(hers.tenant)
    Tenant.objects.filter(pk=hers.tenant.pk).update(is_active=False)
    wrong = {
        door: answer.status_code
        for door in DOORS
        if (answer := call(client, door, hers.parameters(door)[0])).status_code != 401
    }
    assert wrong == {}


def test_a_key_is_not_taken_from_the_query_or_a_cookie(alice: Tenant) -> None:
    _, good = key_of(alice)
    client = APIClient()
    client.cookies["Authorization"] = f"Bearer {good}"
    assert client.get("/api/v1/me", {"api_key": good, "authorization": good}).status_code == 401


def test_a_signed_in_user_of_the_admin_has_no_key(
    alice: Tenant, django_user_model: type[models.Model]
) -> None:
    client = APIClient()
    client.force_login(django_user_model.objects.create_superuser("root"))
    assert client.get("/api/v1/me").status_code == 401


# --- 403 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scopes", "doors", "missing"),
    [
        (("read",), WRITING, "write"),
        (("write",), READING, "read"),
        (("admin",), DOORS, ""),
    ],
)
def test_a_key_without_the_scope_is_403(
    scopes: tuple[str, ...],
    doors: list[Door],
    missing: str,
    hers: Alice,
    client_of: Callable[..., APIClient],
) -> None:
    before = everything()
    client = client_of(hers.tenant, *scopes)
    wrong = {}
    for door in doors:
        for values in [*hers.parameters(door), dict.fromkeys(["pk", "payment"], uuid.uuid4())]:
            if set(door.parameters) <= set(values):
                answer = call(client, door, values)
                right = answer.status_code == 403
                if right and missing and answer.content:
                    right = f"`{missing}`" in answer.content.decode()
                if not right:
                    wrong[door] = answer.status_code
    assert wrong == {}
    assert everything() == before


# --- 404 ----------------------------------------------------------------------------------------


def test_another_tenants_object_is_404_like_one_that_does_not_exist(
    hers: Alice, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    client = client_of(bob)
    before = everything()
    wrong = {}
    bodies = [{}, body(), {"reason": "A reason of bob's that is long enough"}, {"amount": "1.00"}]
    for door in OF_OBJECTS:
        nothing = call(client, door, dict.fromkeys(door.parameters, uuid.uuid4()))
        if door.method == "options":
            continue
        for values in hers.parameters(door):
            for data in bodies if door.method not in SAFE else [None]:
                answer = call(client, door, values, data)
                if answer.status_code != 404 or answer.content != nothing.content:
                    wrong[door] = answer.status_code, answer.content
    assert wrong == {}
    assert everything() == before


def test_another_tenants_part_of_ones_own_object_is_404(
    hers: Alice, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    """bob's document, alice's payment."""
    client = client_of(bob)
    mine = Alice.issued(client)
    before = everything()
    wrong = {}
    for door in OF_OBJECTS:
        if door.resource == "invoices" and len(door.parameters) > 1 and door.method != "options":
            for payment in hers.payments.values():
                answer = call(client, door, {"pk": mine.pk, "payment": payment.pk})
                if answer.status_code != 404:
                    wrong[door] = answer.status_code
    assert wrong == {}
    assert everything() == before


def test_no_list_shows_anything_of_another_tenant(
    hers: Alice, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    client = client_of(bob)
    for door in READING:
        if door.method == "get" and not door.parameters:
            for query in ("", "?page_size=200", f"?external_id=order-of-alice&number={'0' * 9}1"):
                answer = client.get(door.url({}) + query)
                assert answer.status_code in {200, 400}, (door, answer.content)
                shown = [text for text in hers.secrets() if text in answer.content.decode()]
                assert shown == [], door


def test_no_reference_reaches_into_another_tenant(
    hers: Alice, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    """In a body too, alice's ids are as good as invented ones, and nothing of hers is echoed."""
    client = client_of(bob)
    creating = [door for door in WRITING if door.method == "post" and not door.parameters]
    for door in creating:
        for name in ("invoice", "customer", "office", "document_id"):
            for pk in (hers.invoice.pk, hers.customer.pk, hers.tenant.main_office_id):
                answer = call(client, door, {}, body(**{name: str(pk)}))
                shown = answer.content.decode().replace(str(pk), "")
                assert answer.status_code in {400, 404, 409}, (door, name, answer.content)
                assert not [text for text in hers.secrets() if text in shown], (door, name)
    assert not Document.unscoped.filter(tenant=bob).exists()


def test_two_tenants_use_the_same_external_id_and_idempotency_key(
    hers: Alice, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    headers = {"Idempotency-Key": "the same", "Content-Type": "application/json"}
    answers = [
        client_of(tenant).post(
            "/api/v1/invoices", body(external_id="order-2"), headers=headers, format="json"
        )
        for tenant in (hers.tenant, bob)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].data["id"] != answers[1].data["id"]
    assert not answers[1].has_header("Idempotency-Replayed")


# --- 429 ----------------------------------------------------------------------------------------


def test_over_the_rate_every_door_is_429_and_says_when(
    hers: Alice, client_of: Callable[..., APIClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(hers.tenant)
    for throttle in (ApiKeyRate, EmailRate):
        monkeypatch.setattr(throttle, "rate", "0/min", raising=False)
    wrong = {}
    for door in DOORS:
        answer = call(client, door, hers.parameters(door)[0])
        if answer.status_code != 429 or not 1 <= int(answer.get("Retry-After", 0)) <= 60:
            wrong[door] = answer.status_code
    assert wrong == {}


def test_the_rate_is_each_keys_own(
    alice: Tenant, client_of: Callable[..., APIClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiKeyRate, "rate", "3/min", raising=False)
    first, second = client_of(alice), client_of(alice)
    assert [first.get("/api/v1/me").status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert second.get("/api/v1/me").status_code == 200


# --- what goes wrong inside -----------------------------------------------------------------------


def test_a_defect_of_ours_tells_nothing(api: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("the secret of alice")

    monkeypatch.setattr(InvoiceViewSet, "get_queryset", broken)
    api.raise_request_exception = False
    answer = api.get("/api/v1/invoices")
    assert answer.status_code == 500
    assert answer.data["errors"][0]["detail"] == "Server Error (500)"
    assert "secret" not in answer.content.decode()
    assert not BANNERS.search(answer.content.decode())


@pytest.mark.parametrize(
    "path", ["nope", "invoices/1", "invoices/%00", "invoices/", "me/", "ruc/", "../admin", "%ff"]
)
def test_a_path_that_is_no_door_is_404_and_tells_nothing(path: str, api: APIClient) -> None:
    answer = api.get(f"/{ROOT}{path}")
    assert answer.status_code in {404, 301, 302}
    assert not BANNERS.search(answer.content.decode())
    assert "urlpatterns" not in answer.content.decode().lower()


def test_a_method_that_a_route_does_not_have_is_405_behind_the_key(
    api: APIClient, hers: Alice
) -> None:
    allowed: dict[str, set[str]] = {}
    for door in DOORS:
        allowed.setdefault(door.route, set()).add(door.method)
    for route, known in allowed.items():
        for method in {"put", "patch", "delete", "post", "get"} - known:
            door = Door(route, method)
            assert call(api, door, hers.parameters(door)[0]).status_code == 405, door
            assert call(APIClient(), door, hers.parameters(door)[0]).status_code in {401, 405}


def test_no_body_makes_a_500(hers: Alice, api: APIClient) -> None:
    api.raise_request_exception = False
    contents = [b"", b"{", b"[]", b'"x"', b"null", b"\xff", b'{"a": "\\u0000"}', b"[" * 5000]
    wrong = {}
    for door in WRITING:
        if door.route.endswith("/refresh"):
            continue  # it reads no body, and would ask the PAC
        for content in contents:
            url = door.url(hers.parameters(door)[0])
            answer = api.generic(door.method.upper(), url, content, "application/json")
            if answer.status_code >= 500 or BANNERS.search(answer.content.decode()):
                wrong[door] = answer.status_code, content
    assert wrong == {}
