"""`manage.py dgi_codes`: which of the DGI's rejection codes are judged before sending."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from invoicing.fiscal import codebook


class Command(BaseCommand):
    """Reads the source of the rules; needs no database. Writing twice changes nothing."""

    help = "Writes docs/dgi-codes.md from the rules themselves."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="write nothing; fail where the page is out of date"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if gaps := codebook.gaps():
            raise CommandError("; ".join(gaps) + ". See invoicing/fiscal/codebook.py.")
        target = Path(settings.BASE_DIR) / "docs" / "dgi-codes.md"
        page = codebook.page()
        current = target.exists() and target.read_text("utf-8") == page
        if options["check"] and not current:
            raise CommandError("docs/dgi-codes.md is out of date. Run: manage.py dgi_codes")
        if not current:
            target.write_text(page, "utf-8")
        told = "is up to date" if current else "written"
        self.stdout.write(f"docs/dgi-codes.md {told}: {len(codebook.NAMES)} codes.")
