"""JSON as it goes over the wire: decimals digit by digit, never through a float."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

MAX_DEPTH = 64  # levels; what nests deeper is no answer of a PAC


def encode(value: object) -> str:
    """JSON text of None, bool, int, Decimal, str, mappings, lists and tuples of these.

    `Decimal("100.00")` becomes `100.00`: every digit kept, no exponent. Raises `TypeError` for
    anything else, floats and keys that are not text included, and `ValueError` for NaN and
    infinity.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no JSON number")
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_key(key)}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(encode(item) for item in value) + "]"
    raise TypeError(f"{type(value).__name__} has no place in a PAC's JSON")


def decode(body: bytes) -> Any:
    """What the JSON text `body` says, numbers with a point as `Decimal`.

    Text comes out storable in any database: NUL and lone surrogates become U+FFFD. Raises
    `ValueError` for what is not JSON, not UTF-8, NaN, or nested deeper than `MAX_DEPTH`.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant
        )
    except (RecursionError, ArithmeticError) as error:
        raise ValueError("The JSON text cannot be held") from error
    return _storable(parsed, MAX_DEPTH)


def storable_text(text: str) -> str:
    """`text` without what PostgreSQL refuses: NUL and lone surrogates."""
    return (
        text.encode("utf-8", "replace").decode("utf-8").replace("\x00", "\N{REPLACEMENT CHARACTER}")
    )


def _storable(value: Any, levels: int) -> Any:
    if levels == 0:
        raise ValueError(f"The JSON text nests deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [_storable(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {storable_text(key): _storable(item, levels - 1) for key, item in value.items()}
    return value


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"A JSON key is text, not {type(key).__name__}")
    return encode(key)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
