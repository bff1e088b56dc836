"""The bell that wakes the pump.

It says "wake up", never which document: what is due stands in the rows. One bell a second and
process is enough, and a lost one costs a second, since a pump runs all the time.
"""

import logging

from django.core.cache import cache
from django_q.tasks import async_task

log = logging.getLogger(__name__)

GRAIN = 1  # seconds


def ring(role: str = "pac") -> None:
    """Asks a worker to run the pump of `role`. Never raises: the document is safe already, and the
    sweep of the running pump finds it without a bell."""
    if not cache.add(f"bell-{role}", 1, timeout=GRAIN):
        return
    try:
        async_task("invoicing.tasks.pump", role, task_name=f"pump {role}")
    except Exception:  # whatever the broker's driver raises
        log.exception("The bell for %s could not be rung; the sweep will find what is due", role)
