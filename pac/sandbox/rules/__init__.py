"""What the PAC checks beyond the form of a document: the rules that join several fields.

Each rule reads the parts of the body that it names and yields problems. A rule whose parts are
malformed is left out, the others still run, so that a caller hears all faults at once.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from pac.sandbox.document_shape import document_shape
from pac.sandbox.kinds import Kind
from pac.sandbox.rules import information, money, receiver
from pac.sandbox.shape import problems_of
from pac.sandbox.wire import Problem

Rule = Callable[[dict[str, Any]], Iterator[Problem]]


class _Rule(NamedTuple):
    parts: frozenset[str]
    check: Rule


_RULES = [
    _Rule(frozenset({"information"}), information.numbers),
    _Rule(frozenset({"information"}), information.contingency),
    _Rule(frozenset({"information", "receiver"}), information.destination),
    _Rule(frozenset({"information"}), information.exportation),
    _Rule(frozenset({"information"}), information.note),
    _Rule(frozenset({"receiver"}), receiver.identity),
    _Rule(frozenset({"receiver"}), receiver.country),
    _Rule(frozenset({"receiver", "items"}), receiver.government_lines),
    _Rule(frozenset({"items"}), money.lines),
    _Rule(frozenset({"totals"}), money.payment_methods),
    _Rule(frozenset({"totals"}), money.instalments),
    _Rule(frozenset({"items", "totals"}), money.sums),
]


class Checked(NamedTuple):
    """What is wrong with a body by itself; only one of good form can be checked any further."""

    problems: list[Problem]
    is_well_formed: bool


def check_document(kind: Kind, payload: dict[str, Any], now: datetime) -> Checked:
    """Everything that is wrong with a body by itself, at once."""
    found = problems_of(payload, document_shape(kind))
    malformed = {_part(problem) for problem in found}
    for rule in _RULES:
        if not rule.parts & malformed:
            found.extend(rule.check(payload))
    if "information" not in malformed:
        found.extend(information.issue_date(payload, now))
    return Checked(found, not malformed)


def _part(problem: Problem) -> str:
    """The key of the root that a problem of form is under: `items` of `instance.items[0].code`."""
    return problem.field.removeprefix("instance.").partition(".")[0].partition("[")[0]
