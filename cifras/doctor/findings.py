"""What a check says."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "FAIL"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part: how bad, and a sentence that says what to do."""

    level: Level
    name: str
    sentence: str


Found = Iterator[tuple[Level, str]]
