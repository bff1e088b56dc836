from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from tenants.log_context import add_to_log
from tenants.models import ApiKey, Tenant

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema

SECRETS = ("pac_token", "webhook_secret", "previous_webhook_secret")
LAST_USE_GRAIN = timedelta(minutes=1)


class ApiCaller:
    """Who calls: the API key's tenant. Stands where Django has a user."""

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def __init__(self, key: ApiKey) -> None:
        self.pk = key.pk
        self.key = key

    @property
    def tenant(self) -> Tenant:
        return self.key.tenant


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <api key>`: 401 for a key that is unknown, revoked, expired or whose
    tenant is suspended, without saying which."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[ApiCaller, ApiKey] | None:
        header = request.headers.get("Authorization", "")
        keyword, _, text = header.partition(" ")
        if not header:
            return None
        if keyword.lower() != self.keyword.lower() or not text.strip():
            raise AuthenticationFailed("Send `Authorization: Bearer <api key>`.")
        key = self.find(text.strip())
        if key is None:
            raise AuthenticationFailed("This API key is not valid.")
        self.note_use(key)
        add_to_log(tenant=key.tenant_id)
        return ApiCaller(key), key

    @staticmethod
    def find(text: str) -> ApiKey | None:
        prefix, _, _ = text.partition(".")
        if not text.isascii() or not prefix.isalnum():
            return None
        key = (
            ApiKey.objects.get_usable_keys()
            .select_related("tenant__main_office")
            # Encrypted, and of no use to a request: opening them costs more than finding them.
            .defer(*(f"tenant__{name}" for name in SECRETS))
            .filter(prefix=prefix, tenant__is_active=True)
            .first()
        )
        if key is None or not key.is_valid(text) or key.has_expired:
            return None
        return key

    @staticmethod
    def note_use(key: ApiKey) -> None:
        """Keeps `last_used_at` right to the minute, so that not every request writes."""
        now = timezone.now()
        if key.last_used_at is None or now - key.last_used_at > LAST_USE_GRAIN:
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)

    def authenticate_header(self, request: Request) -> str:
        return self.keyword


def key_of(request: Request) -> ApiKey:
    """The key that signed this request, behind `ApiKeyAuthentication` and `HasScope`."""
    return cast(ApiKey, request.auth)


class ApiKeyScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document speaks of it."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer"}
