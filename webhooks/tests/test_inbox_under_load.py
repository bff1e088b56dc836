"""The inbox while the pump has more documents to send than it can."""

from __future__ import annotations

import pytest

from invoicing import pump
from invoicing.services.errands import Errand
from tenants.models import Tenant
from webhooks import inbox
from webhooks.models import PacDelivery

pytestmark = pytest.mark.django_db(transaction=True)


class Quick:
    """One document of a backlog that has no end."""

    def call(self) -> None:
        pass

    def commit(self, outcome: None) -> None:
        pass


def endless(limit: int) -> list[Errand]:
    return [Quick() for _ in range(limit)]


def test_a_backlog_does_not_keep_the_inbox_from_being_attended(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox.store(alice, b'{"id": "01HZZZZZZZZZZZZZZZZZZZZZZZ"}')
    monkeypatch.setattr(pump.ROLES["pac"], "sources", [endless])
    done = pump.pump("pac", seconds=0.2)
    assert done is not None
    assert done > 16  # it had its hands full
    assert PacDelivery.unscoped.get().tries == 1
