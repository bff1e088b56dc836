"""Onboarding: a taxpayer becomes an issuer at the PAC, in five steps that can be resumed.

    STARTED ─▶ COMPANY_CREATED ─▶ AFFILIATION_REQUESTED ─▶ AFFILIATED ─▶ OFFICE_CREATED ─▶ READY
            1                  2                        3             4                 5

`Tenant.onboarding_status` is the last step that is done, `onboarding_error` what the PAC said when
the next one failed. Running it again continues there and creates nothing twice, whatever broke in
between: an answer that was lost, a kill -9 at any moment, another run at the same time (`once`).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pac.errors import PacError
from tenants.errors import OnboardingHalted
from tenants.models import Office, Tenant
from tenants.pac import pac_client
from tenants.services.certificates import Certificate, Certificates
from tenants.services.logo import store_logo
from tenants.services.onboarding.data import CompanyData, OfficeData
from tenants.services.onboarding.registration import Known, known, register
from tenants.services.onboarding.series import raise_series
from tenants.services.onboarding.steps import STEPS, Progress, Run

__all__ = [
    "Certificate",
    "Certificates",
    "CompanyData",
    "Known",
    "OfficeData",
    "Onboarded",
    "Progress",
    "known",
    "onboard",
    "raise_series",
]

# A certificate that a PAC echoes in its complaint; ids and RUCs are shorter.
_BASE64 = re.compile(r"[A-Za-z0-9+/=]{40,}")


@dataclass(frozen=True, slots=True)
class Onboarded:
    """A tenant that is ready. `api_key` is the text of its first key, in the run that made it."""

    tenant: Tenant
    office: Office
    api_key: str = field(default="", repr=False)


def _ignore(_: object) -> None:
    """Nobody listens."""


def onboard(
    *,
    company: CompanyData,
    office: OfficeData | None = None,
    certificates: Certificates | None = None,
    first_number: int | None = None,
    pac_company_id: str = "",
    tell: Callable[[Progress], object] = _ignore,
    confirm: Callable[[str], object] = _ignore,
    sleep: Callable[[float], object] = time.sleep,
) -> Onboarded:
    """Take a taxpayer from where it stands to `READY`.

    `office` may be left out where an earlier run stored one, `certificates` once the PAC has the
    company (or `pac_company_id` names it). `first_number` raises the number series of every DGI
    document type, also of a tenant that is ready long since. `tell` hears what happens; `confirm`
    is called with the QR before the affiliation is finished, and may wait for the taxpayer.

    Raises `ValidationError` with every fault at once, by field, and nothing is stored then;
    `OnboardingHalted` where a step failed or waits for a person, after recording why. Must not be
    called inside a transaction.
    """
    registration = register(
        company=company,
        office=office,
        certificates=certificates,
        first_number=first_number,
        pac_company_id=pac_company_id,
    )
    run = Run(
        tenant=registration.tenant,
        office=registration.office,
        client=pac_client(registration.tenant),
        certificates=certificates,
        pac_company_id=pac_company_id,
        tell=tell,
        confirm=confirm,
        sleep=sleep,
    )
    if registration.left:
        run.say(f"Settled already, left as registered: {', '.join(registration.left)}.")
    if warning := store_logo(run.tenant):
        run.say(warning, is_warning=True)
    for run.step, title, step in STEPS:
        try:
            step(run)
        except PacError as error:
            words = _without_secrets(error.message, certificates)
            _record(run.tenant, words)
            # Without its cause, whose text may quote what was sent.
            raise OnboardingHalted(
                f"Step {run.step} of 5 ({title}) failed. The PAC says: {words} "
                "Run again to continue there."
            ) from None
        except OnboardingHalted as halted:
            _record(run.tenant, halted.message)
            raise
    if run.tenant.onboarding_error:
        _record(run.tenant, "")
    return Onboarded(run.tenant, run.office, run.api_key)


def _record(tenant: Tenant, error: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(onboarding_error=error)
    tenant.onboarding_error = error


def _without_secrets(words: str, certificates: Certificates | None) -> str:
    for password in certificates.passwords() if certificates else ():
        words = words.replace(password, "***")
    return _BASE64.sub("***", words)
