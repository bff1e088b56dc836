"""A circuit breaker for each PAC address and token.

While the PAC is away nothing is gained by knocking for every document. After some failures in a row
the token's documents rest; then one of them goes ahead as a probe, and its outcome decides for all.
"""

import hashlib
from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from invoicing.models import Breaker
from tenants.models import Tenant
from tenants.pac import pac_address

THRESHOLD = 10  # failures in a row
FIRST_REST = timedelta(seconds=2)
LONGEST_REST = timedelta(minutes=1)
PROBE = timedelta(minutes=2)  # within this, the probe has an outcome or its worker is dead


def key_of(tenant: Tenant) -> str:
    """The breaker of this tenant's PAC address and token; tells neither."""
    return hashlib.sha256("\n".join(pac_address(tenant)).encode()).hexdigest()


def open_circuits() -> list[Breaker]:
    """The circuits that are not closed: resting, or waiting for their probe."""
    return list(Breaker.objects.filter(retry_at__isnull=False))


def resting_circuits(now: datetime) -> list[Breaker]:
    """The circuits through which nothing goes now."""
    return [circuit for circuit in open_circuits() if circuit.retry_at and circuit.retry_at > now]


def tenants_of(circuits: Collection[Breaker]) -> set[UUID]:
    """The tenants whose documents go through these circuits."""
    if not circuits:
        return set()
    keys = {circuit.key for circuit in circuits}
    return {tenant.pk for tenant in Tenant.objects.all() if key_of(tenant) in keys}


def claim_probe(circuit: Breaker, now: datetime) -> bool:
    """Whether the caller may send the one probe of this circuit, whose rest is over."""
    claimed = Breaker.objects.filter(key=circuit.key, retry_at=circuit.retry_at)
    return claimed.update(retry_at=now + PROBE) == 1


def succeeded(tenant: Tenant) -> None:
    """The PAC judged something: the circuit is closed."""
    Breaker.objects.filter(key=key_of(tenant), failures__gt=0).update(
        failures=0, retry_at=None, reason=""
    )


def failed(tenant: Tenant, reason: str, *, now: datetime, retry_after: float | None = None) -> None:
    """The PAC did not judge. Opens the circuit after `THRESHOLD` of these, or at once for as long
    as the PAC itself asked for (`retry_after`, seconds)."""
    key = key_of(tenant)
    Breaker.objects.bulk_create([Breaker(key=key)], ignore_conflicts=True)
    Breaker.objects.filter(key=key).update(failures=F("failures") + 1, reason=reason[:500])
    failures = Breaker.objects.values_list("failures", flat=True).get(key=key)
    rest = timedelta(seconds=retry_after or 0)
    if failures >= THRESHOLD:
        doublings = min((failures - THRESHOLD) // THRESHOLD, 5)
        rest = max(rest, min(FIRST_REST * 2**doublings, LONGEST_REST))
    if rest:
        Breaker.objects.filter(key=key).update(retry_at=now + rest)
