"""What django-q2 runs. Arguments are names, never objects: whatever matters stands in the rows."""

from datetime import timedelta

from django.utils import timezone

from invoicing import pump as pumps
from invoicing.models import PumpLease
from invoicing.services import idempotency


def pump(role: str) -> int:
    """Rung by the bell and by a schedule each minute; returns at once where a pump runs already."""
    return pumps.pump(role)


def reap() -> None:
    """Forgets what has served: old idempotency keys, the leases of clusters that are gone."""
    idempotency.reap()
    PumpLease.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()
