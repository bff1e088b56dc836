"""The pump: the one loop that moves everything which is due.

A pump holds the lease of its cluster and role, so that there is one of each; several clusters have
several pumps, which share the work by claiming rows. Its own thread talks to the database, claiming
errands and committing their outcomes; a pool of threads talks to the world. What is due stands in
the rows: a pump that is killed leaves leases that the next one takes over when they expire.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, close_old_connections
from django.db.models import Q
from django.utils import timezone

from invoicing.models import PumpLease
from invoicing.services import deliver, errands, feed, follow, submit, void
from invoicing.services.errands import Errand, call, logged

log = logging.getLogger(__name__)

Source = Callable[[int], Sequence[Errand]]
Chore = Callable[[], object]

# Seconds that one run takes; the next begins at once. Short, since a cluster that is told to stop
# waits for its workers.
RUN = 20.0
OVERTIME = 40.0  # seconds: a little more than one call's deadline as it is by default
IDLE = 1.0  # seconds between two looks when nothing is due
HURRY = 0.05  # seconds between two looks when something was
LEASE = timedelta(seconds=20)
RENEWAL = 5.0  # seconds
GATHERING = 0.01  # seconds
DEFECT = "A piece of the pump's work failed; its lease will bring it back"
CHORE_PAUSE = 1.0  # seconds
BRISK = 2.0  # seconds; while a call takes longer, nothing is claimed that would have to wait for it
AGAIN = 0.5  # seconds until an outcome is written again that the database did not take; doubled
KEPT_FOR = 60.0  # seconds that such an outcome is kept
# An errand may be claimed at the very end, and takes no longer than its lease; what came of it may
# have to wait for the database.
LONGEST_RUN = RUN + OVERTIME + max(errands.LEASE, deliver.LEASE).total_seconds() + KEPT_FOR


@dataclass(slots=True)
class Role:
    """What a pump does: where its errands come from, what it sweeps, how many at a time.

    For each thread `ahead` errands more are claimed while calls are brisk, so that a thread that
    comes free goes on though the database is busy.
    """

    sources: list[Source]
    chores: list[Chore]
    threads: Callable[[], int] = lambda: settings.PAC_CONCURRENCY
    ahead: float = 0.0


ROLES: dict[str, Role] = {
    "pac": Role(
        [submit.claim_due, follow.claim_due, void.claim_due], [submit.recover_lost], ahead=0.5
    ),
    # Beside the mail, which leaves its thread time to spare.
    "mail": Role([deliver.claim_due], [deliver.recover_lost, feed.give_places], threads=lambda: 4),
}


def add_chore(role: str, chore: Chore) -> None:
    """Lets an app above this one have its sweep done by the pump of `role`."""
    ROLES[role].chores.append(chore)


def cluster_name() -> str:
    """This worker's cluster: the host and the process that its workers have in common."""
    return f"{socket.gethostname()}:{os.getppid()}"


class Lease:
    """The right to be the pump of one role in this cluster; its renewal is the heartbeat."""

    def __init__(self, role: str) -> None:
        self.role = role
        self.name = f"{role}@{cluster_name()}"[:200]
        self.holder = f"{os.getpid()}.{time.monotonic_ns()}"
        self.renewed = 0.0

    def acquire(self) -> bool:
        now = timezone.now()
        PumpLease.objects.bulk_create(
            [PumpLease(name=self.name, role=self.role, holder="", renewed_at=now, expires_at=now)],
            ignore_conflicts=True,
        )
        return self._take(Q(expires_at__lte=now))

    def renew(self) -> bool:
        """Keeps the lease; False where it expired and somebody else has it."""
        if time.monotonic() - self.renewed < RENEWAL:
            return True
        return self._take(Q(holder=self.holder))

    def release(self) -> None:
        PumpLease.objects.filter(name=self.name, holder=self.holder).update(
            expires_at=timezone.now()
        )

    def _take(self, condition: Q) -> bool:
        now = timezone.now()
        taken = PumpLease.objects.filter(condition, name=self.name).update(
            holder=self.holder, renewed_at=now, expires_at=now + LEASE
        )
        self.renewed = time.monotonic()
        return taken == 1


@dataclass(slots=True)
class Unwritten:
    """An outcome that came home, until the database has taken it: no answer comes twice."""

    errand: Errand
    future: Future[Any]
    since: float  # monotonic seconds
    tries: int = 0
    due: float = 0.0


@dataclass(slots=True)
class Pump:
    """One run of a role's pump."""

    role: Role
    stopping: threading.Event = field(default_factory=threading.Event)
    in_flight: dict[Future[Any], Errand] = field(default_factory=dict)
    since: dict[Future[Any], float] = field(default_factory=dict)  # monotonic seconds
    unwritten: list[Unwritten] = field(default_factory=list)
    swept: float = 0.0
    turn: int = 0
    hurry: bool = False
    done: int = 0

    def run(self, lease: Lease, *, seconds: float) -> int:
        """Pumps for `seconds`, then lets what is in flight come home. How many errands it ran.

        Meanwhile it goes on claiming, for `OVERTIME` at most: a call that hangs must not stop all
        the others until its deadline.
        """
        end = time.monotonic() + seconds
        with self.pool() as pool:
            while _renewed(lease) and self.has_time(end) and not self.stopping.is_set():
                self.sweep()
                if not self.turn_over(pool, ahead=time.monotonic() < end) and not self.in_flight:
                    self.stopping.wait(IDLE)
            while self.in_flight or self.unwritten:
                _renewed(lease)
                self.sweep()
                self.bring_home(self.collect())
                if self.unwritten and not self.in_flight:
                    time.sleep(AGAIN)
        return self.done

    @contextmanager
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        """The threads that talk to the world. What has not begun when a defect, or django-q, ends
        the run is not begun any more: nobody would write down what came of it."""
        pool = ThreadPoolExecutor(self.role.threads(), thread_name_prefix="pump")
        try:
            yield pool
        finally:
            pool.shutdown(cancel_futures=True)

    def has_time(self, end: float) -> bool:
        """Whether the run goes on: until `end`, and while a call from before that is under way."""
        now = time.monotonic()
        return now < end or (
            now < end + OVERTIME and any(since < end for since in self.since.values())
        )

    def drain(self) -> int:
        """Pumps until nothing is due and nothing is in flight. How many errands it ran."""
        with self.pool() as pool:
            while True:
                self.swept = 0.0
                self.sweep()
                if not self.turn_over(pool) and not self.in_flight:
                    if not self.unwritten:
                        return self.done
                    time.sleep(AGAIN)

    def turn_over(self, pool: ThreadPoolExecutor, *, ahead: bool = True) -> int:
        """Takes what has come home, sends out what is due in its place, and only then commits the
        outcomes: the calls go on while the database is busy. How many errands it touched."""
        finished = self.collect()
        claimed = self.claim(pool, ahead=ahead)
        self.bring_home(finished)
        self.hurry = claimed > 0
        return claimed + len(finished)

    def sweep(self) -> None:
        if time.monotonic() - self.swept < CHORE_PAUSE:
            return
        self.swept = time.monotonic()
        for chore in self.role.chores:
            _guarded(chore)

    def claim(self, pool: ThreadPoolExecutor, *, ahead: bool = True) -> int:
        """Claims as many errands as there is room for, an equal share from each source.

        They take turns at being first: where there is room for one at a time, the backlog of one
        source would otherwise take all of it.
        """
        claimed = 0
        room = self.role.threads()
        if ahead and self.is_brisk():
            room += int(room * self.role.ahead)
        self.turn = (self.turn + 1) % len(self.role.sources)
        sources = self.role.sources[self.turn :] + self.role.sources[: self.turn]
        for position, source in enumerate(sources):
            free = room - len(self.in_flight)
            share = -(-free // (len(sources) - position))
            if share <= 0:
                break
            for errand in _guarded(partial(source, share)) or ():
                future = pool.submit(call, errand)
                self.in_flight[future], self.since[future] = errand, time.monotonic()
                claimed += 1
        return claimed

    def is_brisk(self) -> bool:
        """Whether nothing that is claimed ahead would wait for long."""
        return all(time.monotonic() - since < BRISK for since in self.since.values())

    def collect(self) -> list[tuple[Errand, Future[Any]]]:
        """Waits for an outcome, where there is one to come; all that are there."""
        if not self.in_flight:
            return []
        # Where something was due a moment ago, more may be.
        timeout = HURRY if self.hurry else IDLE
        if wait(self.in_flight, timeout=timeout, return_when=FIRST_COMPLETED).done:
            # Those that set out together come home together: one claim for all of them.
            wait(self.in_flight, timeout=GATHERING)
        finished = [future for future in self.in_flight if future.done()]
        for future in finished:
            del self.since[future]
        return [(self.in_flight.pop(future), future) for future in finished]

    def bring_home(self, finished: list[tuple[Errand, Future[Any]]]) -> None:
        now = time.monotonic()
        waiting = self.unwritten + [Unwritten(errand, future, now) for errand, future in finished]
        self.unwritten, refused = [], False
        for each in waiting:
            if now < each.due:
                self.unwritten.append(each)
            elif refused:  # nor is a database that let us wait in vain asked once for each
                each.due = now + AGAIN
                self.unwritten.append(each)
            elif not self.write(each):
                refused = True
                self.unwritten.append(each)

    def write(self, outcome: Unwritten) -> bool:
        """Commits an outcome. False where the database is away, or a lock is not to be had: it is
        tried again, since whoever lost it would have to ask the PAC, which may not be able to tell.
        """
        with logged(outcome.errand):
            try:
                if time.monotonic() - outcome.since > KEPT_FOR:
                    log.error("An outcome could not be written; its lease will bring it back")
                else:
                    outcome.errand.commit(outcome.future.result())
            except (OperationalError, InterfaceError):
                log.warning("An outcome could not be written; it is tried again", exc_info=True)
                outcome.due = time.monotonic() + AGAIN * 2 ** min(outcome.tries, 5)
                outcome.tries += 1
                close_old_connections()
                return False
            except Exception:
                log.exception(DEFECT)
        self.done += 1
        return True


def _renewed(lease: Lease) -> bool:
    try:
        return lease.renew()
    except DatabaseError:
        log.exception("The pump's lease could not be renewed; this run ends")
        return False


def _guarded(work: Callable[[], Any]) -> Any:
    """Runs one piece of work. A defect in it costs that piece alone: its lease expires, and the
    sweep that finds it counts the loss, so that a poisonous document ends with a person."""
    try:
        return work()
    except Exception:
        log.exception(DEFECT)
        return None


def pump(role: str, *, seconds: float = RUN) -> int | None:
    """Runs the pump of `role`: how many errands it ran, None where this cluster has one running."""
    lease = Lease(role)
    if not lease.acquire():
        return None
    run = Pump(ROLES[role])
    try:
        with stopped_by_sigterm(run.stopping):
            return run.run(lease, seconds=seconds)
    finally:
        lease.release()


@contextmanager
def stopped_by_sigterm(stopping: threading.Event) -> Iterator[None]:
    """A SIGTERM lets what is in flight come home instead of cutting it off."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def drain(*roles: str) -> int:
    """Carries out everything that is due now, here, without a lease: for commands and tests."""
    return sum(Pump(ROLES[role]).drain() for role in roles or ROLES)
