"""The DGI's verdict on each accepted document, some time after the PAC's."""

import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

from pac.sandbox.faults import FaultInjector
from pac.sandbox.options import Options
from pac.sandbox.records import DGI_AUTHORIZED, DGI_REJECTED, PAC_AUTHORIZED, Document
from pac.sandbox.state import State
from pac.sandbox.webhooks import Webhooks

REJECT_WORD = "REJECT-DGI"
REJECTION = {
    "code": "1602",
    "message": "RUC inexistente en los registros de la DIRECCIÓN GENERAL DE INGRESOS",
}
LOOK_AGAIN = 0.25
"""Seconds: how soon a `dgi_delay` that was changed meanwhile is noticed."""


class Verdicts:
    """Decides on documents in the order of their acceptance, `dgi_delay` seconds after it."""

    def __init__(
        self,
        state: State,
        options: Options,
        injector: FaultInjector,
        webhooks: Webhooks,
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._options = options
        self._injector = injector
        self._webhooks = webhooks
        self._clock = clock
        self._pending: deque[Document] = deque()
        self._wake = threading.Condition(state.lock)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="sandbox-dgi", daemon=True)

    def start(self) -> None:
        """Go on with what a state file left undecided."""
        undecided = (
            each for each in self._state.documents.values() if each.legal_status == PAC_AUTHORIZED
        )
        self._pending.extend(sorted(undecided, key=lambda document: document.accepted_at))
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def add(self, document: Document) -> None:
        """A document that was just accepted."""
        with self._wake:
            self._pending.append(document)
            self._wake.notify()

    def clear(self) -> None:
        with self._wake:
            self._pending.clear()

    def decide_due(self, *, everything: bool = False) -> None:
        """Decide on what is due by now, or on everything that waits.

        Readers call it first: with a delay of 0 the verdict is there at the first look, with
        no thread to be waited for.
        """
        with self._wake:
            while self._pending and (everything or self._remaining() <= 0):
                self._decide(self._pending.popleft())

    def _remaining(self) -> float:
        due = self._pending[0].accepted_at + timedelta(seconds=self._options.dgi_delay)
        return (due - self._clock()).total_seconds()

    def _decide(self, document: Document) -> None:
        company = self._state.companies[document.company_id]
        if document.mentions(REJECT_WORD) or self._injector.strikes(self._options.reject_rate):
            document.legal_status = DGI_REJECTED
            document.government_response = [REJECTION]
        else:
            document.legal_status = DGI_AUTHORIZED
            document.authorization_protocol = f"{secrets.randbelow(10**15):015}"
        self._state.touch(document)
        self._webhooks.announce(company, document)

    def _run(self) -> None:
        with self._wake:
            while not self._stopping:
                self.decide_due()
                pause = min(max(self._remaining(), 0.01), LOOK_AGAIN) if self._pending else None
                self._wake.wait(pause)
