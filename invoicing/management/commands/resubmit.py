"""`manage.py resubmit`: what stands as FAILED goes back into the queue."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet

from invoicing.models import Document, SubmissionState
from invoicing.models.documents import TERMINAL
from invoicing.services import queue
from tenants.errors import TenantError

ACTOR = "manage.py resubmit"


class Command(BaseCommand):
    """The same as `/retry` and the admin's action. Twice does no harm: what is on its way stays."""

    help = (
        "Puts a FAILED document, or all of them, back into the queue to the PAC. "
        "A document that was judged is never sent again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("document", nargs="?", metavar="DOCUMENT", help="its id or its CUFE")
        which.add_argument("--failed", action="store_true", help="every document that is FAILED")
        parser.add_argument("--dry-run", action="store_true", help="show them, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["failed"]:
            failed = Document.unscoped.filter(submission_state=SubmissionState.FAILED)
            self.all_of(failed.order_by("id"), dry_run=options["dry_run"])
        else:
            self.one(find(options["document"]), dry_run=options["dry_run"])

    def one(self, document: Document, *, dry_run: bool) -> None:
        if document.legal_status in TERMINAL:
            raise CommandError(
                f"{document} was judged: {document.legal_status}. It is never sent again; "
                "issue a new one instead."
            )
        if document.submission_state != SubmissionState.FAILED:
            self.stdout.write(
                f"{document} is {document.submission_state}: nothing to resubmit, nothing changed."
            )
            return
        try:
            self.resubmit(document, dry_run=dry_run)
        except TenantError as error:
            raise CommandError(f"{document}: {error.message}") from None
        self.close(1, 0, dry_run=dry_run)

    def all_of(self, documents: QuerySet[Document], *, dry_run: bool) -> None:
        done = left = 0
        for document in documents.select_related("tenant", "office").iterator(chunk_size=200):
            try:
                self.resubmit(document, dry_run=dry_run)
            except TenantError as error:
                left += 1
                self.stdout.write(f"{document}: left as it is. {error.message}")
            else:
                done += 1
        self.close(done, left, dry_run=dry_run)

    def resubmit(self, document: Document, *, dry_run: bool) -> None:
        reason = (document.submission_error or {}).get("message", "no reason noted")
        if not dry_run:
            document = queue.retry(document, actor=ACTOR)
        self.stdout.write(f"{document} of {document.tenant.name}, which had stopped: {reason}")

    def close(self, done: int, left: int, *, dry_run: bool) -> None:
        documents = f"{done} document{'' if done == 1 else 's'}"
        if dry_run:
            self.stdout.write(f"{documents} would go back into the queue; nothing was changed.")
            return
        rest = f" {left} left as they are." if left else ""
        self.stdout.write(f"{documents} put back into the queue.{rest}")


def find(text: str) -> Document:
    """The document with this id or CUFE. Raises `CommandError` where there is none."""
    try:
        wanted = Q(pk=UUID(text))
    except ValueError:
        wanted = Q(computed_cufe=text) | Q(invoice_number=text)
    document = Document.unscoped.filter(wanted).select_related("tenant", "office").first()
    if document is None:
        raise CommandError(f"There is no document with the id or CUFE {text}.")
    return document
