"""What the pump carries out: commit the intent, call the world, commit the outcome.

The three parts are kept apart so that no call is made inside a transaction and no thread that waits
for the world holds a database connection: the pump's own thread claims and commits, its pool of
threads only calls.
"""

from __future__ import annotations

import random
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from invoicing.models import Document, PacExchange
from invoicing.models.documents import PacDocumentType
from pac.client import Exchange, Kind, PacClient
from pac.errors import Unavailable
from tenants.log_context import log_context

KINDS = {
    PacDocumentType.INVOICE: Kind.INVOICE,
    PacDocumentType.CREDIT_NOTE: Kind.CREDIT_NOTE,
    PacDocumentType.DEBIT_NOTE: Kind.DEBIT_NOTE,
}
# Of one errand, four calls of the longest; what would not end within it is not begun.
LEASE = timedelta(seconds=4 * (settings.PAC_CONNECT_TIMEOUT + settings.PAC_READ_TIMEOUT))
LONGEST_PAUSE = timedelta(minutes=15)


class Errand(Protocol):
    """A claimed piece of work. `call` touches no database, `commit` nothing else."""

    def call(self) -> Any:
        """Does the work in the world. Raises only what `commit` must not see."""

    def commit(self, outcome: Any) -> None:
        """Writes down what came of it, in one transaction."""


@runtime_checkable
class AboutDocument(Protocol):
    """An errand that is about one document: the log lines written on it say which."""

    @property
    def document(self) -> Document: ...


def run(errand: Errand) -> None:
    """Carries out one errand here and now."""
    with logged(errand):
        errand.commit(errand.call())


def call(errand: Errand) -> Any:
    """`errand.call()`, for a thread of a pool: whatever it logs names the errand's document."""
    with logged(errand):
        return errand.call()


def logged(errand: Errand) -> AbstractContextManager[None]:
    """The log's context of everything that is done for `errand`."""
    if isinstance(errand, AboutDocument):
        return log_context(tenant=errand.document.tenant_id, document=errand.document.pk)
    return log_context()


def backoff(
    setbacks: int, *, first: timedelta = timedelta(seconds=1), growth: float = 2
) -> timedelta:
    """The pause before the next try: longer at each setback up to 15 minutes, with jitter so that
    those who failed together do not come back together."""
    longest = min(first * growth ** min(setbacks, 20), LONGEST_PAUSE)
    return longest * random.uniform(0.5, 1)  # noqa: S311 (spreads load, guards nothing)


class TooLate(Unavailable):
    """Nothing was sent, and the PAC has no part in that: the errand had waited for too long."""


def require_time(client: PacClient, lease_expires_at: datetime) -> None:
    """Raises `TooLate` where one more call might outlast the lease: whoever has the work by then
    knows nothing of this one."""
    if timezone.now() + timedelta(seconds=client.total_deadline) > lease_expires_at:
        raise TooLate("Not sent: this try had waited too long for its turn.")


def kind_of(document: Document) -> Kind:
    return KINDS[PacDocumentType(document.document_type)]


def keep_exchanges(document: Document, exchanges: list[Exchange]) -> None:
    """Stores what was said to the PAC about `document`, in the caller's transaction, once: they are
    gone from `exchanges` when that has committed, though the commit be tried again."""
    transaction.on_commit(exchanges.clear)
    PacExchange.unscoped.bulk_create(
        [
            PacExchange(
                tenant_id=document.tenant_id,
                owner=document,
                method=exchange.method,
                path=exchange.path[:500],
                status=exchange.status,
                request=exchange.request,
                response=exchange.response,
                error=exchange.error,
                elapsed_ms=exchange.elapsed_ms,
            )
            for exchange in exchanges
        ]
    )


def later(now: datetime, setbacks: int, retry_after: float | None = None) -> datetime:
    """When to try again after `setbacks`, not before the PAC's own `Retry-After` (seconds).

    Half as long again each time, 15 minutes after seventeen setbacks. A PAC that is away is spared
    by its breaker; what comes here while others pass was unlucky, and must not rest for long.
    """
    return now + max(backoff(setbacks, growth=1.5), timedelta(seconds=retry_after or 0))
