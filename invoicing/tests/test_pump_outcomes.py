"""What becomes of an outcome when the run is killed, or the database does not take it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django_q.exceptions import TimeoutException
from rest_framework.test import APIClient

from conftest import body
from invoicing import pump
from invoicing.models import Document, PacExchange
from invoicing.services import breaker, submit
from invoicing.tests.errands import Errand
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)


class Dying(pump.Lease):
    """A lease whose renewal meets what is given, once all threads are busy."""

    def __init__(self, errands: list[Errand], end: BaseException) -> None:
        super().__init__("pac")
        self.errands, self.end = errands, end

    def renew(self) -> bool:
        if self.errands:
            assert self.errands[1].begun.wait(5)
            for errand in self.errands:
                assert errand.finished is not None
                errand.finished.set()
            raise self.end
        return True


def hanging(errands: list[Errand]) -> pump.Source:
    """A source of errands that wait to be told to end; they are in `errands` too."""

    def source(limit: int) -> list[Errand]:
        errands.extend(Errand(threading.Event()) for _ in range(limit))
        return list(errands)

    return source


def test_what_has_not_begun_when_a_run_is_killed_is_never_begun() -> None:
    """django-q's time-out, say: nobody would write down what came of it."""
    errands: list[Errand] = []
    run = pump.Pump(pump.Role([hanging(errands)], [], threads=lambda: 2, ahead=0.5))
    with pytest.raises(TimeoutException):
        run.run(Dying(errands, TimeoutException()), seconds=5)
    assert [errand.begun.is_set() for errand in errands] == [True, True, False]


def test_a_lease_that_cannot_be_renewed_ends_the_run_and_what_is_out_comes_home() -> None:
    errands: list[Errand] = []
    run = pump.Pump(pump.Role([hanging(errands)], [], threads=lambda: 2))
    assert run.run(Dying(errands, OperationalError("a restart")), seconds=5) == 2
    assert all(errand.committed.is_set() for errand in errands)


def test_an_outcome_that_the_database_does_not_take_is_kept_until_it_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refusals = [OperationalError("a lock"), InterfaceError("gone"), OperationalError("a restart")]
    monkeypatch.setattr(pump, "AGAIN", 0.01)

    class Refused(Errand):
        def commit(self, outcome: bool) -> None:
            if refusals:
                raise refusals.pop(0)
            super().commit(outcome)

    errand = Refused()
    given = [[errand]]
    run = pump.Pump(pump.Role([lambda _: given.pop() if given else []], []))
    assert run.drain() == 1
    assert errand.committed.is_set()
    assert not refusals


def test_an_outcome_is_written_again_in_its_time_however_busy_the_pump_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its turn must not move on with every round, of which a busy pump makes many a second."""
    monkeypatch.setattr(pump, "AGAIN", 0.2)
    run = pump.Pump(pump.Role([], []))
    refusals = [OperationalError("a lock")]

    class Refused(Errand):
        def commit(self, outcome: bool) -> None:
            if refusals:
                raise refusals.pop(0)
            super().commit(outcome)

    errand: Errand = Refused()
    home: Future[bool] = Future()
    home.set_result(True)
    run.bring_home([(errand, home)])
    began = time.monotonic()
    while run.unwritten and time.monotonic() - began < 5:
        run.bring_home([])
        time.sleep(0.02)
    assert errand.committed.is_set()
    assert 0.15 < time.monotonic() - began < 2


def test_an_outcome_that_the_database_never_takes_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump, "AGAIN", 0.01)
    monkeypatch.setattr(pump, "KEPT_FOR", 0.05)

    class Refused(Errand):
        def commit(self, outcome: bool) -> None:
            raise OperationalError("for good")

    given = [[Refused()]]
    assert pump.Pump(pump.Role([lambda _: given.pop() if given else []], [])).drain() == 1


def test_a_database_that_is_away_is_not_waited_for_once_for_each_outcome(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pump, "AGAIN", 0.05)
    monkeypatch.setattr(pump, "KEPT_FOR", 0.3)

    class Refused(Errand):
        def commit(self, outcome: bool) -> None:
            time.sleep(0.2)
            raise OperationalError("away")

    given = [[Refused() for _ in range(16)]]
    run = pump.Pump(pump.Role([lambda _: given.pop() if given else []], [], threads=lambda: 16))
    began = time.monotonic()
    assert run.drain() == 16
    assert time.monotonic() - began < 2


def test_what_was_said_to_the_pac_is_kept_once_though_it_is_written_again(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    sound, refusals = breaker.succeeded, [OperationalError("a lock")]

    def succeeded(tenant: Tenant) -> None:
        if refusals:
            raise refusals.pop()
        sound(tenant)

    monkeypatch.setattr(breaker, "succeeded", succeeded)
    monkeypatch.setattr(pump, "AGAIN", 0.01)
    pump.drain("pac")
    assert refusals == []
    assert sum(box.posts.values()) == 1
    assert PacExchange.unscoped.filter(owner=pk, method="POST").count() == 1


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite locks no row")
def test_an_answer_survives_a_row_that_is_locked_for_longer_than_we_wait(
    api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    held, release = threading.Event(), threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic():
                Document.unscoped.select_for_update().get(pk=pk)
                held.set()
                release.wait(10)
        finally:
            connections.close_all()

    holder = threading.Thread(target=hold)
    sound = submit.Sending.call

    def call(self: submit.Sending) -> Any:
        outcome = sound(self)
        holder.start()
        assert held.wait(5)
        threading.Timer(2.6, release.set).start()  # lock_timeout is two seconds
        return outcome

    monkeypatch.setattr(submit.Sending, "call", call)
    pump.Pump(pump.Role([submit.claim_due], [])).drain()
    holder.join()
    document = Document.unscoped.get(pk=pk)
    assert (document.submission_state, document.document_id) == ("DONE", box.documents[0].id)
