"""What every table has in common: time-ordered ids, and an owner that is never forgotten."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

if TYPE_CHECKING:
    from tenants.models import Tenant


def new_id() -> uuid.UUID:
    """A version 7 UUID: unique without asking the database, and ordered by time in its indexes."""
    return uuid7()


class UnscopedQueryError(RuntimeError):
    """A query over a tenant's table that does not say whose rows it wants."""


class TenantManager(models.Manager[Any]):
    """Rows of one tenant: `Model.objects.for_tenant(tenant)`. Anything else raises.

    Workers and the admin, which look after every tenant, say so by using `Model.unscoped`.
    """

    def get_queryset(self) -> models.QuerySet[Any]:
        raise UnscopedQueryError(
            f"{self.model.__name__}.objects needs .for_tenant(tenant); "
            f"use {self.model.__name__}.unscoped where every tenant is meant."
        )

    def for_tenant(self, tenant: Tenant) -> models.QuerySet[Any]:
        return super().get_queryset().filter(tenant=tenant)


class Identified(models.Model):
    """A row with a time-ordered id that knows when it was made and last changed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(_("creado"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("actualizado"), default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def save(self, *args: Any, **options: Any) -> None:
        if not self._state.adding:
            self.updated_at = timezone.now()
        super().save(*args, **options)


class TenantOwned(Identified):
    """A row that belongs to one tenant, which nobody else may see."""

    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.PROTECT,
        verbose_name=_("contribuyente"),
        related_name="+",
    )

    objects = TenantManager()
    unscoped = models.Manager()  # noqa: DJ012 (a manager too, of another name)

    class Meta:
        abstract = True
        default_manager_name = "unscoped"
