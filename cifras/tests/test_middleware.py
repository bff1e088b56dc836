"""A request's name in the log, what is refused before its body is read, and the API's language."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from rest_framework.test import APIClient

from cifras.middleware import DOCUMENT_LIMIT, JSON_LIMIT, MULTIPART_LIMIT, BodyLimit
from cifras.tests.captured import capturing
from conftest import body
from tenants.models import Tenant

INVOICES = "/api/v1/invoices"
ELSEWHERE = "/api/v1/customers"
MULTIPART = "multipart/form-data; boundary=x"


def answer(path: str, content_type: str = "application/json", **meta: Any) -> HttpResponse:
    """What the middleware makes of a request; 200 where it lets it through."""
    request = RequestFactory().generic("POST", path, b"{}", content_type)
    request.META.update(meta)
    return BodyLimit(lambda _: HttpResponse(status=200))(request)


@pytest.mark.parametrize(
    ("path", "content_type", "limit"),
    [
        (INVOICES, "application/json", DOCUMENT_LIMIT),
        ("/api/v1/credit-notes", "application/json", DOCUMENT_LIMIT),
        ("/api/v1/debit-notes", "application/json", DOCUMENT_LIMIT),
        (ELSEWHERE, "application/json", JSON_LIMIT),
        (f"{INVOICES}/import", MULTIPART, MULTIPART_LIMIT),
        ("/api/nowhere", "text/plain", JSON_LIMIT),
    ],
)
def test_each_kind_of_body_has_its_limit(path: str, content_type: str, limit: int) -> None:
    assert answer(path, content_type, CONTENT_LENGTH=str(limit)).status_code == 200
    refused = answer(path, content_type, CONTENT_LENGTH=str(limit + 1))
    assert refused.status_code == 413
    assert b"body_too_large" in refused.content


@pytest.mark.parametrize("announced", ["-1", "1e3", "12 ", "٣", "0x10"])
def test_a_length_that_is_no_number_is_refused(announced: str) -> None:
    refused = answer(INVOICES, CONTENT_LENGTH=announced)
    assert refused.status_code == 400
    assert b"invalid_content_length" in refused.content


def test_a_length_of_five_thousand_digits_is_refused_without_counting_it() -> None:
    assert answer(INVOICES, CONTENT_LENGTH="9" * 5000).status_code == 413


def test_a_body_of_unknown_size_is_refused() -> None:
    refused = answer(INVOICES, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert refused.status_code == 411
    assert b"length_required" in refused.content


def test_a_request_without_a_body_needs_no_length() -> None:
    assert answer(INVOICES, CONTENT_LENGTH="").status_code == 200


@pytest.mark.parametrize("path", ["/webhooks/pac/X", "/admin/", "/healthz"])
def test_it_minds_the_api_alone(path: str) -> None:
    assert answer(path, CONTENT_LENGTH=str(MULTIPART_LIMIT * 2)).status_code == 200


def test_the_refusal_has_the_shape_of_the_apis_errors(api: APIClient) -> None:
    response = api.post(INVOICES, {"notes": "x" * DOCUMENT_LIMIT})
    assert response.status_code == 413
    assert response.json() == {
        "type": "client_error",
        "errors": [
            {
                "code": "body_too_large",
                "detail": f"The body has {DOCUMENT_LIMIT + 12} bytes; "
                f"at most {DOCUMENT_LIMIT} are accepted here.",
                "attr": None,
            }
        ],
    }


@pytest.mark.parametrize(("path", "language"), [("/api/v1/me", "en"), ("/admin/", "es")])
def test_the_api_speaks_english_and_the_rest_spanish(
    rf: RequestFactory, path: str, language: str
) -> None:
    from cifras.middleware import Language

    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(translation.get_language())
        return HttpResponse()

    Language(view)(rf.get(path))
    assert seen == [language]
    assert translation.get_language() == "es"


# --- the request's id, and its line in the log ----------------------------------------------------


@pytest.mark.parametrize("given", ["a", "x" * 64, "0b5e-1.A_z"])
def test_a_decent_id_of_the_callers_is_taken_over(client: Client, given: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] == given


@pytest.mark.parametrize(
    "given", ["", "x" * 65, "a b", "ñ", "a\n", "a;b", '"><script>', "../../etc", "٣"]
)
def test_any_other_is_replaced_by_a_new_one(client: Client, given: str) -> None:
    first, second = (
        client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] for _ in range(2)
    )
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/api/v1/me", 401),
        ("get", "/api/v1/nowhere", 404),
        ("get", "/nowhere", 404),
        ("get", "/admin/", 302),
        ("post", "/webhooks/pac/unknown", 404),
        ("get", "/webhooks/pac/unknown", 405),
        ("get", "/readyz", 503),
    ],
)
def test_every_answer_carries_the_id(client: Client, method: str, path: str, status: int) -> None:
    answer = getattr(client, method)(path, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer["X-Request-ID"]) == (status, "mine")


def test_what_is_refused_before_any_view_carries_it_too(client: Client) -> None:
    answer = client.post(
        INVOICES, b"{}", content_type="text/plain", CONTENT_LENGTH="9" * 9, HTTP_X_REQUEST_ID="mine"
    )
    assert (answer.status_code, answer["X-Request-ID"]) == (413, "mine")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """`/api/v1/me` has a defect."""

    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("tenants.api.views.MeView.get", fail)


def test_an_error_of_ours_carries_it_and_so_does_every_line_about_it(
    alice: Tenant,
    client_of: Callable[[Tenant], APIClient],
    broken: None,
) -> None:
    api = client_of(alice)
    api.raise_request_exception = False
    with capturing() as captured:
        answer = api.get("/api/v1/me?ruc=8-274-125", headers={"X-Request-ID": "mine"})
    lines = captured.records
    assert (answer.status_code, answer["X-Request-ID"]) == (500, "mine")
    assert {(line["request_id"], line["tenant"]) for line in lines} == {("mine", str(alice.pk))}
    assert any("RuntimeError: a defect" in line.get("exception", "") for line in lines)
    (access,) = captured.of("cifras.access")
    told = {name: access[name] for name in ("method", "path", "status")}
    assert told == {"method": "GET", "path": "/api/v1/me", "status": 500}
    assert access["ms"] >= 0


def test_one_line_a_request_names_the_document_of_the_route(api: APIClient) -> None:
    made = api.post(INVOICES, body()).data["id"]
    with capturing() as captured:
        api.get(f"{INVOICES}/{made}")
        api.get("/api/v1/me")
    lines = captured.of("cifras.access")
    assert [line.get("document") for line in lines] == [made, None]
