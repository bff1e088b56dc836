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
    try:
        if cache.add(f"bell-{role}", 1, timeout=GRAIN):
            _ask(role)
    except Exception:  # whatever the drivers of cache and broker raise
        log.exception("The bell for %s could not be rung; the sweep will find what is due", role)


def hand_over(role: str) -> None:
    """Asks for the next run of the pump of `role`, whose run has ended. Rung always: a bell of the
    same second was heard while the pump was running, and has brought nobody. Never raises."""
    try:
        _ask(role)
    except Exception:  # as above
        log.exception("The next run of %s could not be asked for; the schedule will", role)


def _ask(role: str) -> None:
    async_task("invoicing.tasks.pump", role, task_name=f"pump {role}")
