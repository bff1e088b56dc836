"""What can go wrong at the PAC, by meaning: the caller decides by class, never by status code.

The question behind every class is the one that matters for a tax document: was it judged, was it
certainly not received, or does nobody know?
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pac.answers import DocumentAnswer

MAX_TEXT = 500  # characters of a message or of a raw text that are kept
MAX_FAULTS = 100
MAX_RETRY_AFTER = 86_400.0  # seconds: nobody is asked to wait for longer than a day


@dataclass(frozen=True, slots=True)
class PacFault:
    """One complaint of the PAC or the DGI: its code (`""` without one), its text, its field."""

    code: str
    message: str
    field: str | None = None


class PacError(Exception):
    """A call to the PAC did not do what was asked.

    `message` is readable, `status` the HTTP status where an answer came, `faults` each complaint,
    `retry_after` the seconds that the PAC asks to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        faults: tuple[PacFault, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.faults = faults
        self.retry_after = retry_after


class Rejected(PacError):
    """Judged and refused: the fault is in what was sent; sending the same again is no use.

    `answer` is the rejected document as the PAC tells it, where the refusal came as one.
    """

    answer: DocumentAnswer | None = None


class Duplicate(Rejected):
    """The PAC holds a document with this company, office, type, billing point and numeration."""


class AlreadyVoid(Rejected):
    """The document to void is void already."""


class NotFound(PacError):
    """Wrong id, wrong company, or a call that the PAC does not have (404, 405)."""


class Unauthorized(PacError):
    """The token is not accepted, or not for this company; nothing was judged."""


class Unavailable(PacError):
    """Certainly not received or not judged: it may be sent again, later."""


class Ambiguous(PacError):
    """Nobody knows whether it was taken: look for it before it is sent again."""


class BadFile(PacError):
    """A download that is refused: its address, its size, its status or what is in it."""


class InsideTransaction(RuntimeError):
    """A call to the PAC was tried while this thread holds a database transaction open."""


_BY_STATUS: dict[int, type[PacError]] = {
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    405: NotFound,
    407: Unavailable,
    408: Ambiguous,
    425: Unavailable,
    429: Unavailable,
}
_DUPLICATE = re.compile(r"numera.*\b(used|usad[oa])|duplicad", re.IGNORECASE | re.DOTALL)
_ALREADY = re.compile(r"already", re.IGNORECASE)
_VOIDED = re.compile(r"anulad", re.IGNORECASE)
# "no puede ser anulado: fuera de plazo" names the verb and says the opposite.
_NOT_VOIDED = re.compile(r"\bno\b|\bfuera de", re.IGNORECASE)


def from_response(
    status: int,
    body: object,
    *,
    retry_after: str | None = None,
    duplicate_codes: Collection[str] = (),
    voiding: bool = False,
) -> PacError:
    """The error that an answer other than 2xx stands for; it is returned, not raised.

    `body` is the parsed JSON, of any shape, or the raw text; `retry_after` is the header as it
    came. With `voiding` the answer is to a DELETE, where "already" means void already.
    """
    faults = read_faults(body)
    message = read_message(body) or f"The PAC answered {status} without a message."
    kind = _BY_STATUS.get(status, Rejected if 400 <= status < 500 else Ambiguous)
    if kind is Rejected:
        kind = _rejection(message, faults, duplicate_codes, voiding)
    return kind(message, status=status, faults=faults, retry_after=retry_after_seconds(retry_after))


def from_answer(answer: DocumentAnswer, *, duplicate_codes: Collection[str] = ()) -> Rejected:
    """The error that a `PAC_REJECTED` inside a 2xx stands for: the same as an answer of 4xx."""
    # The reason may stand in the document or around it; a greeting counts where nothing else does.
    faults = answer.faults or read_faults(answer.raw)
    if not answer.faults and isinstance(answer.raw.get("document"), dict):
        inside = read_faults(answer.raw["document"])
        faults = (*inside, *(fault for fault in faults if fault not in inside))
    texts = dict.fromkeys(fault.message for fault in faults)
    message = "; ".join(texts)[:MAX_TEXT] or "The PAC rejected the document without a reason."
    around = " ".join([read_message(answer.raw), message])
    kind = _rejection(around, (*faults, *read_faults(answer.raw)), duplicate_codes, voiding=False)
    error = kind(message, faults=faults)
    error.answer = replace(answer, faults=faults)
    return error


def _rejection(
    message: str, faults: tuple[PacFault, ...], duplicate_codes: Collection[str], voiding: bool
) -> type[Rejected]:
    texts = (message, *(fault.message for fault in faults))
    if voiding:
        return AlreadyVoid if any(map(_says_void, texts)) else Rejected
    if any(fault.code in duplicate_codes for fault in faults):
        return Duplicate
    return Duplicate if any(map(_DUPLICATE.search, texts)) else Rejected


def _says_void(text: str) -> bool:
    if _ALREADY.search(text):
        return True
    return bool(_VOIDED.search(text)) and not _NOT_VOIDED.search(text)


def read_message(body: object) -> str:
    """The text that a person should read, from wherever the PAC put it; `""` without one."""
    if isinstance(body, str):
        # A gateway's page is for browsers: the status says what there is to say.
        return "" if body.lstrip().startswith("<") else _clip(body)
    if not isinstance(body, dict):
        return "; ".join(dict.fromkeys(fault.message for fault in read_faults(body)))[:MAX_TEXT]
    for key in ("errors", "message", "error", "response", "governmentResponse"):
        texts = dict.fromkeys(fault.message for fault in _limited(body.get(key)))
        if texts:
            return "; ".join(texts)[:MAX_TEXT]
    return ""


def read_faults(body: object) -> tuple[PacFault, ...]:
    """Every complaint in a body of any shape; a body with a message alone is one complaint."""
    if not isinstance(body, dict):
        return _limited(body)
    lists = [body.get(key) for key in ("errors", "response", "governmentResponse")]
    if faults := _limited(lists):
        return faults
    for key in ("message", "error"):
        if faults := _limited(body.get(key), code=_text(body.get("code"))):
            return faults
    return ()


def retry_after_seconds(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` header (a number or an HTTP date), a day at most."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(text)
        # An HTTP date is always GMT; one that says "-0000" is read as naive.
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (moment - (now or datetime.now(UTC))).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)


def _limited(value: object, code: str = "") -> tuple[PacFault, ...]:
    return tuple(islice(_walk(value, code, None), MAX_FAULTS))


def _walk(value: object, code: str, field: str | None) -> Iterator[PacFault]:
    """Complaints as text, lists of text, `{code, field, message}` or `{field: text}`."""
    if isinstance(value, str):
        if text := _clip(value):
            yield PacFault(code, text, field)
    elif isinstance(value, list):
        for entry in value:
            yield from _walk(entry, code, field)
    elif isinstance(value, dict):
        own = _text(value.get("code")) or code
        place = _text(value.get("field")) or field
        for key in ("message", "error", "description", "detail"):
            if value.get(key):
                yield from _walk(value[key], own, place)
                return
        if own:
            yield PacFault(own, own, place)
            return
        for key, entry in value.items():
            yield from _walk(entry, code, str(key))


def _text(value: object) -> str:
    if isinstance(value, str):
        return _clip(value)
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _clip(text: str) -> str:
    return text.strip()[:MAX_TEXT].rstrip()
