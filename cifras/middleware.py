"""What happens to a request around any view: its name in the log, its size, its language."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation

from tenants.log_context import add_to_log, log_context

KIB = 1024
MIB = 1024 * KIB
JSON_LIMIT = 1 * MIB
DOCUMENT_LIMIT = 2 * MIB
MULTIPART_LIMIT = 10 * MIB
DOCUMENT_PATHS = ("/api/v1/invoices", "/api/v1/credit-notes", "/api/v1/debit-notes")

REQUEST_ID = "X-Request-ID"

GetResponse = Callable[[HttpRequest], HttpResponse]

access = logging.getLogger("cifras.access")


class RequestLog:
    """Gives the request its id, and the log one line about it when it is answered.

    `X-Request-ID` is the caller's own where it has 1 to 64 of `A-Za-z0-9._-`, otherwise a new one;
    it is on the response, whatever that is, and on every log line of the request. The outermost
    middleware: what the others refuse is logged too.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request)
        started = time.monotonic()
        with log_context(request_id=request_id):
            response = self.get_response(request)
            response[REQUEST_ID] = request_id
            ms = round((time.monotonic() - started) * 1000)
            status = response.status_code
            access.info(
                "%s %s %d in %d ms",
                request.method,
                request.path,
                status,
                ms,
                # Without the query, which may hold whatever people search for.
                extra={"method": request.method, "path": request.path, "status": status, "ms": ms},
            )
        return response

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: Mapping[str, Any]
    ) -> None:
        """The object of a route with an id is what its lines are about."""
        if request.path.startswith(DOCUMENT_PATHS) and "pk" in kwargs:
            add_to_log(document=kwargs["pk"])


def request_id_of(request: HttpRequest) -> str:
    """The caller's id of this request where it is a decent one, else one of ours."""
    given = request.headers.get(REQUEST_ID, "")
    return given if re.fullmatch(r"[A-Za-z0-9._-]{1,64}", given) else uuid.uuid4().hex


class BodyLimit:
    """Refuses a body of the API by its announced size, before a byte of it is read.

    411 where no size is announced, 413 where it is over the limit of its kind.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path.startswith("/api/"):
            refusal = self.refusal(request)
            if refusal:
                return refusal
        return self.get_response(request)

    def refusal(self, request: HttpRequest) -> HttpResponse | None:
        announced = request.META.get("CONTENT_LENGTH") or ""
        if not announced:
            if request.META.get("HTTP_TRANSFER_ENCODING"):
                return error(411, "length_required", "Send a Content-Length header.")
            return None
        if not announced.isascii() or not announced.isdigit():
            return error(400, "invalid_content_length", "Content-Length is not a number.")
        limit = limit_of(request)
        if len(announced) > 12 or int(announced) > limit:
            return error(
                413,
                "body_too_large",
                f"The body has {announced} bytes; at most {limit} are accepted here.",
            )
        return None


def limit_of(request: HttpRequest) -> int:
    """The largest body, in bytes, that this request may have."""
    if (request.content_type or "").startswith("multipart/"):
        return MULTIPART_LIMIT
    if request.path.startswith(DOCUMENT_PATHS):
        return DOCUMENT_LIMIT
    return JSON_LIMIT


def error(status: int, code: str, detail: str) -> JsonResponse:
    """An error in the one shape that the API has for them."""
    errors = [{"code": code, "detail": detail, "attr": None}]
    return JsonResponse({"type": "client_error", "errors": errors}, status=status)


class Language:
    """The API speaks English. The rest of the site speaks the language that its visitor chose in
    it, which a cookie keeps, and before that Spanish, whatever the browser asks for."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(language_of(request)):
            return self.get_response(request)


def language_of(request: HttpRequest) -> str:
    if request.path.startswith("/api/"):
        return "en"
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    return chosen if chosen in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
