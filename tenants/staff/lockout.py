"""Who fails to sign in too often is locked out, by account and by address (django-axes)."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _


class Handler(AxesDatabaseHandler):
    """As the library's, but a success forgives its own account only. The library would forgive the
    address too, and with it the failures there at other accounts: somebody with a password of his
    own could go on guessing a colleague's for ever."""

    def reset_user_attempts(
        self, request: HttpRequest, credentials: Mapping[str, Any] | None = None
    ) -> int:
        username = (credentials or {}).get("username")
        count: int = AccessAttempt.objects.filter(username=username).delete()[0]
        return count


def client_address(request: HttpRequest) -> str | None:
    """The address that a request came from, as the outermost of our own proxies saw it.

    Each of the `PROXIES` appends to X-Forwarded-For whom it was called by; what stands further left
    was written by the client and may be anything. Of an IPv6 address the network (/64) counts,
    since one machine has all of it.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    if settings.PROXIES:
        seen = [each.strip() for each in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        if len(seen) >= settings.PROXIES and _parsed(seen[-settings.PROXIES]):
            peer = seen[-settings.PROXIES]
    address = _parsed(peer)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address) if address else None


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))  # without a zone
    return address


def locked_out(
    request: HttpRequest, response: HttpResponse, credentials: Mapping[str, Any]
) -> HttpResponse:
    """The page instead of another try."""
    pause = settings.AXES_COOLOFF_TIME
    context = {
        **admin.site.each_context(request),
        "title": _("Entrada bloqueada"),
        "minutes": int(pause.total_seconds() // 60),
    }
    page = TemplateResponse(request, "admin/locked_out.html", context, status=429)
    page.headers["Retry-After"] = str(int(pause.total_seconds()))
    return page.render()
