from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _
from rest_framework_api_key.models import AbstractAPIKey, BaseAPIKeyManager

from tenants.base import new_id

if TYPE_CHECKING:
    from tenants.models.tenant import Tenant


class Scope(models.TextChoices):
    READ = "read", _("Leer")
    WRITE = "write", _("Escribir")


class ApiKeyManager(BaseAPIKeyManager):
    """Keeps the UUID as primary key: the library's own would put the hash into it."""

    def assign_key(self, obj: Any) -> str:
        key, prefix, hashed_key = self.key_generator.generate()
        obj.prefix = prefix
        obj.hashed_key = hashed_key
        return key

    def issue(
        self, *, tenant: Tenant, name: str, scopes: Iterable[str] = Scope.values
    ) -> tuple[ApiKey, str]:
        """A new key of `tenant`, and its text: the only time that anyone sees it."""
        return self.create_key(tenant=tenant, name=name, scopes=sorted(set(scopes)))  # type: ignore[return-value]


class ApiKey(AbstractAPIKey):
    """What a tenant's program signs in with: hashed (SHA-512), scoped, revocable for good."""

    id = models.UUIDField(  # type: ignore[assignment]  # text in the library
        primary_key=True, default=new_id, editable=False
    )
    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.PROTECT,
        related_name="api_keys",
        verbose_name=_("contribuyente"),
    )
    scopes = models.JSONField(_("permisos"), default=list)
    last_used_at = models.DateTimeField(_("último uso"), null=True, editable=False)

    objects = ApiKeyManager()  # type: ignore[misc, assignment]  # ours keeps the UUID

    class Meta(AbstractAPIKey.Meta):
        verbose_name = _("clave de API")  # type: ignore[assignment]
        verbose_name_plural = _("claves de API")  # type: ignore[assignment]

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes
