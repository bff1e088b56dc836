"""Whether a RUC is well formed, what its DV is, and whether the DGI knows it.

What the PAC says is kept as `RucVerification`: a yes counts for `RUC_VERIFICATION_DAYS`, a no for
an hour, since who is missing today may be registered tomorrow.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from pac.client import Exchange
from pac.dgi import ruc
from pac.dgi.ruc import RucType
from pac.errors import PacError, Rejected
from tenants.models import RucVerification, Tenant
from tenants.pac import pac_client

DEADLINE = 5.0  # seconds that somebody waits for the PAC's word
NO_COUNTS_FOR = timedelta(hours=1)
NO_SUCH_RUC = 400  # the PAC's status for it; any other refusal says nothing about the RUC

RucAndType = tuple[str, str]


@dataclass(frozen=True, slots=True)
class RucReport:
    """`exists` and `receiver_type` are None while the PAC cannot be asked."""

    ruc: str
    type: str
    dv: str | None = None
    valid: bool = False
    receiver_type: str | None = None
    exists: bool | None = None
    verified_at: datetime | None = None


def look_up(tenant: Tenant, text: str, ruc_type: RucType) -> RucReport:
    """What is known of a RUC; the PAC is asked where that is nothing, or too old.

    An outage is no error. Calls the PAC: not inside a transaction.
    """
    try:
        parsed = ruc.parse(text, ruc_type)
    except ruc.MalformedRuc:
        return RucReport(ruc=text, type=ruc_type)
    report = RucReport(ruc=parsed.text, type=ruc_type, dv=parsed.dv, valid=True)
    known = _still_counts(parsed.text, ruc_type)
    if known is None:
        known = ask(tenant, parsed.text, ruc_type)
        if known is None:
            return report
        keep(known)
    return replace(
        report,
        exists=known.exists,
        receiver_type=known.receiver_type or None,
        verified_at=known.verified_at,
    )


def ask(
    tenant: Tenant,
    text: str,
    ruc_type: str,
    record: Callable[[Exchange], object] | None = None,
) -> RucVerification | None:
    """The PAC's word on a well-formed RUC, not stored yet; None where it gives none in 5 seconds.

    Touches no database. `record` receives the call as it happened.
    """
    client = pac_client(tenant, record, deadline=DEADLINE)
    found = RucVerification(ruc=text, ruc_type=ruc_type, exists=True, verified_at=timezone.now())
    try:
        found.receiver_type = client.check_digit(text, ruc_type).receiver or ""
    except Rejected as refusal:
        if refusal.status != NO_SUCH_RUC:
            return None
        found.exists = False
    except PacError:
        return None
    return found


class Question:
    """One question to the PAC, however many threads wait for its answer."""

    def __init__(self, tenant: Tenant, text: str, ruc_type: str) -> None:
        self.exchanges: list[Exchange] = []
        self._about = (tenant, text, ruc_type)
        self._lock = threading.Lock()
        self._asked = False
        self._answer: RucVerification | None = None

    def answer(self) -> RucVerification | None:
        """What `ask` answers, asked once. Touches no database."""
        with self._lock:
            if not self._asked:
                self._answer = ask(*self._about, record=self.exchanges.append)
                self._asked = True
            return self._answer

    def keep(self) -> None:
        """Stores the answer, where there is one, once."""
        if self._answer is not None and self._answer._state.adding:
            keep(self._answer)


def keep(found: RucVerification) -> None:
    """Stores what the PAC said in the place of what it said before."""
    RucVerification.objects.bulk_create(
        [found],
        update_conflicts=True,
        unique_fields=["ruc", "ruc_type"],
        update_fields=["exists", "receiver_type", "verified_at", "updated_at"],
    )


def confirmed(rucs: Collection[RucAndType]) -> set[RucAndType]:
    """Those of `rucs` that the PAC has said to exist, not too long ago. One query at most."""
    if not rucs:
        return set()
    found = RucVerification.objects.filter(
        ruc__in={text for text, _ in rucs}, exists=True, verified_at__gt=_oldest_yes()
    ).values_list("ruc", "ruc_type")
    return set(found) & set(rucs)


def _still_counts(text: str, ruc_type: str) -> RucVerification | None:
    known = RucVerification.objects.filter(ruc=text, ruc_type=ruc_type).first()
    if known is None:
        return None
    oldest = _oldest_yes() if known.exists else timezone.now() - NO_COUNTS_FOR
    return known if known.verified_at > oldest else None


def _oldest_yes() -> datetime:
    return timezone.now() - timedelta(days=settings.RUC_VERIFICATION_DAYS)
