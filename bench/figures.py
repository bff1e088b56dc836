"""What a benchmark found, and the page that tells it."""

from __future__ import annotations

import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.utils import timezone

PAGE = Path(__file__).resolve().parent.parent / "docs" / "performance.md"

INTRODUCTION = """\
# Performance

Written by `make bench`; do not edit. Every row was measured in one run on one machine, what is
compared side by side, so that the ratio says more than the times. PostgreSQL keeps its defaults:
each commit waits for the disk.
"""


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: a measured value beside what it is compared with."""

    name: str
    measured: str
    against: str
    ratio: float | None
    wanted: str
    kept: bool

    def row(self) -> list[str]:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f}"
        return [self.name, self.measured, self.against, ratio, self.wanted, self.word]

    @property
    def word(self) -> str:
        return "yes" if self.kept else "NO"


HEAD = ["what", "measured", "against", "ratio", "wanted", "kept"]


def as_text(figures: Sequence[Figure]) -> str:
    rows = [HEAD, *(figure.row() for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def as_page(figures: Sequence[Figure], notes: Sequence[str]) -> str:
    rows = [HEAD, ["---"] * len(HEAD), *(figure.row() for figure in figures)]
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    told = "\n".join(f"- {note}" for note in notes)
    return f"{INTRODUCTION}\n{_machine()}\n\n{table}\n\n{told}\n"


def _machine() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        postgres = str(cursor.fetchone()[0]).split()[0]
    return (
        f"{timezone.now():%Y-%m-%d}: {os.cpu_count()} cores ({_processor()}), "
        f"Python {platform.python_version()}, PostgreSQL {postgres}. The web server, the worker, "
        "the PAC, the database and the client that asks share those cores."
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def median(seconds: Sequence[float]) -> float:
    """In milliseconds."""
    return statistics.median(seconds) * 1000


def percentile(seconds: Sequence[float], share: float) -> float:
    """In milliseconds: `share` of all took no longer."""
    ordered = sorted(seconds)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000
