"""The tenants' programs: they post orders, and after a doubt post the same again."""

from __future__ import annotations

import queue
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

import requests

from bench.chaos.plan import Order

PAUSE = 0.3  # seconds before the next try
TIMEOUT = 15.0  # seconds
IN_PROGRESS = "idempotency_in_progress"


class Clients:
    """Some threads that post a queue of orders, each until it is answered 201.

    They try again as the API's documentation tells a client to: after a broken connection, a 5xx,
    a 429 and a 409 `idempotency_in_progress`, with the same key and body.
    """

    def __init__(self, url: str, keys: Sequence[str], orders: Iterable[Order], count: int) -> None:
        self._url = f"{url}/api/v1/invoices"
        self._keys = keys
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        for order in orders:
            self._orders.put(order)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name=f"client-{each}", daemon=True)
            for each in range(count)
        ]
        self.ids: defaultdict[int, set[str]] = defaultdict(set)
        """The ids of the documents that each order became."""
        self.answers: Counter[str] = Counter()
        """How often the clients met each answer, or no answer."""
        self.surprises: list[str] = []
        """Answers that a good client must never get."""

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Gives up what is not posted yet."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    @property
    def are_done(self) -> bool:
        return not any(thread.is_alive() for thread in self._threads)

    @property
    def posted(self) -> int:
        """How many orders are documents now."""
        with self._lock:
            return len(self.ids)

    def _run(self) -> None:
        with requests.Session() as session:
            session.trust_env = False
            while not self._stopping.is_set():
                try:
                    order = self._orders.get_nowait()
                except queue.Empty:
                    return
                self._post(session, order)

    def _post(self, session: requests.Session, order: Order) -> None:
        headers = {
            "Authorization": f"Bearer {self._keys[order.tenant]}",
            "Idempotency-Key": order.key,
        }
        pause = 0.0
        while not self._stopping.wait(pause):
            pause = PAUSE
            try:
                answer = session.post(self._url, json=order.body, headers=headers, timeout=TIMEOUT)
            except requests.RequestException:
                self._note("no answer")
                continue
            replayed = "Idempotency-Replayed" in answer.headers
            self._note(f"{answer.status_code}{' replayed' if replayed else ''}")
            if answer.status_code == 201:
                with self._lock:
                    self.ids[order.number].add(answer.json()["id"])
                return
            if answer.status_code == 429:
                pause = float(answer.headers.get("Retry-After", PAUSE))
            elif answer.status_code != 503 and not _is_in_progress(answer):
                self._be_surprised(order, answer)
                if answer.status_code < 500:
                    return

    def _note(self, answer: str) -> None:
        with self._lock:
            self.answers[answer] += 1

    def _be_surprised(self, order: Order, answer: requests.Response) -> None:
        with self._lock:
            self.surprises.append(f"{order.key}: {answer.status_code} {answer.text[:300]}")


def _is_in_progress(answer: requests.Response) -> bool:
    return answer.status_code == 409 and IN_PROGRESS in answer.text
