"""Errands of the pump that go nowhere."""

from __future__ import annotations

import threading


class Errand:
    """Work that takes until `finished` is set, and tells when it was begun and committed."""

    def __init__(self, finished: threading.Event | None = None) -> None:
        self.finished = finished
        self.begun, self.committed = threading.Event(), threading.Event()

    def call(self) -> bool:
        self.begun.set()
        return self.finished.wait(20) if self.finished else True

    def commit(self, outcome: bool) -> None:
        assert outcome, "nobody went on while this one was under way"
        self.committed.set()


def endless(limit: int) -> list[Errand]:
    return [Errand() for _ in range(limit)]
