"""What holds for every page of the admin: how long a session lasts, and what a browser may do."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control

OPENED, SEEN = "opened_at", "seen_at"  # seconds, in the session
GRAIN = 60  # a session is written once in so many seconds, not at every page

# Alpine evaluates the expressions in unfold's attributes, and its pages carry scripts of their own.
POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'self'",
    )
)


class StaffPages:
    """Ends a session `SESSION_COOKIE_AGE` after its last page, and `SESSION_LONGEST` after its
    first. Nothing of the admin stays in a cache, and its pages load and send to nowhere else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(reverse("admin:index")):
            return self.get_response(request)
        _keep_or_end(request)
        response = self.get_response(request)
        patch_cache_control(response, no_store=True, private=True)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Security-Policy", POLICY)
        return response


def _keep_or_end(request: HttpRequest) -> None:
    session, now = request.session, int(time.time())
    if SESSION_KEY not in session:
        return
    opened, seen = session.setdefault(OPENED, now), session.get(SEEN, 0)
    if now - opened > settings.SESSION_LONGEST:
        logout(request)
    elif now - seen >= GRAIN:
        session[SEEN] = now
