"""`/metrics`: what Prometheus reads, and who may."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from cifras.collector import Books

# A proxy on this machine speaks for others: what came through one is not from here.
FORWARDED = ("X-Forwarded-For", "X-Real-IP", "Forwarded", "Via")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Every metric, as text. 401 without `METRICS_TOKEN` where one is set; where none is, 403 but
    for callers on this machine that came directly. 503 while the database does not answer."""
    refusal = _refusal(request)
    if refusal:
        return refusal
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Books())
    try:
        return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)
    except DatabaseError:
        return _plain(503, "The database does not answer.")


def _refusal(request: HttpRequest) -> HttpResponse | None:
    if settings.METRICS_TOKEN:
        expected = f"Bearer {settings.METRICS_TOKEN}"
        if constant_time_compare(request.headers.get("Authorization", ""), expected):
            return None
        refused = _plain(401, "Unauthorized")
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    return None if _came_from_here(request) else _plain(403, "Forbidden")


def _came_from_here(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    try:
        peer = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:  # a socket of the file system: whoever is behind it may speak for anybody
        return False
    mapped = peer.ipv4_mapped if isinstance(peer, ipaddress.IPv6Address) else None
    return (mapped or peer).is_loopback


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")
