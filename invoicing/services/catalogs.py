"""The DGI's catalogues: what Cifras knows by itself, under what the PAC lists.

The PAC's word wins, code by code. Its lists lie over a built-in minimum, so that a fresh install
works and an extract (such as the sandbox answers) hides nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from typing import NamedTuple

import pycountry
from django.core.cache import cache as shared

from invoicing.models import CatalogEntry, PacCatalog
from invoicing.pdf.formats import country
from pac.dgi import codes, extracts, shapes

# A process with a cache of its own (no Redis) does not hear of a synchronisation in another one.
KEPT = 300  # seconds

Names = Mapping[str, str]


class Catalog(StrEnum):
    """The catalogues by their public names."""

    ITBMS_RATES = "itbms-rates"
    PAYMENT_METHODS = "payment-methods"
    RETENTION_CODES = "retention-codes"
    UNITS = "units"
    COUNTRIES = "countries"
    LOCATIONS = "locations"
    CPBS = "cpbs"
    DOCUMENT_TYPES = "document-types"


class Entry(NamedTuple):
    code: str
    name: str


class Listing(NamedTuple):
    """Code -> name in the order of the codes; `is_whole` where no other code can exist."""

    names: dict[str, str]
    is_whole: bool


# The lists that the DGI fixes in its ficha técnica: complete, and never asked of the PAC.
FIXED: dict[Catalog, Names] = {
    Catalog.ITBMS_RATES: codes.ITBMS_NAMES,
    Catalog.PAYMENT_METHODS: codes.PAYMENT_METHODS,
    Catalog.RETENTION_CODES: {
        code: retention.name for code, retention in codes.RETENTION_CODES.items()
    },
    Catalog.DOCUMENT_TYPES: codes.DOCUMENT_TYPES,
}
# The PAC's lists that make a catalogue; the first one has its codes.
LISTS: dict[Catalog, list[PacCatalog]] = {
    Catalog.UNITS: [PacCatalog.UNITS],
    Catalog.COUNTRIES: [PacCatalog.COUNTRIES],
    Catalog.CPBS: [PacCatalog.CPBS],
    Catalog.LOCATIONS: [
        PacCatalog.CORREGIMIENTOS,
        PacCatalog.LOCATIONS,
        PacCatalog.DISTRICTS,
        PacCatalog.PROVINCES,
    ],
}


def listing(catalog: Catalog) -> Listing:
    """The catalogue: from the cache, else by one query; the fixed ones need neither.

    A synchronisation shows at once where the processes share a cache, else after `KEPT` seconds.
    """
    if catalog in FIXED:
        return _fixed(catalog)
    found: Listing | None = shared.get(_key(catalog))
    if found is None:
        found = _read(catalog)
        shared.set(_key(catalog), found, KEPT)
    return found


def search(catalog: Catalog, wanted: str = "") -> list[Entry]:
    """The entries whose code and name have every word of `wanted`, whatever case and accents."""
    words = fold(wanted).split()
    entries = [Entry(code, name) for code, name in listing(catalog).names.items()]
    if not words:
        return entries
    return [entry for entry in entries if all(word in fold(" ".join(entry)) for word in words)]


def is_known(catalog: str, code: str) -> bool | None:
    """Whether the DGI has this code. None where nobody can tell, since the whole list is not known.

    The PAC's list is taken for whole where it holds all of the built-in minimum and more: a valid
    document must never be refused because of an extract, or of the first page of a list. A call
    reads the cache: ask once for each code of a document, not once for each line. Raises
    ValueError for an unknown `catalog`.
    """
    found = listing(Catalog(catalog))
    if code in found.names:
        return True
    return False if found.is_whole else None


def forget() -> None:
    """Empties the cache, after a synchronisation."""
    shared.delete_many([_key(catalog) for catalog in Catalog])


def fold(text: str) -> str:
    """Without case and accents: "Río Abajo" and "RIO ABAJO" are one."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _key(catalog: Catalog) -> str:
    return f"catalogs:{catalog}"


@cache
def _fixed(catalog: Catalog) -> Listing:
    return Listing(_in_order(FIXED[catalog]), is_whole=True)


def _read(catalog: Catalog) -> Listing:
    lists = LISTS[catalog]
    synced: dict[str, dict[str, str]] = {pac: {} for pac in lists}
    rows = CatalogEntry.objects.filter(catalog__in=lists)
    for pac, code, name in rows.values_list("catalog", "code", "name"):
        synced[pac][code] = name
    merged = {pac: {**_minimum(pac), **synced[pac]} for pac in lists}
    names = _locations(merged) if catalog is Catalog.LOCATIONS else merged[lists[0]]
    listed = {code for codes_of in synced.values() for code in codes_of if code in names}
    return Listing(_in_order(names), is_whole=_minimum(lists[0]).keys() < listed)


@cache
def _minimum(pac: PacCatalog) -> Names:
    """What is known of a list of the PAC without asking it."""
    match pac:
        case PacCatalog.COUNTRIES:
            names = {each.alpha_2: country(each.alpha_2) for each in pycountry.countries}
            return names | {"ZZ": "Otro"}
        case PacCatalog.PROVINCES:
            return extracts.PROVINCES
        case PacCatalog.DISTRICTS:
            return extracts.DISTRICTS
        case PacCatalog.CORREGIMIENTOS:
            return extracts.CORREGIMIENTOS
        case PacCatalog.UNITS:
            return codes.UNITS
        case PacCatalog.CPBS:
            return extracts.CPBS_FAMILIES
        case PacCatalog.LOCATIONS:
            return {}


def _locations(merged: Mapping[PacCatalog, Names]) -> Names:
    """The PAC's own name of a location, else province, district and corregimiento in one."""
    provinces, districts = merged[PacCatalog.PROVINCES], merged[PacCatalog.DISTRICTS]
    names = {}
    for code, corregimiento in merged[PacCatalog.CORREGIMIENTOS].items():
        district, _, _ = code.rpartition("-")
        province, _, _ = district.partition("-")
        parts = (provinces.get(province), districts.get(district), corregimiento)
        names[code] = ", ".join(part for part in parts if part)
    names |= merged[PacCatalog.LOCATIONS]
    return {code: name for code, name in names.items() if shapes.is_location(code)}


def _in_order(names: Names) -> dict[str, str]:
    return {code: names[code] for code in sorted(names, key=_natural)}


def _natural(code: str) -> list[tuple[int, str]]:
    """Sorts 8-8-10 after 8-8-9."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", code)
    ]
