"""The webhooks that the PAC sends: best effort, repeated on demand, in no particular order."""

import logging
import queue
import threading
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import requests

from pac.sandbox.faults import FaultInjector
from pac.sandbox.options import Options
from pac.sandbox.records import Company, Document
from pac.sandbox.wire import JSON, dumps

WORKERS = 4
PAUSES = (0.0, 0.1, 0.4)
"""Seconds before each of the three attempts."""
TIMEOUT = (2.0, 5.0)

logger = logging.getLogger(__name__)


class Delivery(NamedTuple):
    """One POST to a company's endpoint."""

    url: str
    headers: Mapping[str, str]
    body: str


class Webhooks:
    """A queue of deliveries and the threads that send them; late ones wait in a queue before it.

    After three failed attempts a delivery is forgotten, as it is with the real PAC.
    """

    def __init__(self, options: Options, injector: FaultInjector) -> None:
        self._options = options
        self._injector = injector
        self._queue: queue.Queue[Delivery | None] = queue.Queue()
        self._late: queue.Queue[tuple[float, Delivery] | None] = queue.Queue()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"sandbox-webhook-{each}", daemon=True)
            for each in range(WORKERS)
        ]
        self._threads.append(
            threading.Thread(target=self._hold_back, name="sandbox-webhook-late", daemon=True)
        )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; what is still queued is lost."""
        self._stopping.set()
        self._late.put(None)
        for _ in range(WORKERS):
            self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def announce(self, company: Company, document: Document) -> None:
        """Tell a company that a document's legal status changed."""
        target = company.webhook
        if target is not None:
            self.send(target["url"], target.get("headers", {}), document)

    def send(self, url: str, headers: Mapping[str, str], document: Document) -> None:
        """Queue a document's status for any URL."""
        if self._options.no_webhooks:
            return
        delivery = Delivery(url, dict(headers), dumps(_body(document)))
        for _ in range(self._injector.copies()):
            if self._injector.holds_back():
                due = time.monotonic() + self._options.webhook_late_seconds
                self._late.put((due, delivery))
            else:
                self._queue.put(delivery)

    def drain(self, seconds: float) -> bool:
        """Wait until everything queued was sent or given up; False after `seconds`."""
        end = time.monotonic() + seconds
        return all(_is_empty_by(end, each) for each in (self._late, self._queue))

    def _hold_back(self) -> None:
        while (held := self._late.get()) is not None:
            due, delivery = held
            self._stopping.wait(max(0.0, due - time.monotonic()))
            self._queue.put(delivery)
            self._late.task_done()

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while (delivery := self._queue.get()) is not None:
                try:
                    self._deliver(session, delivery)
                finally:
                    self._queue.task_done()

    def _deliver(self, session: requests.Session, delivery: Delivery) -> None:
        for pause in PAUSES:
            if self._stopping.wait(pause):
                return
            try:
                answer = session.post(
                    delivery.url,
                    data=delivery.body.encode(),
                    headers={"Content-Type": JSON, **delivery.headers},
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
            except requests.RequestException as error:
                logger.info("Webhook to %s failed: %s", delivery.url, type(error).__name__)
                continue
            if answer.ok:
                return
            logger.info("Webhook to %s was answered %s", delivery.url, answer.status_code)


def _is_empty_by(end: float, waiting: queue.Queue[Any]) -> bool:
    """Wait until a queue's work is done; False where it is not at `end` (`time.monotonic`)."""
    with waiting.all_tasks_done:
        return waiting.all_tasks_done.wait_for(
            lambda: not waiting.unfinished_tasks, max(0.0, end - time.monotonic())
        )


def _body(document: Document) -> dict[str, Any]:
    """No file links are in it, and some keys that a receiver has to ignore."""
    return {
        "id": document.id,
        "legalStatus": document.legal_status,
        "cufe": document.cufe,
        "message": f"Document {document.legal_status}",
        "webhook": "emissionFinished",
        "idCompany": document.company_id,
        "documentType": document.kind.word,
    }
