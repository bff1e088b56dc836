"""What is refused before a byte of the body is read, and the API's language."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils import translation
from rest_framework.test import APIClient

from cifras.middleware import DOCUMENT_LIMIT, JSON_LIMIT, MULTIPART_LIMIT, BodyLimit

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
    from cifras.middleware import EnglishApi

    seen = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(translation.get_language())
        return HttpResponse()

    EnglishApi(view)(rf.get(path))
    assert seen == [language]
    assert translation.get_language() == "es"
