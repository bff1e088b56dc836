"""How amounts, quantities, dates and countries are written for people in Panama."""

import gettext
from datetime import date, datetime
from decimal import Decimal
from functools import cache

import pycountry

from pac.dgi.amounts import cents
from pac.dgi.calendar import PANAMA


def amount(value: Decimal) -> str:
    """``1,234.56``"""
    return f"{cents(value):,.2f}"


def money(value: Decimal) -> str:
    """``B/. 1,234.56``, ``-B/. 50.00``"""
    return f"{'-' if value < 0 else ''}B/. {amount(abs(value))}"


def quantity(value: Decimal) -> str:
    """``1,200.5``: without trailing zeros."""
    whole, _, fraction = f"{value:,f}".partition(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole


def price(value: Decimal) -> str:
    """``1.875``: to the cent, further where the price itself goes further."""
    whole, _, fraction = f"{value:,f}".partition(".")
    return f"{whole}.{fraction.rstrip('0'):0<2}"


def percent(rate: Decimal) -> str:
    """``7 %`` of 0.07."""
    return f"{quantity(rate * 100)} %"


def day(value: date | str) -> str:
    """``22/12/2026``, of a date or of its ISO text as JSON columns hold it."""
    return f"{date.fromisoformat(str(value)):%d/%m/%Y}"


def moment(value: datetime) -> str:
    """``22/11/2026 10:15``, Panama time."""
    return f"{value.astimezone(PANAMA):%d/%m/%Y %H:%M}"


@cache
def country(code: str) -> str:
    """The Spanish name of an ISO 3166 country; the code itself where there is no such country."""
    found = pycountry.countries.get(alpha_2=code)
    if found is None:
        return code
    spanish = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=["es"])
    return spanish.gettext(getattr(found, "common_name", found.name))
