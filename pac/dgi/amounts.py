"""The arithmetic of a fiscal document (ficha técnica v1.00), in Balboas (B/.).

Every amount is a Decimal of two decimals, rounded half-up, once, where it arises: a line's net,
its ITBMS and each further tax. Totals only add, so lines and document never differ by a cent.

Nothing here judges the figures (a discount over the price, a negative quantity): that is for the
fiscal rules. What is promised is exactness: figures too long for the working precision raise
ArithmeticError instead of losing a digit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import (
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    Inexact,
    InvalidOperation,
    localcontext,
)
from typing import Final

from pac.dgi.codes import ITBMS_RATES, RETENTION_CODES

_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal("0.00")
_ROUNDING: Final = Context(
    prec=100, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero]
)
_EXACT: Final = Context(
    prec=100, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Inexact]
)


@dataclass(frozen=True)
class LineAmounts:
    """What one line comes to, in B/."""

    net: Decimal
    itbms: Decimal
    isc: Decimal
    other_taxes: Decimal
    total: Decimal


@dataclass(frozen=True)
class Totals:
    """What a document comes to, in B/.

    ``taxes`` is the DGI's dTotGravado: ITBMS + ISC + other taxes, a sum of taxes and not a base.
    ``discount`` is the document's own; the lines' discounts are already in ``net``.
    """

    net: Decimal
    itbms: Decimal
    isc: Decimal
    other_taxes: Decimal
    taxes: Decimal
    discount: Decimal
    total: Decimal


def cents(value: Decimal) -> Decimal:
    """Round to 0.01 B/., half-up (0.005 is 0.01): the only rounding in Cifras.

    Raises ValueError for NaN and infinity.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is not an amount")
    with localcontext(_ROUNDING):
        # Adding zero turns the "-0.00" that -0.001 rounds to into "0.00".
        return value.quantize(_CENT) + _ZERO


def line_amounts(
    *,
    quantity: Decimal,
    unit_price: Decimal,
    unit_discount: Decimal = _ZERO,
    itbms_rate: str,
    isc_amount: Decimal = _ZERO,
    other_taxes: Iterable[Decimal] = (),
) -> LineAmounts:
    """Work out a line; ``itbms_rate`` is a code of ITBMS_RATES, the taxes are amounts in B/.

    The ITBMS is taken from the rounded net. Raises ValueError for an unknown rate code.
    """
    try:
        rate = ITBMS_RATES[itbms_rate]
    except KeyError:
        known = ", ".join(ITBMS_RATES)
        raise ValueError(f"ITBMS rate {itbms_rate!r} is none of {known}") from None
    with localcontext(_EXACT):
        net = cents(quantity * (unit_price - unit_discount))
        itbms = cents(net * rate)
        isc = cents(isc_amount)
        others = _sum_of_cents(other_taxes)
        return LineAmounts(net, itbms, isc, others, net + itbms + isc + others)


def document_totals(
    lines: Iterable[LineAmounts],
    *,
    discounts: Iterable[Decimal] = (),
    freight: Decimal = _ZERO,
    insurance: Decimal = _ZERO,
    other_expenses: Decimal = _ZERO,
) -> Totals:
    """Add the lines up; a document discount lowers the total and leaves the ITBMS as it is."""
    lines = tuple(lines)
    with localcontext(_EXACT):
        net = sum((line.net for line in lines), _ZERO)
        itbms = sum((line.itbms for line in lines), _ZERO)
        isc = sum((line.isc for line in lines), _ZERO)
        others = sum((line.other_taxes for line in lines), _ZERO)
        discount = _sum_of_cents(discounts)
        charges = _sum_of_cents((freight, insurance, other_expenses))
        return Totals(
            net=net,
            itbms=itbms,
            isc=isc,
            other_taxes=others,
            taxes=itbms + isc + others,
            discount=discount,
            total=sum((line.total for line in lines), _ZERO) + charges - discount,
        )


def retention_amount(code: str, itbms: Decimal, given: Decimal | None = None) -> Decimal:
    """What the receiver withholds, in B/.: a part of the document's ITBMS.

    It never changes the document's total, only what the receiver pays. ``given`` is read only for
    a code without a percentage (8), which needs it. Raises ValueError for an unknown code, and
    for a missing ``given``.
    """
    try:
        percent = RETENTION_CODES[code].percent
    except KeyError:
        known = ", ".join(RETENTION_CODES)
        raise ValueError(f"retention code {code!r} is none of {known}") from None
    if percent is None:
        if given is None:
            raise ValueError(f"retention code {code} needs its amount")
        return cents(given)
    with localcontext(_EXACT):
        return cents(itbms * percent / 100)


def _sum_of_cents(amounts: Iterable[Decimal]) -> Decimal:
    return sum((cents(amount) for amount in amounts), _ZERO)
