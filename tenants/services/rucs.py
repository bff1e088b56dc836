"""Whether a RUC is well formed, what its DV is, and whether the DGI knows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.utils import timezone

from pac.dgi import ruc
from pac.dgi.ruc import RucType
from pac.errors import PacError, Rejected
from tenants.models import Tenant
from tenants.pac import pac_client

DEADLINE = 5.0  # seconds that somebody waits for the PAC's word
KEPT = 24 * 3600  # seconds


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
    """What is known of a RUC. Asks the PAC at most once a day for each; an outage is no error."""
    try:
        parsed = ruc.parse(text, ruc_type)
    except ruc.MalformedRuc:
        return RucReport(ruc=text, type=ruc_type)
    key = f"ruc:{ruc_type}:{parsed.text}"
    known = cache.get(key)
    if known is None:
        known = _ask(tenant, parsed.text, ruc_type)
        if known:
            cache.set(key, known, KEPT)
    return RucReport(ruc=parsed.text, type=ruc_type, dv=parsed.dv, valid=True, **(known or {}))


def _ask(tenant: Tenant, text: str, ruc_type: RucType) -> dict[str, Any]:
    client = pac_client(tenant, deadline=DEADLINE)
    try:
        answer = client.check_digit(text, ruc_type)
    except Rejected:
        return {"exists": False, "verified_at": timezone.now()}
    except PacError:
        return {}
    return {
        "exists": True,
        "receiver_type": answer.receiver,
        "verified_at": timezone.now(),
    }
