"""`manage.py sync_catalogs`: the DGI's catalogues from the PAC."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from invoicing.errors import CatalogNotSynchronised
from invoicing.models import PacCatalog
from invoicing.services import catalog_sync
from invoicing.services.catalog_sync import Changes


class Command(BaseCommand):
    """Each list is committed by itself and only its differences are written: a run that was cut
    off is finished by running it again. The worker does the same once a week."""

    help = (
        "Takes over the PAC's catalogues: countries, locations, units, goods and services. "
        "A list that cannot be read stays as it was; the exit code is 1 then."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="show them, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        dry_run: bool = options["dry_run"]
        failed: dict[str, str] = {}
        with catalog_sync.pac() as client:
            for position, catalog in enumerate(PacCatalog, start=1):
                self.say(f"{position}/{len(PacCatalog)} {catalog}: ", ending="")
                try:
                    changes = catalog_sync.synchronise(catalog, client, dry_run=dry_run)
                except CatalogNotSynchronised as error:
                    failed[catalog] = error.message
                    self.say(f"not read. {error.message}")
                else:
                    self.say(spelled_out(changes))
        done = len(PacCatalog) - len(failed)
        self.close(done, failed, dry_run=dry_run)

    def close(self, done: int, failed: dict[str, str], *, dry_run: bool) -> None:
        what = f"{done} catalogue{'' if done == 1 else 's'}"
        if failed:
            reasons = " ".join(f"{catalog}: {reason}" for catalog, reason in failed.items())
            raise CommandError(
                f"{what} read from {settings.PAC_BASE_URL}, {len(failed)} left as they were; run "
                f"this again. {reasons}"
            )
        ending = "; nothing was changed" if dry_run else " and kept"
        self.say(f"{what} read from {settings.PAC_BASE_URL}{ending}.")

    def say(self, text: str, ending: str = "\n") -> None:
        self.stdout.write(text, ending=ending)
        self.stdout.flush()


def spelled_out(changes: Changes) -> str:
    return (
        f"{changes.listed} codes: {changes.new} new, {changes.renamed} renamed, "
        f"{changes.gone} gone."
    )
