"""The pump when there is more to do than it can, when the PAC hangs, when its own parts fail."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.utils import timezone
from django_q.models import OrmQ
from rest_framework.test import APIClient

from conftest import LONG_AGO, body, work
from invoicing import bell, pump, tasks
from invoicing.models import Document, PumpLease
from invoicing.services import submit
from invoicing.tests.errands import Errand, endless
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)


# --- one source's backlog, and another's errand -------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 16])
@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_backlog_of_one_source_does_not_starve_another(threads: int, position: int) -> None:
    """Submissions, polls and voids: whichever has the backlog, and however few threads are free."""
    asked = [0, 0, 0]

    def source(number: int) -> pump.Source:
        def take(limit: int) -> list[Errand]:
            asked[number] += limit
            return endless(limit) if number == position else []

        return take

    role = pump.Role([source(number) for number in range(3)], [], threads=lambda: threads)
    run = pump.Pump(role)
    with pump.ThreadPoolExecutor(threads) as pool:
        for _ in range(6):
            run.claim(pool)
            run.bring_home(run.collect())
        while run.in_flight:
            run.bring_home(run.collect())
    assert all(asked), asked


def test_what_is_claimed_ahead_waits_for_a_thread_and_no_longer() -> None:
    release = threading.Event()
    errands = [Errand(release), *(Errand() for _ in range(4))]
    given = list(errands)

    def source(limit: int) -> list[Errand]:
        taken = given[:limit]
        del given[:limit]
        return taken

    run = pump.Pump(pump.Role([source], [], threads=lambda: 2, ahead=0.5))
    with pump.ThreadPoolExecutor(2) as pool:
        assert run.claim(pool) == 3
        assert errands[2].begun.wait(5)  # on the thread that came free, before anything is claimed
        assert not errands[3].begun.is_set()
        release.set()
        while run.turn_over(pool) or run.in_flight:
            assert len(run.in_flight) <= 3
    assert all(errand.committed.is_set() for errand in errands)


def test_while_a_call_is_slow_nothing_is_claimed_ahead_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is claimed has a lease that runs; it must not pass in a queue."""
    monkeypatch.setattr(pump, "BRISK", 0.05)
    release = threading.Event()
    run = pump.Pump(pump.Role([endless], [], threads=lambda: 2, ahead=0.5))
    with run.pool() as pool:
        slow = Errand(release)
        future = pool.submit(slow.call)
        run.in_flight[future], run.since[future] = slow, time.monotonic() - 1
        assert run.claim(pool) == 1
        release.set()
        while run.in_flight:
            run.bring_home(run.collect())
        assert run.claim(pool, ahead=False) == 2


def test_a_backlog_does_not_keep_a_sweep_from_being_done() -> None:
    swept = []
    run = pump.Pump(pump.Role([endless], [lambda: swept.append(1)], threads=lambda: 2))
    run.run(pump.Lease("pac"), seconds=0)
    assert swept == []
    lease = pump.Lease("pac")
    assert lease.acquire()
    run.run(lease, seconds=0.1)
    assert swept
    assert run.done > 2


def test_a_call_that_hangs_at_the_end_of_a_run_does_not_stop_the_others() -> None:
    """One tenant's PAC hangs until the deadline; what falls due meanwhile for others is done."""
    other = Errand()
    hanging = Errand(other.committed)
    given = [[hanging], [other]]

    def source(limit: int) -> list[Errand]:
        if len(given) == 1 and not hanging.begun.wait(5):
            return []
        return given.pop(0) if given else []

    run = pump.Pump(pump.Role([source], [], threads=lambda: 2))
    ended = time.monotonic()

    class Lease(pump.Lease):
        def renew(self) -> bool:
            if len(given) == 1:
                while time.monotonic() < ended + 0.3:  # the run's time is over
                    hanging.begun.wait(0.05)
            return True

    assert run.run(Lease("pac"), seconds=0.2) == 2
    assert hanging.committed.is_set()


# --- waiting holds nothing ----------------------------------------------------------------------


def test_while_the_pac_hangs_only_the_pump_itself_is_connected_and_in_no_transaction(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(8):
        api.post("/api/v1/invoices", body())
    in_the_world = threading.Barrier(9)
    looked = threading.Event()
    sound = submit.Sending.call
    opened: list[str] = []

    def call(self: submit.Sending) -> Any:
        in_the_world.wait(10)
        assert looked.wait(10)
        outcome = sound(self)
        opened.extend(each.alias for each in connections.all(initialized_only=True))
        return outcome

    monkeypatch.setattr(submit.Sending, "call", call)
    seen: list[Any] = []

    def look() -> None:
        try:
            in_the_world.wait(10)
            with connection.cursor() as cursor:
                if connection.vendor == "postgresql":
                    for _ in range(100):  # the pump may still be asking its other sources
                        cursor.execute(
                            "SELECT state FROM pg_stat_activity WHERE datname = current_database() "
                            "AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
                        )
                        seen[:] = [row[0] for row in cursor.fetchall()]
                        if seen == ["idle"]:
                            break
                        time.sleep(0.05)
                else:
                    # Whoever else held a transaction that has written would keep us from this.
                    with transaction.atomic():
                        cursor.execute("UPDATE invoicing_breaker SET failures = 0")
                    seen.append("idle")
        finally:
            looked.set()
            connections.close_all()

    observer = threading.Thread(target=look)
    observer.start()
    assert pump.drain("pac") == 8
    observer.join()
    assert seen == ["idle"]  # the pump's own, between two statements
    assert opened == []  # none by the threads that call
    assert len(box.documents) == 8


# --- poison -------------------------------------------------------------------------------------


def test_a_document_whose_handling_kills_the_process_is_set_aside_and_others_go_on(
    api: APIClient, bob: Tenant, client_of: Callable[..., APIClient], box: Sandbox
) -> None:
    poison = api.post("/api/v1/invoices", body()).data["id"]
    for _ in range(submit.DEATHS_AT_MOST):
        Document.unscoped.filter(pk=poison).update(next_attempt_at=LONG_AGO)
        assert die_while_sending() == signal.SIGKILL
        document = Document.unscoped.get(pk=poison)
        assert (document.submission_state, document.attempts) == (
            "SENDING",
            document.lost_leases + 1,
        )
        Document.unscoped.filter(pk=poison).update(lease_expires_at=LONG_AGO)
        PumpLease.objects.update(expires_at=LONG_AGO)
        submit.recover_lost()
    document.refresh_from_db()
    assert document.submission_state == "FAILED"
    assert (document.submission_error or {})["code"] == "worker_lost"
    good = client_of(bob).post("/api/v1/invoices", body()).data["id"]
    work()
    assert Document.unscoped.get(pk=good).legal_status == "DGI_AUTHORIZED"
    assert Document.unscoped.get(pk=poison).submission_state == "FAILED"


def die_while_sending() -> int:
    """A worker's process that a document kills; the signal of which it died."""
    connections.close_all()
    child = os.fork()
    if child == 0:
        submit.Sending.call = lambda self: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore
        try:
            pump.pump("pac", seconds=5)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status)


def test_an_exception_that_nothing_catches_costs_its_document_a_life(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def call(self: submit.Sending) -> Any:
        raise Killed

    api.post("/api/v1/invoices", body())
    monkeypatch.setattr(submit.Sending, "call", call)
    for life in range(1, submit.DEATHS_AT_MOST + 1):
        Document.unscoped.update(next_attempt_at=LONG_AGO)
        with pytest.raises(Killed):
            pump.drain("pac")
        Document.unscoped.update(lease_expires_at=LONG_AGO)
        submit.recover_lost()
        assert Document.unscoped.get().lost_leases == life
    assert Document.unscoped.get().submission_state == "FAILED"


# --- the queue's own faults ---------------------------------------------------------------------


def test_a_lost_bell_costs_nothing_while_a_pump_runs(api: APIClient, box: Sandbox) -> None:
    api.post("/api/v1/invoices", body())
    OrmQ.objects.all().delete()
    pump.pump("pac", seconds=0.1)
    assert Document.unscoped.get().submission_state == "DONE"


def test_a_bell_that_rings_twice_runs_one_pump(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = []

    def second_bell(self: pump.Pump, lease: pump.Lease, *, seconds: float) -> int:
        runs.append(tasks.pump("pac"))
        return 3

    monkeypatch.setattr(pump.Pump, "run", second_bell)
    assert tasks.pump("pac") == 3
    assert runs == [0]


def test_the_next_run_is_asked_for_though_a_bell_rang_just_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """That bell was heard while the pump was running: it has brought nobody."""
    bell.ring("pac")
    OrmQ.objects.all().delete()
    monkeypatch.setattr(tasks.pumps, "pump", lambda role: 0)
    tasks.pump("pac")
    assert OrmQ.objects.count() == 1


def test_a_cache_that_is_away_does_not_fail_who_rings(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*args: Any, **options: Any) -> bool:
        raise ConnectionError("no Redis")

    monkeypatch.setattr(cache, "add", away)
    bell.ring("pac")
    monkeypatch.setattr(bell, "async_task", away)
    bell.hand_over("pac")


def test_a_pump_that_is_stuck_loses_its_lease_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread that works renews the lease: no other keeps it alive for one that is stuck."""
    monkeypatch.setattr(pump, "LEASE", timedelta(milliseconds=100))
    monkeypatch.setattr(pump, "RENEWAL", 0.02)
    replaced = threading.Event()
    asked = []

    def stuck(limit: int) -> list[Errand]:
        asked.append(limit)
        assert replaced.wait(10)
        return []

    monkeypatch.setitem(pump.ROLES, "pac", pump.Role([stuck], []))

    def first() -> None:
        try:
            pump.pump("pac", seconds=10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    other = pump.Lease("pac")
    deadline = time.monotonic() + 10
    while not (asked and other.acquire()):
        assert time.monotonic() < deadline
    monkeypatch.setattr(pump, "LEASE", timedelta(seconds=20))
    assert other.renew()
    other.renewed = 0.0
    assert other.renew()
    replaced.set()
    thread.join(10)
    assert not thread.is_alive()
    assert len(asked) == 1  # it saw that it had been replaced, and claimed no more
    lease = PumpLease.objects.get(role="pac")
    assert lease.holder == other.holder
    assert lease.expires_at > timezone.now()
