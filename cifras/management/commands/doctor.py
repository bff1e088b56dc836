from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from cifras.doctor import examine
from cifras.doctor.findings import Level


class Command(BaseCommand):
    help = (
        "Tries every part that a deployment needs (settings, database, queue, workers, PAC, mail "
        "server, files, keys) and says what is wrong and what to do. Changes nothing. Exit code 1 "
        "if anything fails."
    )
    # It runs them itself: a wrong setting is one finding among others.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="A JSON list instead of lines.")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        with without_a_log_of("pac.client"):  # each finding says what came of its calls
            for finding in examine():
                findings.append(finding)
                if not options["json"]:
                    line = f"{finding.level:<5}{finding.name:<16}{finding.sentence}"
                    self.stdout.write(self._coloured(finding.level, line))
        if options["json"]:
            told = [asdict(finding) for finding in findings]
            self.stdout.write(json.dumps(told, indent=2, ensure_ascii=False))
        failed = sum(finding.level is Level.FAIL for finding in findings)
        if failed:
            raise CommandError(f"{failed} of {len(findings)} findings are failures.")

    def _coloured(self, level: Level, line: str) -> str:
        paint = {Level.FAIL: self.style.ERROR, Level.WARN: self.style.WARNING}.get(level)
        return paint(line) if paint else line


@contextmanager
def without_a_log_of(name: str) -> Iterator[None]:
    """Warnings and worse still come through."""
    logger = logging.getLogger(name)
    level = logger.level
    logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        logger.setLevel(level)
