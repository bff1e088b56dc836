from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from tenants.api.authentication import key_of


class ApiKeyRate(SimpleRateThrottle):
    """`API_RATE` requests for each key. Without Redis each web process counts for itself."""

    scope = "api_key"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.auth is None:
            return None
        return self.cache_format % {"scope": self.scope, "ident": request.auth.pk}


class EmailRate(SimpleRateThrottle):
    """E-mails that a tenant's programs may ask for: a leaked key must not become a spam gun."""

    scope = "email"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        if request.auth is None:
            return None
        return self.cache_format % {"scope": self.scope, "ident": key_of(request).tenant_id}
