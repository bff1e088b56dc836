"""Errors outside of any view: the API's in the API's shape, the others as pages."""

from django.http import HttpRequest, HttpResponse
from django.views import defaults

from cifras.middleware import error


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return error(400, "bad_request", "The request could not be read.")
    return defaults.bad_request(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return error(404, "not_found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return error(500, "error", "An error of ours; it was logged. The request may be repeated.")
    return defaults.server_error(request)
