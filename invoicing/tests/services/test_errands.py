"""The pauses between two tries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from invoicing.services.errands import LONGEST_PAUSE, backoff, later

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(("setbacks", "seconds"), [(0, 1), (1, 2), (5, 32), (10, 900), (1000, 900)])
def test_the_pause_doubles_up_to_a_quarter_of_an_hour(setbacks: int, seconds: int) -> None:
    pauses = [backoff(setbacks).total_seconds() for _ in range(200)]
    assert all(seconds / 2 <= pause <= seconds for pause in pauses)
    # Spread over what there is: those who failed together do not come back together.
    assert max(pauses) - min(pauses) > seconds / 4


def test_the_pac_is_not_asked_before_the_time_that_it_named() -> None:
    assert later(NOW, 1, retry_after=3600) == NOW + timedelta(hours=1)
    assert later(NOW, 20, retry_after=1) >= NOW + LONGEST_PAUSE / 2
