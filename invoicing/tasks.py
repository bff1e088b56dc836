"""What django-q2 runs. Arguments are names, never objects: whatever matters stands in the rows."""

from datetime import timedelta

from django.utils import timezone
from django_q.tasks import async_task

from invoicing import bell
from invoicing import pump as pumps
from invoicing.models import PacCatalog, PumpLease
from invoicing.services import catalog_sync, idempotency, payments


def pump(role: str) -> int:
    """One run of the pump, which asks for the next one when it ends.

    Rung when a worker starts, by the bell and by a schedule each minute, so that a lost ring heals.
    Returns at once where a pump of this cluster runs already.
    """
    done = pumps.pump(role)
    if done is None:
        return 0
    bell.hand_over(role)
    return done


def past_due() -> int:
    """What fell due yesterday in Panama and is still owed; run each hour, safe to run twice."""
    return payments.mark_past_due()


def reap() -> None:
    """Forgets what has served: old idempotency keys, the leases of clusters that are gone."""
    idempotency.reap()
    PumpLease.objects.filter(expires_at__lt=timezone.now() - timedelta(days=1)).delete()


def sync_catalogs() -> None:
    """Has every catalogue of the PAC taken over, each in a task of its own: a PAC that answers none
    of them must not take longer than a task may."""
    for catalog in PacCatalog:
        async_task("invoicing.tasks.sync_catalog", catalog.value, task_name=f"catalog {catalog}")


def sync_catalog(name: str) -> None:
    """Takes over one catalogue. One that could not be read stands among the failed tasks, with the
    reason, and is tried again next week."""
    with catalog_sync.pac() as client:
        catalog_sync.synchronise(PacCatalog(name), client)
