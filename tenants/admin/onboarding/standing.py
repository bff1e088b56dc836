"""Where a tenant's onboarding stands, and what it waits for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tenants.models import Office, OnboardingStatus, Tenant

_ORDER = list(OnboardingStatus)
TITLES = (
    _("Empresa en el PAC"),
    _("Afiliación solicitada a la DGI"),
    _("El contribuyente acepta"),
    _("Sucursal"),
    _("Clave de API"),
)


class Need(StrEnum):
    """What the next step takes from a person; the wizard's page has a form for each."""

    COMPANY = "company"  # the certificates, and a look at the data
    RETRY = "retry"  # no more than a button
    ACCEPTANCE = "acceptance"
    OFFICE = "office"
    KEY = "key"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    number: int
    title: str | Promise
    state: str  # done, here, later


@dataclass(frozen=True, slots=True)
class Standing:
    steps: Sequence[Step]
    need: Need
    office: Office | None  # one that waits for the PAC
    is_under_way: bool  # another request or command may be at it right now

    @property
    def is_ready(self) -> bool:
        return self.need is Need.NOTHING


def standing(tenant: Tenant) -> Standing:
    """One query, for the office that waits for the PAC."""
    done = _ORDER.index(OnboardingStatus(tenant.onboarding_status))
    steps = [
        Step(number, title, "done" if number <= done else "here" if number == done + 1 else "later")
        for number, title in enumerate(TITLES, start=1)
    ]
    waiting = Office.objects.for_tenant(tenant).filter(pac_office_id="").first()
    leases = [tenant.pac_lease_expires_at, waiting.pac_lease_expires_at if waiting else None]
    return Standing(
        steps=steps,
        need=_need(tenant),
        office=waiting,
        is_under_way=any(lease and lease > timezone.now() for lease in leases),
    )


def _need(tenant: Tenant) -> Need:
    match OnboardingStatus(tenant.onboarding_status):
        case OnboardingStatus.STARTED:
            return Need.RETRY if tenant.pac_company_id else Need.COMPANY
        case OnboardingStatus.COMPANY_CREATED:
            return Need.RETRY
        case OnboardingStatus.AFFILIATION_REQUESTED:
            return Need.ACCEPTANCE
        case OnboardingStatus.AFFILIATED:
            return Need.OFFICE
        case OnboardingStatus.OFFICE_CREATED:
            return Need.KEY
        case OnboardingStatus.READY:
            return Need.NOTHING
