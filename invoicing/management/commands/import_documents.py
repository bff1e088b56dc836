"""`manage.py import_documents`: a list of invoices issued elsewhere, recorded with their CUFEs."""

from __future__ import annotations

import csv
import os
import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any, TextIO

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError
from rest_framework.exceptions import ValidationError
from tqdm import tqdm

from invoicing.api.imports import ImportReader
from invoicing.api.spreadsheets import cell
from invoicing.fiscal.draft import Fault
from invoicing.fiscal.imports import ImportDraft
from invoicing.management.import_rows import Row, UnusableFile, rows_of
from invoicing.services.import_documents import State, Verdict, import_batch, offices_of
from pac.dgi.ruc import RucType
from tenants.management.tenant_argument import tenant_by_ruc
from tenants.models import Tenant

BATCH = 200  # rows of one transaction: what a kill costs, and how long a series may be held
HEADER = ("row", "code", "message", "field")


class Command(BaseCommand):
    """Each batch is one transaction. Running it again, after a kill too, goes on where it stopped:
    rows whose CUFE is recorded for the tenant are passed over. Exit code 1 where a row was refused.
    """

    help = (
        "Records invoices that were issued elsewhere (DGI_IMPORT) from a CSV or JSON Lines file, "
        "whose columns are the fields of POST /invoices/import. Nothing is sent to the PAC."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE", help="CSV with a header, or JSON Lines")
        parser.add_argument("--tenant", required=True, metavar="RUC")
        parser.add_argument("--ruc-type", choices=[each.value for each in RucType])
        parser.add_argument("--dry-run", action="store_true", help="judge the rows, write nothing")
        parser.add_argument(
            "--refused", metavar="FILE", help="the report of refused rows (default: stderr)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = tenant_by_ruc(options["tenant"], options["ruc_type"])
        with ExitStack() as stack:
            try:
                file = stack.enter_context(open(options["file"], "rb"))
                refused: Any = self.stderr
                if options["refused"]:
                    refused = stack.enter_context(
                        open(options["refused"], "w", encoding="utf-8", newline="")
                    )
            except OSError as error:
                raise CommandError(
                    f"{error.filename} cannot be opened: {error.strerror}."
                ) from None
            # Without a terminal there is nobody to watch a bar.
            progress = stack.enter_context(
                tqdm(total=os.fstat(file.fileno()).st_size, unit="B", unit_scale=True, disable=None)
            )
            report = Report(refused, progress)
            try:
                rows = rows_of(file, progress.update)
                self.record(tenant, rows, report, dry_run=options["dry_run"])
            except UnusableFile as error:
                raise CommandError(str(error)) from None
            except OperationalError as error:
                raise CommandError(
                    f"The database is away or busy: {error}. {report.count(State.RECORDED)} rows "
                    "were recorded; run the same command again, it goes on where it stopped."
                ) from error
        self.stdout.write(_closing(report, options))
        if report.count(State.REFUSED):
            sys.exit(1)

    @staticmethod
    def record(tenant: Tenant, rows: Iterator[Row], report: Report, *, dry_run: bool) -> None:
        reader, offices = ImportReader(), offices_of(tenant)
        while batch := list(islice(rows, BATCH)):
            readable: list[tuple[int, tuple[ImportDraft, list[Fault]]]] = []
            verdicts: dict[int, Verdict] = {}
            for row in batch:
                try:
                    if row.fault:
                        verdicts[row.number] = Verdict(State.REFUSED, (row.fault,))
                    else:
                        readable.append((row.number, reader.read(row.body)))
                except ValidationError:
                    fault = Fault("", "not_an_object", "A row is an object: {...}.")
                    verdicts[row.number] = Verdict(State.REFUSED, (fault,))
            judged = import_batch(
                tenant=tenant,
                batch=[wanted for _, wanted in readable],
                offices=offices,
                dry_run=dry_run,
            )
            verdicts |= zip((number for number, _ in readable), judged, strict=True)
            report.add(sorted(verdicts.items(), key=lambda item: item[0]))


class Report:
    """How many rows ended how, and the refused ones as CSV: one line for each of their faults."""

    def __init__(self, refused: TextIO, progress: tqdm[Any]) -> None:
        self._ends: Counter[State] = Counter()
        self._refused = csv.writer(refused, lineterminator="\n")
        self._progress = progress

    def add(self, verdicts: Iterable[tuple[int, Verdict]]) -> None:
        for number, verdict in verdicts:
            if verdict.state == State.REFUSED:
                self._refuse(number, verdict.faults)
            self._ends[verdict.state] += 1

    def _refuse(self, number: int, faults: Iterable[Fault]) -> None:
        self._progress.clear()
        if not self._ends[State.REFUSED]:
            self._refused.writerow(HEADER)
        self._refused.writerows(
            [number, fault.code, cell(str(fault)), cell(fault.path)] for fault in faults
        )

    def count(self, *states: State) -> int:
        return sum(self._ends[state] for state in states or State)


def _closing(report: Report, options: dict[str, Any]) -> str:
    recorded, known = report.count(State.RECORDED), report.count(State.KNOWN)
    refused = report.count(State.REFUSED)
    what = "would be recorded" if options["dry_run"] else "recorded"
    where = f" (see {options['refused']})" if refused and options["refused"] else ""
    ending = " Nothing was changed." if options["dry_run"] else ""
    return (
        f"{report.count()} rows: {recorded} {what}, {known} known already, "
        f"{refused} refused{where}.{ending}"
    )
