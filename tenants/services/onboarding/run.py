"""One run over the steps: what it works on, how long it may take, whom it tells."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.db import transaction

from pac.client import PacClient
from tenants.errors import OnboardingHalted
from tenants.models import Office, OnboardingStatus, Tenant
from tenants.pac import pac_client
from tenants.services.certificates import Certificates

CALLS_IN_A_STEP = 3  # at most
LONGEST_CALL = 10  # seconds, where a person waits
SHORTEST_CALL = 2

_ORDER = list(OnboardingStatus)


class Halt(StrEnum):
    """Why a run stopped before its end."""

    PAC_FAILED = "pac_failed"
    NOT_ACCEPTED = "not_accepted"
    COMPANY_UNCLEAR = "company_unclear"
    OFFICE_UNCLEAR = "office_unclear"
    OTHER_COMPANY = "other_company"
    NO_CERTIFICATES = "no_certificates"
    NO_OFFICE = "no_office"
    ANOTHER_RUN = "another_run"
    OUT_OF_TIME = "out_of_time"


PASSING = frozenset({Halt.ANOTHER_RUN, Halt.OUT_OF_TIME})
"""What says nothing about the tenant, and is not kept on record."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Something that happened, for a person: `step` is 1 to 5, 0 before the first."""

    step: int
    message: str
    is_warning: bool = False


@dataclass(slots=True)
class Run:
    """`ends_at` is a moment of `time.monotonic()`; without one, each call has its usual time."""

    tenant: Tenant
    office: Office | None
    certificates: Certificates | None
    pac_company_id: str
    tell: Callable[[Progress], object]
    confirm: Callable[[str], object]
    sleep: Callable[[float], object]
    ends_at: float | None = None
    step: int = 0
    api_key: str = ""
    client: PacClient = field(init=False)

    def begin(self, step: int) -> None:
        """The next step, with a client whose calls end before the run has to."""
        self.step = step
        deadline = None
        if self.ends_at is not None:
            left = (self.ends_at - time.monotonic()) // CALLS_IN_A_STEP
            if left < SHORTEST_CALL:
                raise OnboardingHalted(
                    "The time of this run is over. Run again to continue.", Halt.OUT_OF_TIME
                )
            deadline = min(left, LONGEST_CALL)
        self.client = pac_client(self.tenant, deadline=deadline)

    @property
    def company_id(self) -> str:
        return self.tenant.pac_company_id or ""

    def has_reached(self, status: OnboardingStatus) -> bool:
        return _ORDER.index(OnboardingStatus(self.tenant.onboarding_status)) >= _ORDER.index(status)

    def say(self, message: str, *, is_warning: bool = False) -> None:
        self.tell(Progress(self.step, message, is_warning))

    def wait(self, seconds: float) -> None:
        """For the POST of a run that may still be under way; a run that is short of time halts."""
        if self.ends_at is not None:
            raise OnboardingHalted(
                f"An earlier run may still be creating it. Run again in {seconds:.0f} s.",
                Halt.ANOTHER_RUN,
            )
        self.say(f"An earlier run may still be creating it: waiting {seconds:.0f} s for that.")
        self.sleep(seconds)

    def reach(self, status: OnboardingStatus, **values: Any) -> None:
        """Commit `values` and, where it is a step forward, the status. It never goes back."""
        before = _ORDER[: _ORDER.index(status)]
        with transaction.atomic():
            tenant = Tenant.objects.filter(pk=self.tenant.pk)
            tenant.update(onboarding_error="", **values)
            tenant.filter(onboarding_status__in=before).update(onboarding_status=status)
        self.tenant.refresh_from_db()
