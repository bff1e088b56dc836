"""What the wizard gets from the floors above, which fill this in when their admin is loaded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Place:
    """A corregimiento: its code (8-8-11) and its name with district and province."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Happening:
    """Something on the way of the trial invoice."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class TrialInvoice:
    """Where the trial invoice stands. `url` is its page in the admin."""

    number: str
    state: str
    is_over: bool
    is_authorized: bool
    may_be_repeated: bool
    url: str
    way: Sequence[Happening] = field(default_factory=tuple)


class Trial(Protocol):
    """Issues one small invoice in the DGI's test environment, and looks after it."""

    def issue(self, tenant: Tenant) -> None:
        """Once, however often it is asked. Raises `TenantError`; in production `Conflict`."""

    def look(self, tenant: Tenant) -> TrialInvoice | None:
        """The newest; None where there is none."""


def _no_places(words: str) -> Sequence[Place]:
    return ()


@dataclass(slots=True)
class Extras:
    find_places: Callable[[str], Sequence[Place]] = _no_places
    trial: Trial | None = None


extras = Extras()
