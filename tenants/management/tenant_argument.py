from django.core.management.base import CommandError

from tenants.models import Tenant


def tenant_by_ruc(ruc: str, ruc_type: str | None = None) -> Tenant:
    """The tenant that a command line names.

    Raises `CommandError` for a RUC that nobody has, and for one that two tenants have (as natural
    and as juridical person) while no type is given.
    """
    tenants = Tenant.objects.filter(ruc=ruc.strip().upper())
    if ruc_type:
        tenants = tenants.filter(ruc_type=ruc_type)
    found = list(tenants[:2])
    if not found:
        kind = f" ({ruc_type})" if ruc_type else ""
        raise CommandError(f"No tenant has the RUC {ruc}{kind}. onboard_tenant makes one.")
    if len(found) > 1:
        raise CommandError(
            f"Two tenants have the RUC {ruc}: say which with --ruc-type NATURAL or JURIDICO."
        )
    return found[0]
