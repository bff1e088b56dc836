"""Taking over the PAC's catalogues."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import DataError, transaction

from invoicing.errors import CatalogNotSynchronised
from invoicing.models import CatalogEntry, PacCatalog
from invoicing.services import catalogs
from pac.client import PacClient
from pac.errors import PacError


@dataclass(frozen=True, slots=True)
class Changes:
    """What a synchronisation changed: how many codes the PAC lists, and how many are new, have
    another name, or are gone."""

    listed: int
    new: int
    renamed: int
    gone: int


@contextmanager
def pac() -> Iterator[PacClient]:
    """The PAC with the token of the settings: the catalogues belong to no tenant."""
    client = PacClient(
        base_url=settings.PAC_BASE_URL,
        token=settings.PAC_API_KEY,
        connect_timeout=settings.PAC_CONNECT_TIMEOUT,
        read_timeout=settings.PAC_READ_TIMEOUT,
    )
    try:
        yield client
    finally:
        client.close()


def synchronise(catalog: PacCatalog, client: PacClient, *, dry_run: bool = False) -> Changes:
    """Makes our list the PAC's, in one commit: a reader sees the old list or the new one.

    Twice does no harm. With `dry_run` nothing is written. Raises `CatalogNotSynchronised`, with our
    list as it was, where the PAC gives none or one that cannot be kept.
    """
    try:
        listed = {entry.code: entry.name for entry in client.catalogue(catalog)}
        # The DGI empties no list: nothing is what a faulty PAC answers.
        if not listed:
            raise CatalogNotSynchronised("The PAC listed nothing.")
        return _write(catalog, listed, dry_run=dry_run)
    except PacError as error:
        raise CatalogNotSynchronised(error.message) from error
    except DataError as error:
        raise CatalogNotSynchronised(f"The list cannot be stored: {error}") from error


def _write(catalog: PacCatalog, listed: dict[str, str], *, dry_run: bool) -> Changes:
    rows = CatalogEntry.objects.filter(catalog=catalog)
    with transaction.atomic():
        known = dict(rows.values_list("code", "name"))
        gone = known.keys() - listed.keys()
        # In order, so that two runs at once take the rows' locks one after the other.
        changed = sorted(code for code, name in listed.items() if known.get(code) != name)
        if not dry_run:
            rows.filter(code__in=gone).delete()
            CatalogEntry.objects.bulk_create(
                [CatalogEntry(catalog=catalog, code=code, name=listed[code]) for code in changed],
                batch_size=500,
                update_conflicts=True,
                unique_fields=["catalog", "code"],
                update_fields=["name"],
            )
    if not dry_run:
        catalogs.forget()
    new = sum(code not in known for code in changed)
    return Changes(len(listed), new=new, renamed=len(changed) - new, gone=len(gone))
