"""What happens to a request before any view: its size, and the language of the answer."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import translation

KIB = 1024
MIB = 1024 * KIB
JSON_LIMIT = 1 * MIB
DOCUMENT_LIMIT = 2 * MIB
MULTIPART_LIMIT = 10 * MIB
DOCUMENT_PATHS = ("/api/v1/invoices", "/api/v1/credit-notes", "/api/v1/debit-notes")

GetResponse = Callable[[HttpRequest], HttpResponse]


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


class EnglishApi:
    """The API speaks English; the rest of the site is Spanish."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith("/api/"):
            return self.get_response(request)
        with translation.override("en"):
            return self.get_response(request)
