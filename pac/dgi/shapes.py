"""Texts whose shape the DGI fixes (ficha técnica v1.00).

These look at the shape alone: whether a corregimiento or a CPBS family exists, only the PAC's
catalogues tell. Digits are ASCII digits.
"""

import re
from decimal import Decimal
from typing import Final

import pycountry

_LOCATION: Final = re.compile("([1-9]|1[0-3])-[1-9][0-9]?-[1-9][0-9]?")
_BILLING_POINT: Final = re.compile("(?!000)[0-9]{3}")
_PHONE: Final = re.compile("[0-9]{3,4}-[0-9]{4}")
_CPBS: Final = re.compile("[0-9]{4}")
_COORDINATES: Final = re.compile(
    r"(?P<latitude>[+-]?[0-9]{1,2}(\.[0-9]+)?),(?P<longitude>[+-]?[0-9]{1,3}(\.[0-9]+)?)"
)


def is_billing_point(text: str) -> bool:
    """Three digits, never ``000`` (punto de facturación)."""
    return _BILLING_POINT.fullmatch(text) is not None


def is_country(code: str) -> bool:
    """An ISO 3166-1 code of two letters, such as ``PA``."""
    return code.isupper() and pycountry.countries.get(alpha_2=code) is not None


def is_currency(code: str) -> bool:
    """An ISO 4217 code of three capital letters, such as ``USD``."""
    return code.isupper() and pycountry.currencies.get(alpha_3=code) is not None


def is_location(text: str) -> bool:
    """Province (1 to 13), district and corregimiento without leading zeros: ``8-8-7``."""
    return _LOCATION.fullmatch(text) is not None


def is_phone(text: str) -> bool:
    """A Panamanian number: ``269-1234`` (landline) or ``6123-4567`` (mobile)."""
    return _PHONE.fullmatch(text) is not None


def is_cpbs(text: str) -> bool:
    """A CPBS family, four digits (``8111``); its segment (``81``) alone is not enough."""
    return _CPBS.fullmatch(text) is not None


def is_coordinates(text: str) -> bool:
    """Latitude and longitude in decimal degrees: ``+9.0017832,-79.5275519``."""
    match = _COORDINATES.fullmatch(text)
    return (
        match is not None
        and abs(Decimal(match["latitude"])) <= 90
        and abs(Decimal(match["longitude"])) <= 180
    )
