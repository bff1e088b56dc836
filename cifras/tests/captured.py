"""What is logged, caught on its way out."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cifras.logs import JsonLines


class Captured(logging.Handler):
    """Everything that is logged, as JSON lines and as it would have been without masking."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.json, self.bare = JsonLines(), logging.Formatter()
        self.lines: list[str] = []
        self.raw = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.json.format(record))
        self.raw += self.bare.format(record) + "\n"

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    def of(self, *loggers: str) -> list[dict[str, Any]]:
        return [record for record in self.records if record["logger"] in loggers]


@contextmanager
def capturing(level: int = logging.INFO) -> Iterator[Captured]:
    """Catches what every logger says from `level` on."""
    root, handler = logging.getLogger(), Captured()
    before = root.level
    root.addHandler(handler)
    root.setLevel(level)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
