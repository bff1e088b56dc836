"""The API key: who it lets in, and to what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from tenants.api.throttling import ApiKeyRate
from tenants.models import ApiKey, Tenant

pytestmark = pytest.mark.django_db

ME = "/api/v1/me"


@pytest.fixture
def issued(alice: Tenant) -> tuple[ApiKey, str]:
    """A key of alice's and its text."""
    return ApiKey.objects.issue(tenant=alice, name="tests")


def get(authorization: str | None, path: str = ME) -> Any:
    headers = {} if authorization is None else {"HTTP_AUTHORIZATION": authorization}
    return APIClient(raise_request_exception=False).get(path, **headers)


def code(response: Any) -> str:
    [error] = response.json()["errors"]
    return str(error["code"])


def test_a_key_lets_its_tenant_in(issued: tuple[ApiKey, str], alice: Tenant) -> None:
    response = get(f"Bearer {issued[1]}")
    assert (response.status_code, response.json()["id"]) == (200, str(alice.pk))
    assert get(f"bearer {issued[1]}").status_code == 200
    assert get(f"Bearer  {issued[1]} ").status_code == 200


@pytest.mark.parametrize(
    "authorization",
    [
        *(None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token {key}", "{key}"),
        *("Bearer {key}x", "Bearer x{key}", "Bearer {prefix}", "Bearer {prefix}.", "Bearer ."),
        *(
            "Bearer {prefix}.wrong",
            "Bearer {key} {key}",
            "Bearer é",
            "Bearer \ud83e".encode("utf-8", "replace").decode(),
            "Bearer " + "x" * 5000,
            "Bearer {upper}",
        ),
    ],
)
def test_anything_else_is_401_and_says_how_to_sign_in(
    authorization: str | None, issued: tuple[ApiKey, str]
) -> None:
    key, text = issued
    if authorization is not None:
        authorization = authorization.format(key=text, prefix=key.prefix, upper=text.swapcase())
    response = get(authorization)
    assert response.status_code == 401, authorization
    assert response["WWW-Authenticate"] == "Bearer"
    assert code(response) in {"not_authenticated", "authentication_failed"}


@pytest.mark.parametrize("ended", ["revoked", "expired", "suspended", "deleted"])
def test_a_key_that_ended_is_refused_without_saying_why(
    ended: str, issued: tuple[ApiKey, str], alice: Tenant
) -> None:
    key, text = issued
    match ended:
        case "revoked":
            key.revoked = True
            key.save()
        case "expired":
            key.expiry_date = timezone.now() - timedelta(seconds=1)
            key.save()
        case "suspended":
            alice.is_active = False
            alice.save()
        case "deleted":
            key.delete()
    response = get(f"Bearer {text}")
    assert (response.status_code, code(response)) == (401, "authentication_failed")
    assert response.content == get("Bearer never.heardof").content


def test_a_key_is_stored_as_a_hash_and_shown_once(issued: tuple[ApiKey, str]) -> None:
    key, text = issued
    stored = ApiKey.objects.filter(pk=key.pk).values().get()
    secret = text.partition(".")[2]
    assert all(secret not in str(value) for value in stored.values())
    assert stored["hashed_key"].startswith("sha512$$")
    assert text.startswith(f"{key.prefix}.")


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"),
    [(["read"], 200, 403), (["write"], 403, 400), (["read", "write"], 200, 400), ([], 403, 403)],
)
def test_a_scope_opens_its_own_verbs_only(
    scopes: list[str], reads: int, writes: int, alice: Tenant
) -> None:
    _, text = ApiKey.objects.issue(tenant=alice, name="x", scopes=scopes)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    assert client.get("/api/v1/invoices").status_code == reads
    assert client.post("/api/v1/invoices", {}).status_code == writes
    response = client.get("/api/v1/invoices")
    if reads == 403:
        assert code(response) == "permission_denied"


def test_the_last_use_is_right_to_the_minute_and_written_no_oftener(
    issued: tuple[ApiKey, str],
) -> None:
    key, text = issued
    get(f"Bearer {text}")
    key.refresh_from_db()
    first = key.last_used_at
    assert first is not None
    with CaptureQueriesContext(connection) as context:
        get(f"Bearer {text}")
    assert not [query for query in context.captured_queries if "UPDATE" in query["sql"]]
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(seconds=61))
    get(f"Bearer {text}")
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert key.last_used_at >= first


def test_a_refused_key_leaves_no_last_use(issued: tuple[ApiKey, str]) -> None:
    key, text = issued
    get(f"Bearer {text}x")
    key.refresh_from_db()
    assert key.last_used_at is None


def test_each_key_has_a_rate_of_its_own(
    issued: tuple[ApiKey, str], alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ApiKeyRate, "THROTTLE_RATES", {"api_key": "2/min"})
    _, other = ApiKey.objects.issue(tenant=alice, name="other")
    for _ in range(2):
        assert get(f"Bearer {issued[1]}").status_code == 200
    response = get(f"Bearer {issued[1]}")
    assert (response.status_code, code(response)) == (429, "throttled")
    assert 0 < int(response["Retry-After"]) <= 60
    assert get(f"Bearer {other}").status_code == 200
