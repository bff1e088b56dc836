"""Closing the door to a tenant's programs, and opening it again."""

from tenants.errors import Conflict
from tenants.models import Tenant


def suspend(tenant: Tenant) -> None:
    """The tenant's API keys no longer enter; what it issued before is sent and followed to its end.

    Raises `Conflict` (`already_suspended`).
    """
    _switch(tenant, active=False)


def resume(tenant: Tenant) -> None:
    """The tenant's API keys enter again. Raises `Conflict` (`not_suspended`)."""
    _switch(tenant, active=True)


def _switch(tenant: Tenant, *, active: bool) -> None:
    if not Tenant.objects.filter(pk=tenant.pk, is_active=not active).update(is_active=active):
        if active:
            raise Conflict("not_suspended", f"{tenant} is not suspended.")
        raise Conflict("already_suspended", f"{tenant} is suspended already.")
    tenant.is_active = active
