"""Creating something at the PAC that must exist there once, whatever breaks on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from pac.errors import Ambiguous, PacError, Unavailable
from tenants.errors import OnboardingHalted
from tenants.models import Office, Tenant
from tenants.services.onboarding.run import Halt

Twin = Tenant | Office


class CannotTell(Exception):
    """The PAC's list does not say whether the thing is there; the text says why."""


def create_once(
    row: Twin,
    *,
    missing: Q,
    look: Callable[[], str | None],
    create: Callable[[], str],
    deadline: float,
    sleep: Callable[[float], object] = time.sleep,
) -> tuple[str, bool]:
    """The PAC's id of `row`'s twin, and whether this call created it.

    `missing` holds for the row while the id is unknown. `look` finds the id in the PAC's list,
    answers `None` where it is not there and raises `CannotTell`; `create` posts. The list is asked
    first; without a usable list, only a row that was never posted is created. `deadline` is how
    many seconds a POST can be under way: where one of another run may be (it still runs, or it was
    killed), that time is waited out.

    The caller commits the id and clears both marks (`SETTLED`). Raises `PacError` as `create` and
    `look` do, `CannotTell`, and `OnboardingHalted` where another run is at it right now.

    A kill before the POST leaves marks and no twin: the next run looks, waits and creates. A kill
    after it leaves marks and a twin: the next run finds it.
    """
    found, trouble = _look(look)
    lease = row.pac_lease_expires_at
    if found is None and lease and lease > timezone.now():
        sleep((lease - timezone.now()).total_seconds())
        found, trouble = _look(look)
    if found is not None:
        return found, False
    if row.pac_doubtful_since and trouble:
        raise CannotTell(trouble)
    _claim(row, missing, timedelta(seconds=deadline))
    try:
        return create(), True
    except Ambiguous:
        _rows(row).update(pac_lease_expires_at=None)
        raise
    except PacError:
        _rows(row).update(pac_lease_expires_at=None, pac_doubtful_since=row.pac_doubtful_since)
        raise


SETTLED: Mapping[str, None] = {"pac_lease_expires_at": None, "pac_doubtful_since": None}
"""What a row's marks are once its twin's id is known."""


def _look(look: Callable[[], str | None]) -> tuple[str | None, str]:
    """The id, if the list has it, and what is wrong with the list, if anything is.

    A PAC that is away, or a token that is refused, raises: nothing would come of a POST either. A
    PAC that has no such list, or one that nobody can read, does not.
    """
    try:
        return look(), ""
    except CannotTell as unclear:
        return None, str(unclear)
    except PacError as error:
        answered = error.status is not None and error.status < 500
        if isinstance(error, Unavailable) or not answered or error.status == 401:
            raise
        return None, error.message


def _claim(row: Twin, missing: Q, lease: timedelta) -> None:
    """Commit that a POST follows, unless another run did so since `row` was read."""
    now = timezone.now()
    claimed = (
        _rows(row)
        .filter(missing, pac_lease_expires_at=row.pac_lease_expires_at)
        .update(
            pac_lease_expires_at=now + lease,
            pac_doubtful_since=Coalesce(F("pac_doubtful_since"), now),
        )
    )
    if claimed != 1:
        raise OnboardingHalted(
            "Another run is at this step at this moment. Run it again when that one has ended.",
            Halt.ANOTHER_RUN,
        )


def _rows(row: Twin) -> QuerySet[Any]:
    return type(row)._base_manager.filter(pk=row.pk)
