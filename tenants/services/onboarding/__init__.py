"""Onboarding: a taxpayer becomes an issuer at the PAC, in five steps that can be resumed.

    STARTED ─▶ COMPANY_CREATED ─▶ AFFILIATION_REQUESTED ─▶ AFFILIATED ─▶ OFFICE_CREATED ─▶ READY
            1                  2                        3             4                 5

`Tenant.onboarding_status` is the last step that is done, `onboarding_error` what the PAC said when
the next one failed, or the `Halt` that it stands before. Running it again, from the command or from
the admin, continues there and creates nothing twice, whatever broke in between: an answer that was
lost, a kill -9 at any moment, another run at the same time (`once`).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pac.errors import PacError
from tenants.errors import OnboardingHalted
from tenants.models import Office, Tenant
from tenants.services.certificates import Certificate, Certificates, without_secrets
from tenants.services.logo import store_logo
from tenants.services.onboarding.data import CompanyData, OfficeData
from tenants.services.onboarding.registration import (
    LAST_STEP,
    OFFICE_STEP,
    Known,
    find_faults,
    known,
    register,
)
from tenants.services.onboarding.run import LONGEST_CALL, PASSING, Halt, Progress, Run
from tenants.services.onboarding.series import SeriesBeyond, raise_series
from tenants.services.onboarding.steps import STEPS

__all__ = [
    "LAST_STEP",
    "OFFICE_STEP",
    "Certificate",
    "Certificates",
    "CompanyData",
    "Halt",
    "Known",
    "OfficeData",
    "Onboarded",
    "Progress",
    "SeriesBeyond",
    "find_faults",
    "known",
    "onboard",
    "raise_series",
]


@dataclass(frozen=True, slots=True)
class Onboarded:
    """Where a run ended. `office` is None where it ended before the office and there is none yet,
    `api_key` the text of the first key, in the run that made it."""

    tenant: Tenant
    office: Office | None
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
    last_step: int = LAST_STEP,
    time_limit: float | None = None,
    tell: Callable[[Progress], object] = _ignore,
    confirm: Callable[[str], object] = _ignore,
    sleep: Callable[[float], object] = time.sleep,
) -> Onboarded:
    """Take a taxpayer from where it stands to `last_step`, by itself `READY`.

    `office` may be left out where an earlier run stored one or `last_step` comes before it,
    `certificates` once the PAC has the company (or `pac_company_id` names it). `first_number`
    raises the number series of every DGI document type, also of a tenant that is ready long since.
    `tell` hears what happens; `confirm` is called with the QR before the affiliation is finished,
    and may wait for the taxpayer. With a `time_limit` in seconds the run ends before that, and
    halts where it would have to wait for another.

    Raises `ValidationError` with every fault at once, by field, and nothing is stored then;
    `OnboardingHalted` where a step failed or waits for a person, after recording why. Must not be
    called inside a transaction.
    """
    ends_at = None if time_limit is None else time.monotonic() + time_limit
    registration = register(
        company=company,
        office=office,
        certificates=certificates,
        first_number=first_number,
        pac_company_id=pac_company_id,
        last_step=last_step,
    )
    run = Run(
        tenant=registration.tenant,
        office=registration.office,
        certificates=certificates,
        pac_company_id=pac_company_id,
        tell=tell,
        confirm=confirm,
        sleep=sleep,
        ends_at=ends_at,
    )
    if registration.left:
        run.say(f"Settled already, left as registered: {', '.join(registration.left)}.")
    if warning := store_logo(run.tenant, deadline=None if ends_at is None else LONGEST_CALL):
        run.say(warning, is_warning=True)
    for number, title, step in STEPS:
        if number > last_step:
            break
        try:
            run.begin(number)
            step(run)
        except PacError as error:
            words = without_secrets(error.message, certificates)
            _record(run.tenant, words)
            # Without its cause, whose text may quote what was sent.
            raise OnboardingHalted(
                f"Step {number} of 5 ({title}) failed. The PAC says: {words} "
                "Run again to continue there.",
                Halt.PAC_FAILED,
                words,
            ) from None
        except OnboardingHalted as halted:
            if halted.reason not in PASSING:
                _record(run.tenant, halted.said or halted.reason)
            raise
    if run.tenant.onboarding_error:
        _record(run.tenant, "")
    return Onboarded(run.tenant, run.office, run.api_key)


def _record(tenant: Tenant, error: str) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(onboarding_error=error)
    tenant.onboarding_error = error
