"""What the log lines of one piece of work have in common: its request, its tenant, its document.

Kept per thread and task (`contextvars`). A thread of a pool begins with nothing: whoever hands it
work says again what the work is about.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_fields: ContextVar[Mapping[str, str]] = ContextVar("log_fields", default={})  # noqa: B039 (never changed in place)


@contextmanager
def log_context(**fields: object) -> Iterator[None]:
    """Until it ends, every log line of this thread carries these fields beside those around it."""
    token = _fields.set(_with(fields))
    try:
        yield
    finally:
        _fields.reset(token)


def add_to_log(**fields: object) -> None:
    """Adds what became known only now, until the `log_context` around it ends."""
    _fields.set(_with(fields))


def log_fields() -> Mapping[str, str]:
    """What a log line written now carries."""
    return _fields.get()


def _with(fields: Mapping[str, object]) -> Mapping[str, str]:
    return {**_fields.get(), **{name: str(value) for name, value in fields.items()}}
