"""What the DGI notifies and does not refuse: the warnings of a document (pure).

The thresholds are the ficha técnica's, section 8.4. A code that no catalogue of the PAC has is told
here too: the catalogue at hand may be older than the DGI's, so it is never a reason to refuse.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from invoicing.fiscal import note_rules
from invoicing.fiscal.complete import Reckoning
from invoicing.fiscal.draft import Draft, Fault
from pac.dgi import codes, extracts
from pac.dgi.codes import ReceiverType

# (catalogue, code) -> whether the DGI has it; None where nobody can tell.
IsKnown = Callable[[str, str], bool | None]

OLD = timedelta(days=30)
AHEAD = timedelta(hours=24)
LONG_CONTINGENCY = timedelta(hours=72)
UNIT_PRICE_LIMIT = Decimal(100_000)
CONSUMER_LIMIT = Decimal(10_000)
DOCUMENT_LIMIT = Decimal(1_000_000)
REGISTERED = {ReceiverType.CONTRIBUYENTE, ReceiverType.GOBIERNO}


def nobody_can_tell(catalog: str, code: str) -> bool | None:
    return None


def notices(
    draft: Draft,
    reckoning: Reckoning,
    *,
    now: datetime,
    note_window: timedelta,
    is_known: IsKnown = nobody_can_tell,
) -> Iterator[Fault]:
    """Everything about a draft without fault that the DGI would remark on."""
    yield from _dates(draft, now, note_window)
    yield from _receiver(draft)
    yield from _amounts(draft, reckoning.totals.total)
    yield from _unlisted(draft, is_known)


def _dates(draft: Draft, now: datetime, note_window: timedelta) -> Iterator[Fault]:
    if note_rules.is_late(draft, note_window):
        yield Fault(
            "issued_at",
            "late_note",
            f"The note comes more than {note_window.days} days after its invoice.",
            "1714",
        )
    if draft.issued_at is None:
        return
    if now - draft.issued_at > OLD:
        yield Fault(
            "issued_at",
            "issued_long_ago",
            "The date of issue lies more than 30 days back.",
            "1519",
        )
    if draft.issued_at - now > AHEAD:
        yield Fault(
            "issued_at",
            "issued_ahead",
            "The date of issue lies more than 24 hours ahead.",
            "1535",
        )
    if draft.contingency and draft.issued_at - draft.contingency.started_at > LONG_CONTINGENCY:
        yield Fault(
            "contingency.started_at",
            "long_contingency",
            "A contingency of more than 72 hours: the reason has to say why it takes so long.",
            "1508",
        )


def _receiver(draft: Draft) -> Iterator[Fault]:
    if draft.receiver.type not in REGISTERED:
        return
    if not draft.receiver.address:
        yield Fault(
            "receiver.address",
            "address_expected",
            "The DGI expects the address of a taxpayer and of the State.",
            "1606",
        )
    if not draft.receiver.location:
        yield Fault(
            "receiver.location",
            "location_expected",
            "The DGI expects the location of a taxpayer and of the State, such as 8-8-7.",
            "1617",
        )


def _amounts(draft: Draft, total: Decimal) -> Iterator[Fault]:
    dear = [
        number
        for number, line in enumerate(draft.lines, start=1)
        if line.unit_price > UNIT_PRICE_LIMIT
    ]
    if dear:
        yield Fault(
            "lines", "high_price", f"A unit price above B/.100,000: {_lines(dear)}.", "2050"
        )
    if draft.receiver.type == ReceiverType.CONSUMIDOR_FINAL and total > CONSUMER_LIMIT:
        yield Fault(
            "lines", "high_total_for_consumer", "More than B/.10,000 for a final consumer.", "2515"
        )
    if total > DOCUMENT_LIMIT:
        yield Fault("lines", "high_total", "The total is above B/.1,000,000.", "2509")


def _unlisted(draft: Draft, is_known: IsKnown) -> Iterator[Fault]:
    # What every install knows needs no look-up: most documents ask for nothing.
    for unit in _missing(is_known, "units", codes.UNITS, (line.unit for line in draft.lines)):
        yield Fault("lines", "unit_unlisted", f"The PAC's catalogue has no unit {unit!r}.", "2002")
    families = (line.cpbs_code for line in draft.lines)
    for family in _missing(is_known, "cpbs", extracts.CPBS_FAMILIES, families):
        yield Fault("lines", "cpbs_unlisted", f"The PAC's catalogue has no CPBS {family}.", "2008")
    places = [draft.receiver.location]
    for place in _missing(is_known, "locations", extracts.CORREGIMIENTOS, places):
        yield Fault(
            "receiver.location",
            "location_unlisted",
            f"The PAC's catalogue has no location {place}.",
            "1607",
        )


def _missing(
    is_known: IsKnown, catalog: str, at_hand: Iterable[str], used: Iterable[str]
) -> list[str]:
    """The codes that the catalogue does not have, each once."""
    asked = sorted(set(used) - {""} - set(at_hand))
    return [code for code in asked if is_known(catalog, code) is False]


def _lines(numbers: list[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return f"line {shown}" + (" and others" if len(numbers) > 10 else "")
