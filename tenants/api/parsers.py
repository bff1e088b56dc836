"""JSON that is exactly what it says: nothing is guessed, nothing is dropped."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

DEEPEST = 32  # objects and lists in each other; what the API takes has five


class StrictJSONParser(JSONParser):
    """Refuses, with 400, what could be read in two ways or could not be stored: a key that stands
    twice in one object, NaN and Infinity, NUL characters, lone surrogates, bottomless nesting."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        try:
            text = stream.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise ParseError(f"The body is not UTF-8: {error}.") from error
        try:
            value = json.loads(
                text, object_pairs_hook=_no_duplicates, parse_constant=_no_such_number
            )
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except ValueError as error:
            raise ParseError(f"The body is not JSON: {error}.") from error
        _refuse_depth(value)
        if "\\u" in text:
            _refuse_unstorable(value)
        return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = Counter(name for name, _ in pairs)
        twice, _ = names.most_common(1)[0]
        raise ValueError(f"the key {twice[:100]!r} stands twice in one object")
    return found


def _no_such_number(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _refuse_depth(value: Any) -> None:
    """What can just be read would still be too deep for whoever shows or writes it again."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    if level:
        raise ParseError("The JSON is nested too deeply.")


def _refuse_unstorable(value: Any) -> None:
    for text in _texts(value):
        if "\0" in text:
            raise ParseError("The body has a NUL character (\\u0000), which no text may contain.")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise ParseError("The body has half of a surrogate pair: no valid Unicode.") from error


def _texts(value: Any) -> Iterator[str]:
    """Every text in `value`, keys included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
