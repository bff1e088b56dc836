"""Several workers at the same moment, each with a database connection of its own."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")

SECONDS = 30  # nobody may wait for ever for another


def together(*workers: Callable[[], T]) -> list[T]:
    """Runs the workers at the same time; what each of them returned."""

    def alone(worker: Callable[[], T]) -> T:
        try:
            return worker()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(workers)) as pool:
        futures = [pool.submit(alone, worker) for worker in workers]
        return [future.result(timeout=SECONDS) for future in futures]
