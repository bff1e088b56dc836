"""Views whose forms carry what nobody may read afterwards."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.debug import SafeExceptionReporterFilter
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables

View = Callable[..., HttpResponse]


class HideAlways(SafeExceptionReporterFilter):
    """Django's own shows everything while `DEBUG` is on."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True


def private(view: View) -> View:
    """A method whose error page and error report show neither its form nor any variable of what it
    calls, and whose answer no cache keeps."""
    guarded = method_decorator(never_cache)(
        method_decorator(sensitive_post_parameters())(sensitive_variables()(view))
    )

    @wraps(view)
    def hidden(self: Any, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
        request.exception_reporter_filter = HideAlways()
        answer: HttpResponse = guarded(self, request, *args, **options)
        return answer

    return hidden
