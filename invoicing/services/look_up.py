"""Asking the PAC's list for one document while somebody waits for the answer."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from invoicing.errors import PacUnavailable
from invoicing.models import Document
from invoicing.services import breaker
from invoicing.services.errands import keep_exchanges, kind_of
from invoicing.services.locks import locked_again
from pac.answers import DocumentAnswer
from pac.client import Exchange
from pac.errors import PacError
from tenants.pac import pac_client


def look_up(
    document: Document, belongs: Callable[[Document, DocumentAnswer], bool], *, deadline: float
) -> str | None:
    """The PAC's id of the list's entry that `belongs` to `document`, else of one that does not show
    whose it is; None without, and where the PAC has no list.

    `deadline` is in seconds. Raises `PacUnavailable` where no answer came in time, and
    `Document.DoesNotExist` where the document was deleted meanwhile.
    """
    exchanges: list[Exchange] = []
    client = pac_client(document.tenant, exchanges.append, deadline=deadline)
    company = document.tenant.pac_company_id or ""
    try:
        entries = client.find(kind_of(document), company, document.number, document.billing_point)
    except PacError as error:
        breaker.not_judged(document.tenant, document.pk, error, timezone.now())
        raise PacUnavailable(f"The PAC could not be asked: {error.message}") from error
    finally:
        with transaction.atomic():
            locked_again(document)
            keep_exchanges(document, exchanges)
    ours = [entry.id for entry in entries or [] if belongs(document, entry)]
    silent = [entry.id for entry in entries or [] if entry.cufe is None]
    return next(iter(ours or silent), None)
