"""What django-q2 runs. Arguments are names, never objects: whatever matters stands in the rows."""

from datetime import timedelta

from django.utils import timezone

from invoicing import bell
from invoicing import pump as pumps
from invoicing.models import PumpLease
from invoicing.services import idempotency


def pump(role: str) -> int:
    """One run of the pump, which rings for the next one when it ends.

    Rung when a worker starts, by the bell and by a schedule each minute, so that a lost ring heals.
    Returns at once where a pump of this cluster runs already.
    """
    done = pumps.pump(role)
    if done is None:
        return 0
    bell.ring(role)
    return done


def reap() -> None:
    """Forgets what has served: old idempotency keys, the leases of clusters that are gone."""
    idempotency.reap()
    PumpLease.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()
