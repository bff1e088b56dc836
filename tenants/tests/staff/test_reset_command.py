"""`manage.py reset_second_factor`."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tenants.models import User
from tenants.services import second_factor

pytestmark = pytest.mark.django_db


def said(username: str) -> str:
    out = StringIO()
    call_command("reset_second_factor", username, stdout=out)
    return out.getvalue()


def test_it_takes_the_second_factor_away(rosa: User, recovery: list[str]) -> None:
    assert "sets up a new second factor" in said("rosa")
    assert not second_factor.is_enrolled(rosa)
    assert second_factor.recovery_codes_left(rosa) == 0
    assert "nothing to do" in said("rosa")


def test_a_user_who_does_not_exist_is_told(db: None) -> None:
    with pytest.raises(CommandError, match="no user 'nobody'"):
        said("nobody")
