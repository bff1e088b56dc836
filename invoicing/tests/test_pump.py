"""The pump: one a cluster and role, killed without loss, stopped without a cut."""

from __future__ import annotations

import os
import signal
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import timezone
from django_q.models import OrmQ, Schedule
from rest_framework.test import APIClient

from conftest import LONG_AGO, body
from invoicing import bell, pump, schedules, tasks
from invoicing.models import Document, PumpLease
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_pump_a_cluster_and_role() -> None:
    lease = pump.Lease("pac")
    assert lease.acquire()
    assert pump.pump("pac", seconds=0) is None
    assert pump.pump("mail", seconds=0) == 0
    lease.release()
    assert pump.pump("pac", seconds=0) == 0


def test_the_lease_of_a_killed_pump_expires() -> None:
    assert pump.Lease("pac").acquire()  # and here it is killed
    assert not pump.Lease("pac").acquire()
    PumpLease.objects.update(expires_at=LONG_AGO)
    assert pump.Lease("pac").acquire()


def test_a_pump_that_lost_its_lease_stops() -> None:
    first = pump.Lease("pac")
    first.acquire()
    PumpLease.objects.update(expires_at=LONG_AGO)
    pump.Lease("pac").acquire()
    first.renewed = 0.0
    assert not first.renew()


def test_its_renewal_is_the_heartbeat() -> None:
    pump.pump("pac", seconds=0)
    seen = PumpLease.objects.get(role="pac").renewed_at
    assert timezone.now() - seen < timedelta(seconds=5)


def test_it_sends_and_follows_what_is_due(api: APIClient, box: Sandbox) -> None:
    api.post("/api/v1/invoices", body())
    done = pump.pump("pac", seconds=0.2)
    assert done == 1
    assert Document.unscoped.get().legal_status == "PAC_AUTHORIZED"


def test_sigterm_lets_what_is_in_flight_come_home(api: APIClient, box: Sandbox) -> None:
    box.options.update({"latency": 200})
    api.post("/api/v1/invoices", body())
    killer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM))
    killer.start()
    started = timezone.now()
    assert pump.pump("pac", seconds=30) == 1
    killer.join()
    assert timezone.now() - started < timedelta(seconds=10)
    assert Document.unscoped.get().submission_state == "DONE"
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


class Broken:
    """An errand with a defect."""

    def __init__(self, committed: list[str]) -> None:
        self.committed = committed

    def call(self) -> Any:
        raise ZeroDivisionError

    def commit(self, outcome: Any) -> None:
        self.committed.append("never")


def test_a_defect_in_one_errand_stops_no_other(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post("/api/v1/invoices", body())
    committed: list[str] = []
    broken = [Broken(committed)]
    sources = [lambda limit: [broken.pop()] if broken else [], *pump.ROLES["pac"].sources]
    monkeypatch.setattr(pump.ROLES["pac"], "sources", sources)
    pump.drain("pac")
    assert Document.unscoped.get().submission_state == "DONE"
    assert committed == []


def test_a_defect_in_a_sweep_stops_nothing(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(pump.ROLES["pac"], "chores", [broken])
    api.post("/api/v1/invoices", body())
    pump.drain("pac")
    assert Document.unscoped.get().submission_state == "DONE"


def test_the_bell_rings_once_a_second_and_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        bell.ring()
    assert OrmQ.objects.count() == 1

    def no_broker(*args: Any, **options: Any) -> None:
        raise ConnectionError

    cache.clear()
    monkeypatch.setattr(bell, "async_task", no_broker)
    bell.ring()


def test_a_run_of_the_pump_rings_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.pumps, "pump", lambda role: 0)
    tasks.pump("pac")
    assert OrmQ.objects.count() == 1


def test_a_pump_that_was_not_needed_rings_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.pumps, "pump", lambda role: None)
    tasks.pump("pac")
    assert OrmQ.objects.count() == 0


def test_the_schedules_come_back_when_they_are_lost() -> None:
    Schedule.objects.all().delete()
    schedules.install()
    schedules.install()
    assert set(Schedule.objects.values_list("name", flat=True)) == set(schedules.SCHEDULES)


def test_reaping_forgets_old_keys_and_dead_clusters() -> None:
    from invoicing.models import IdempotencyRecord

    old = timezone.now() - timedelta(days=2)
    PumpLease.objects.create(name="x", role="pac", holder="y", renewed_at=old, expires_at=old)
    tasks.reap()
    assert not PumpLease.objects.exists()
    assert not IdempotencyRecord.unscoped.exists()
