"""New certificates for a company that the PAC has: looked at, handed over, kept nowhere."""

from django.core.exceptions import ValidationError
from django.utils import timezone

from pac.errors import PacError
from tenants.errors import Conflict
from tenants.models import Tenant
from tenants.pac import pac_client
from tenants.services.certificates import Certificates, first_end, without_secrets
from tenants.services.onboarding.data import certificates_by_field


def renew_certificates(
    tenant: Tenant, certificates: Certificates, *, deadline: float | None = None
) -> None:
    """Hand the PAC new certificates and note on which day the first of them ends.

    Sending them again does no harm: after a lost answer that is what to do. Raises
    `ValidationError` with every fault by field before anything is sent, `Conflict` (`no_company`)
    and `PacError` with the PAC's words, without what was sent. Not inside a transaction.
    """
    if not tenant.pac_company_id:
        raise Conflict("no_company", "The PAC does not have this company yet: onboard it first.")
    if found := certificates_by_field(certificates, timezone.now()):
        raise ValidationError(found)
    client = pac_client(tenant, deadline=deadline)
    try:
        client.update_company(tenant.pac_company_id, {"certificates": certificates.wire()})
    except PacError as error:
        words = without_secrets(error.message, certificates)
        raise type(error)(words, status=error.status) from None
    Tenant.objects.filter(pk=tenant.pk).update(certificates_expire_on=first_end(certificates))
