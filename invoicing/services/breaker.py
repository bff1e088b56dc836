"""A circuit breaker for each PAC address and token.

While the PAC is away nothing is gained by knocking for every document. After some failures in a row
the token's documents rest; then one of them goes ahead as a probe, and its outcome decides for all.
"""

from __future__ import annotations

import hashlib
import logging
import random
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

from cryptography.fernet import InvalidToken
from django.db import connection, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from invoicing.models import Breaker
from invoicing.services.errands import LEASE, TooLate
from pac.errors import PacError
from tenants.fields import EncryptedTextField
from tenants.models import Tenant
from tenants.pac import pac_address

log = logging.getLogger(__name__)

THRESHOLD = 10  # failures in a row
FIRST_REST = timedelta(seconds=2)
LONGEST_REST = timedelta(minutes=1)
PROBE = LEASE  # within this, the probe has an outcome or its worker is dead


@dataclass(frozen=True, slots=True)
class Probe:
    """The place that one row holds, which was sent ahead of the others."""

    row: UUID
    until: datetime


# The probes of this process, by key: which row it is tells its failure from that of one that set
# out before, and `until` a rest that it ends from one that the PAC asked for.
_probes: dict[str, Probe] = {}


def key_of(tenant: Tenant) -> str:
    """The breaker of this tenant's PAC address and token; tells neither."""
    return _digest(*pac_address(tenant))


def open_circuits() -> list[Breaker]:
    """The circuits that are not closed, resting or waiting for their probe; always in one order, in
    which workers that claim probes at the same moment cannot lock each other out."""
    return list(Breaker.objects.filter(retry_at__isnull=False).order_by("key"))


def behind(circuits: Collection[Breaker]) -> Q:
    """Of the tenants, those whose documents go through these circuits.

    Those who use the PAC of the settings are a condition, not a list: there may be thousands.
    """
    keys = {circuit.key for circuit in circuits}
    if not keys:
        return Q(pk__in=())
    of_the_settings = Q(pac_base_url="", pac_token="")
    own = (
        Tenant.objects.exclude(of_the_settings)
        .annotate(sealed=Cast("pac_token", TextField()))
        .order_by()
        .values_list("pk", "pac_base_url", "sealed")
    )
    found = Q(pk__in=[pk for pk, url, sealed in own if _key(url, sealed) in keys])
    return found | of_the_settings if key_of(Tenant()) in keys else found


def _key(base_url: str, sealed: str) -> str | None:
    """`key_of` a tenant with this encrypted token; None where no key opens it: what such a tenant
    sends fails by itself, and must not fail what the others send."""
    try:
        return _digest(*pac_address(Tenant(pac_base_url=base_url, pac_token=_opened(sealed))))
    except InvalidToken:
        return None


@lru_cache(maxsize=20_000)
def _opened(sealed: str) -> str:
    """Opening takes a while, and during an outage it is asked for all the time."""
    return EncryptedTextField().from_db_value(sealed, None, connection) or ""


def _digest(base_url: str, token: str) -> str:
    return hashlib.sha256(f"{base_url}\n{token}".encode()).hexdigest()


def claim_probe(circuit: Breaker, row: UUID, now: datetime) -> bool:
    """Whether the caller may send `row` as the one probe of this circuit, whose rest is over.

    A probe whose worker dies is forgotten after `PROBE`: another one may go then.
    """
    until = now + PROBE
    claimed = Breaker.objects.filter(key=circuit.key, retry_at=circuit.retry_at)
    if claimed.update(retry_at=until) != 1:
        return False
    _probes[circuit.key] = Probe(row, until)
    return True


def give_up_probe(tenant: Tenant, row: UUID, now: datetime) -> None:
    """`row` is not sent after all: if it was to be the probe, another one may go now."""
    key = key_of(tenant)
    probe = _probe_of(key, row)
    if probe:
        Breaker.objects.filter(key=key, retry_at=probe.until).update(retry_at=now)


def _probe_of(key: str, row: UUID) -> Probe | None:
    """The probe that `row` is, which is over with this."""
    probe = _probes.get(key)
    return _probes.pop(key) if probe and probe.row == row else None


def succeeded(tenant: Tenant) -> None:
    """The PAC judged something: the circuit is closed."""
    Breaker.objects.filter(key=key_of(tenant), failures__gt=0).update(
        failures=0, retry_at=None, reason=""
    )


def not_judged(tenant: Tenant, row: UUID, error: PacError, now: datetime) -> None:
    """`error` kept the PAC from judging `row`: `failed`, but where that was our own doing."""
    if isinstance(error, TooLate):
        give_up_probe(tenant, row, now)
    else:
        failed(tenant, row, error.message, now=now, retry_after=error.retry_after)


def failed(
    tenant: Tenant, row: UUID, reason: str, *, now: datetime, retry_after: float | None = None
) -> None:
    """The PAC did not judge `row`. Opens the circuit after `THRESHOLD` of these, or at once for as
    long as the PAC itself asked for (`retry_after`, seconds).

    A rest is only ever made longer, but for the place that a probe holds: its failure ends that.
    """
    key = key_of(tenant)
    with transaction.atomic():
        Breaker.objects.bulk_create([Breaker(key=key)], ignore_conflicts=True)
        circuit = Breaker.objects.select_for_update().get(key=key)
        probe = _probe_of(key, row)
        was_probe = probe is not None and circuit.retry_at == probe.until
        circuit.failures += 1
        circuit.reason = reason[:500]
        rest = timedelta(seconds=retry_after or 0)
        if was_probe or circuit.failures >= THRESHOLD:
            rest = max(rest, _rest(circuit.failures))
        if was_probe or circuit.retry_at is None:
            circuit.retry_at = now + rest if rest else None
        elif rest:
            circuit.retry_at = max(circuit.retry_at, now + rest)
        circuit.save(update_fields=["failures", "reason", "retry_at"])


def _rest(failures: int) -> timedelta:
    """2 seconds, doubled each ten failures up to a minute, with jitter: tokens that failed together
    do not come back together."""
    doublings = min(max(failures - THRESHOLD, 0) // THRESHOLD, 5)
    longest = min(FIRST_REST * 2**doublings, LONGEST_REST)
    return longest * random.uniform(0.5, 1)  # noqa: S311 (spreads load, guards nothing)
