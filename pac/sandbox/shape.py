"""Shapes that a JSON value must have: types exactly, and no key that is not known.

A shape is a function that appends what is wrong to a list, so that a caller hears every fault
at once. The wording is that of the schema validator which the real PAC runs.
"""

import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from pac.sandbox.wire import Problem

Shape = Callable[[object, str, list[Problem]], None]

LARGEST_AMOUNT = Decimal(10) ** 13
"""Beyond any amount of the DGI's format; keeps exponents such as 1e999999 out of arithmetic."""


def problems_of(value: object, shape: Shape) -> list[Problem]:
    """Everything that is wrong with a body."""
    found: list[Problem] = []
    shape(value, "instance", found)
    return found


def text(
    minimum: int = 0,
    maximum: int | None = None,
    *,
    pattern: str | None = None,
    among: Collection[str] | None = None,
    format_name: str = "",
    check: Callable[[str], bool] | None = None,
) -> Shape:
    """A string: its length, its pattern, the values it may have, or a format of its own."""
    compiled = re.compile(pattern) if pattern else None

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, str):
            found.append(Problem.at(path, "is not of a type(s) string"))
        elif among is not None and value not in among:
            found.append(Problem.at(path, f"is not one of enum values: {','.join(sorted(among))}"))
        elif len(value) < minimum:
            found.append(Problem.at(path, f"does not meet minimum length of {minimum}"))
        elif maximum is not None and len(value) > maximum:
            found.append(Problem.at(path, f"does not meet maximum length of {maximum}"))
        elif compiled and not compiled.fullmatch(value):
            found.append(Problem.at(path, f'does not match pattern "^{pattern}$"'))
        elif check and not check(value):
            found.append(Problem.at(path, f'does not conform to the "{format_name}" format'))

    return shape


def integer(minimum: int | None = None, *, among: Collection[int] | None = None) -> Shape:
    """A JSON integer: neither "1", nor 1.0, nor true."""

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            found.append(Problem.at(path, "is not of a type(s) integer"))
        elif among is not None and value not in among:
            values = ",".join(str(each) for each in sorted(among))
            found.append(Problem.at(path, f"is not one of enum values: {values}"))
        elif minimum is not None and value < minimum:
            found.append(Problem.at(path, f"must be greater than or equal to {minimum}"))

    return shape


def number(*, places: int, above_zero: bool = False) -> Shape:
    """A JSON number (never a string), not negative, with at most `places` decimals."""
    grain = Decimal(1).scaleb(-places)

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            found.append(Problem.at(path, "is not of a type(s) number"))
        elif value < 0:
            found.append(Problem.at(path, "must be greater than or equal to 0"))
        elif above_zero and value == 0:
            found.append(Problem.at(path, "must be strictly greater than 0"))
        elif value >= LARGEST_AMOUNT:
            found.append(Problem.at(path, f"must be strictly less than {LARGEST_AMOUNT:f}"))
        elif Decimal(value) % grain != 0:
            found.append(Problem.at(path, f"is not a multiple of (divisible by) {grain:f}"))

    return shape


def boolean(value: object, path: str, found: list[Problem]) -> None:
    """true or false."""
    if not isinstance(value, bool):
        found.append(Problem.at(path, "is not of a type(s) boolean"))


def array(item: Shape, minimum: int = 0, maximum: int | None = None) -> Shape:
    """A list of `item`."""

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, list):
            found.append(Problem.at(path, "is not of a type(s) array"))
            return
        if len(value) < minimum:
            found.append(Problem.at(path, f"does not meet minimum length of {minimum}"))
        if maximum is not None and len(value) > maximum:
            found.append(Problem.at(path, f"does not meet maximum length of {maximum}"))
            return
        for position, each in enumerate(value):
            item(each, f"{path}[{position}]", found)

    return shape


def record(
    required: Mapping[str, Shape] | None = None, optional: Mapping[str, Shape] | None = None
) -> Shape:
    """An object with these keys and no other, so that a client cannot drift from the wire."""
    needed = dict(required or {})
    known = needed | dict(optional or {})

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, dict):
            found.append(Problem.at(path, "is not of a type(s) object"))
            return
        for name in needed:
            if name not in value:
                missing = f'{path} requires property "{name}"'
                found.append(Problem("VALIDATION", missing, f"{path}.{name}"))
        for name, each in value.items():
            if name in known:
                known[name](each, f"{path}.{name}", found)
            else:
                extra = f'{path} additionalProperty "{name}" exists in instance when not allowed'
                found.append(Problem("VALIDATION", extra, f"{path}.{name}"))

    return shape


def mapping(item: Shape) -> Shape:
    """An object of any keys whose values are all of one shape."""

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, dict):
            found.append(Problem.at(path, "is not of a type(s) object"))
            return
        for name, each in value.items():
            item(each, f"{path}.{name}", found)

    return shape


def choice(key: str, shapes: Mapping[str, Shape]) -> Shape:
    """An object whose `key` tells which of several shapes it has."""

    def shape(value: object, path: str, found: list[Problem]) -> None:
        if not isinstance(value, dict):
            found.append(Problem.at(path, "is not of a type(s) object"))
            return
        kind: Any = value.get(key)
        if not isinstance(kind, str) or kind not in shapes:
            values = ",".join(sorted(shapes))
            found.append(Problem.at(f"{path}.{key}", f"is not one of enum values: {values}"))
            return
        shapes[kind](value, path, found)

    return shape
