"""Rules about the lines of a document (pure)."""

from collections.abc import Iterator
from decimal import Decimal

from invoicing.fiscal.draft import ZERO, Draft, Fault, Line
from pac.dgi import codes, shapes
from pac.dgi.codes import ReceiverType

MOST_LINES = 1000
HUNDRED = Decimal(100)


def lines(draft: Draft) -> Iterator[Fault]:
    if "lines" in draft.broken:
        return
    if not draft.lines:
        yield Fault("lines", "required", "A document has at least one line.", "2513")
    if len(draft.lines) > MOST_LINES:
        yield Fault("lines", "too_many", f"A document has at most {MOST_LINES} lines.", "2513")
    for index, line in enumerate(draft.lines):
        path = f"lines.{index}"
        for fault in _line(draft, line, path):
            if draft.sound(fault.path):
                yield fault


def _line(draft: Draft, line: Line, path: str) -> Iterator[Fault]:
    if not 2 <= len(line.description) <= 500:
        yield Fault(
            f"{path}.description", "description_length", "A description has 2 to 500 characters."
        )
    if len(line.code) > 20:
        yield Fault(f"{path}.code", "code_length", "A product code has at most 20 characters.")
    if line.quantity <= 0:
        yield Fault(f"{path}.quantity", "not_positive", "A quantity is above zero.")
    if line.unit_price < 0:
        yield Fault(f"{path}.unit_price", "negative", "A price is not negative.", "2053")
    yield from _discount(draft, line, path)
    yield from _taxes(draft, line, path)
    yield from _cpbs(draft, line, path)


def _discount(draft: Draft, line: Line, path: str) -> Iterator[Fault]:
    if line.unit_discount < 0:
        yield Fault(f"{path}.unit_discount", "negative", "A discount is not negative.", "2051")
    elif draft.sound(f"{path}.unit_price") and line.unit_discount > line.unit_price:
        yield Fault(
            f"{path}.unit_discount",
            "discount_over_price",
            "The unit discount is higher than the unit price.",
            "2051",
        )


def _taxes(draft: Draft, line: Line, path: str) -> Iterator[Fault]:
    if line.itbms_rate not in codes.ITBMS_RATES:
        yield Fault(
            f"{path}.itbms_rate",
            "itbms_rate_unknown",
            "The ITBMS rate is 00 (0 %), 01 (7 %), 02 (10 %) or 03 (15 %), on exempt lines too.",
            "2151",
        )
    if line.isc_amount < 0:
        yield Fault(f"{path}.isc_amount", "negative", "A tax is not negative.", "2202")
    if line.isc_rate is not None and not ZERO <= line.isc_rate <= HUNDRED:
        yield Fault(
            f"{path}.isc_rate", "isc_rate_out_of_range", "The rate of the ISC is 0 to 100.", "2200"
        )
    # A rate of zero is no ISC, as none is: some programs always send one.
    if not line.isc_rate and line.isc_amount:
        yield Fault(f"{path}.isc_rate", "isc_rate_required", "The ISC needs its rate.", "2200")
    if line.isc_rate and not line.isc_amount:
        yield Fault(
            f"{path}.isc_amount", "isc_amount_required", "The ISC's rate needs its amount.", "2201"
        )
    seen = set()
    for index, tax in enumerate(line.other_taxes):
        where = f"{path}.other_taxes.{index}"
        if where in draft.broken:
            continue
        if tax.code not in codes.OTHER_TAXES:
            yield Fault(
                f"{where}.code", "other_tax_unknown", "No such other tax (OTI): 01 to 11.", "2801"
            )
        elif tax.code in seen:
            yield Fault(
                f"{where}.code", "other_tax_twice", "Another tax stands once on a line.", "2300"
            )
        seen.add(tax.code)
        if tax.amount is not None and tax.amount < 0:
            yield Fault(f"{where}.amount", "negative", "A tax is not negative.", "2802")


def _cpbs(draft: Draft, line: Line, path: str) -> Iterator[Fault]:
    if line.cpbs_code and not shapes.is_cpbs(line.cpbs_code):
        yield Fault(
            f"{path}.cpbs_code",
            "cpbs_malformed",
            "A CPBS code has the four digits of a family.",
            "2008",
        )
    if not line.cpbs_code and draft.receiver.type == ReceiverType.GOBIERNO:
        yield Fault(
            f"{path}.cpbs_code",
            "cpbs_required",
            "A sale to the State needs the CPBS code of every line.",
            "2006",
        )


def document_amounts(draft: Draft) -> Iterator[Fault]:
    for name in ("freight", "insurance", "other_expenses"):
        if draft.sound(name) and getattr(draft, name) < ZERO:
            yield Fault(name, "negative", "An expense is not negative.")
    if "discounts" in draft.broken:
        return
    for index, discount in enumerate(draft.discounts):
        path = f"discounts.{index}"
        if draft.sound(f"{path}.amount") and discount.amount <= ZERO:
            yield Fault(f"{path}.amount", "not_positive", "A discount is above zero.", "2504")


RULES = (lines, document_amounts)
