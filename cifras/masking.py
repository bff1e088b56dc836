"""What no log line and no report may show: secrets, and the RUC of a natural person.

Masked are tokens and keys by their shape, values whose name says that they are secret, this
deployment's own secrets wherever they stand, anything that looks like a key or a certificate, and
RUCs of natural persons but for their last three digits, also inside a CUFE. It errs on the side of
masking: a RUC that could be either kind of person's is masked.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

MASK = "***"
SHORTEST_SECRET = 8  # characters: a shorter one (`sandbox`) would blank ordinary words
LAST_DIGITS = 3

_PEM = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?(?:-----END \1-----|\Z)", re.DOTALL)
_BEARER = re.compile(r"\b(Bearer|Basic)[ +]+[^\s'\"\\,;]+", re.IGNORECASE)
_API_KEY = re.compile(r"\b([A-Za-z0-9]{8})\.[A-Za-z0-9]{32}\b")
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")

_TELLING_NAME = (
    r"(?<![\w-])[\w-]*?(?:passw(?:or)?d|contraseña|secret|token|api[_-]?key|authorization|signature|"
    r"session_?id|cookie|private[_-]?key|encryption[_-]?key|certificate)[\w-]*"
)
# `name=value`, `name: value`, `"name": "value"`, also where JSON stands in JSON.
_NAMED = re.compile(
    rf"({_TELLING_NAME})(\\*[\"']?\s*[:=]\s*)"
    r"(\\+\"(?:(?!\\+\").)*\\+\"|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&)\]}]+)",
    re.IGNORECASE,
)
# A header stands alone on its line: its value may have spaces.
_HEADER = re.compile(
    r"^(\s*(?:X-Pac-Signature|Authorization|Cookie|Set-Cookie)\s*:).*$",
    re.IGNORECASE | re.MULTILINE,
)
_SECRET_KEY = re.compile(_TELLING_NAME, re.IGNORECASE)

_CUFE = re.compile(r"(FE[0-9]{2})([0-9])([0-9A-Z-]{20})(-[0-9]{2}[0-9A-Z]{4}[0-9]{34})")
_LONG = re.compile(r"[A-Za-z0-9+/_-]{41,}={0,2}")
# The parts of paths, identifiers, UUIDs and ULIDs: one kind of letter, or words in CamelCase.
_WORD = re.compile(r"[a-z0-9]{0,26}|[A-Z0-9]{0,26}|[A-Z]?[a-z]{2,20}(?:[A-Z][a-z]{2,20})*")
_BETWEEN_WORDS = re.compile(r"[/_-]")

_NATURAL = re.compile(
    r"(?<![0-9A-Za-z])(?<![0-9]-)"
    r"0*(?:(?:1[0-3]|[1-9])(?:AV|PI|-NT)?|PE|[EN])-[0-9]{1,4}-([0-9]{1,7})(?![0-9])",
    re.IGNORECASE,
)


def mask(text: str) -> str:
    """`text` without what must not be shown."""
    known = _known_secrets()
    if known:
        text = known.sub(MASK, text)
    text = _PEM.sub(lambda found: f"-----BEGIN {found[1]}-----{MASK}", text)
    text = _LONG.sub(_without_blob, text)
    text = _HEADER.sub(rf"\1 {MASK}", text)
    text = _BEARER.sub(rf"\1 {MASK}", text)
    text = _NAMED.sub(rf"\1\2{MASK}", text)
    text = _API_KEY.sub(rf"\1.{MASK}", text)
    text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    text = _CUFE.sub(_without_ruc, text)
    return _NATURAL.sub(lambda found: MASK + found[1][-LAST_DIGITS:], text)


def mask_value(value: Any, name: str = "") -> Any:
    """A copy of JSON-like `value`, every text in it masked, and all of it if `name` tells a
    secret."""
    if isinstance(value, bool | int | float) or value is None:
        return value
    if _SECRET_KEY.fullmatch(name):
        return MASK
    if isinstance(value, Mapping):
        return {mask(str(key)): mask_value(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(item) for item in value]
    return mask(str(value))


def _without_blob(found: re.Match[str]) -> str:
    words = _BETWEEN_WORDS.split(_CUFE.sub("", found[0]))
    return found[0] if all(map(_WORD.fullmatch, words)) else MASK


def _without_ruc(found: re.Match[str]) -> str:
    """A natural person's CUFE, as long as before, with the end of its RUC."""
    head, ruc_type, ruc, tail = found.groups()
    if ruc_type != "1":
        return found[0]
    return f"{head}{ruc_type}{'*' * (len(ruc) - LAST_DIGITS)}{ruc[-LAST_DIGITS:]}{tail}"


def _known_secrets() -> re.Pattern[str] | None:
    database = settings.DATABASES["default"]
    return _any_of(
        (
            settings.SECRET_KEY,
            *settings.FIELD_ENCRYPTION_KEYS,
            settings.PAC_API_KEY,
            settings.PAC_WEBHOOK_SECRET,
            settings.METRICS_TOKEN,
            settings.EMAIL_HOST_PASSWORD or "",
            str(database.get("PASSWORD") or ""),
        )
    )


@lru_cache(maxsize=8)
def _any_of(secrets: tuple[str, ...]) -> re.Pattern[str] | None:
    long_enough = {re.escape(secret) for secret in secrets if len(secret) >= SHORTEST_SECRET}
    return re.compile("|".join(sorted(long_enough, key=len, reverse=True))) if long_enough else None
