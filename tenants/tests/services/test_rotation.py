"""The webhook's secret: the old and the new count until the PAC has taken the new."""

from typing import Any

import pytest

from conftest import LONG_AGO, WEBHOOK_SECRET
from pac.client import PacClient
from pac.errors import Ambiguous, Unavailable
from tenants.errors import Conflict
from tenants.models import Tenant
from tenants.pac import pac_client
from tenants.services.rotation import is_rotating, rotate_webhook_secret
from tenants.tests.onboarding.material import Killed

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def tenant(box: Any, alice: Tenant) -> Tenant:
    alice.pac_webhook_url = f"https://cifras.test/webhooks/pac/{alice.pac_company_id}"
    alice.save()
    return alice


def fresh(tenant: Tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


def at_the_pac(tenant: Tenant) -> str:
    raw = pac_client(tenant).get_company(tenant.pac_company_id or "").raw
    target = raw["webhooks"]["documents"]["emissionFinished"]
    assert target["url"] == tenant.pac_webhook_url
    return str(target["headers"]["X-Pac-Signature"])


def time_passes() -> None:
    Tenant.objects.update(pac_lease_expires_at=LONG_AGO)


def test_the_pac_has_the_new_secret_and_the_old_one_is_gone(tenant):
    rotate_webhook_secret(tenant)
    after = fresh(tenant)
    assert after.webhook_secrets() == [at_the_pac(tenant)]
    assert after.webhook_secret != WEBHOOK_SECRET
    assert not is_rotating(after)
    assert after.pac_lease_expires_at is None


@pytest.mark.parametrize("trouble", [{"drop_next": 1}, {"error_after_next": 1}, {"down": "503"}])
def test_after_a_failure_both_count_and_the_same_new_one_is_sent_again(box, tenant, trouble):
    box.options.update(trouble)
    with pytest.raises((Ambiguous, Unavailable)):
        rotate_webhook_secret(tenant)
    between = fresh(tenant)
    assert between.webhook_secrets() == [between.webhook_secret, WEBHOOK_SECRET]
    assert is_rotating(between)
    box.options.down = ""
    time_passes()
    rotate_webhook_secret(between)
    assert fresh(tenant).webhook_secrets() == [between.webhook_secret] == [at_the_pac(tenant)]


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_kill_around_the_call_leaves_both_in_force(tenant, monkeypatch, moment):
    real = PacClient.update_company

    def killed(*args: Any) -> None:
        if moment == "after":
            real(*args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PacClient, "update_company", killed)
        with pytest.raises(Killed):
            rotate_webhook_secret(tenant)
    assert WEBHOOK_SECRET in fresh(tenant).webhook_secrets()
    assert len(fresh(tenant).webhook_secrets()) == 2
    time_passes()
    rotate_webhook_secret(fresh(tenant))
    assert fresh(tenant).webhook_secrets() == [at_the_pac(tenant)]


def test_of_two_at_once_one_rotates(tenant, monkeypatch):
    """The slower one's call could otherwise bring back a secret that nobody accepts any more."""
    real = PacClient.update_company
    refused: list[str] = []

    def during(*args: Any) -> None:
        if not refused:
            with pytest.raises(Conflict) as caught:
                rotate_webhook_secret(fresh(tenant))
            refused.append(caught.value.code)
        real(*args)

    monkeypatch.setattr(PacClient, "update_company", during)
    rotate_webhook_secret(tenant)
    assert refused == ["in_progress"]
    assert fresh(tenant).webhook_secrets() == [at_the_pac(tenant)]


def test_after_a_lost_answer_nobody_changes_it_before_that_call_must_have_ended(box, tenant):
    box.options.drop_next = 1
    with pytest.raises(Ambiguous):
        rotate_webhook_secret(tenant)
    with pytest.raises(Conflict, match="at this moment"):
        rotate_webhook_secret(fresh(tenant))


def test_the_secret_of_the_settings_counts_while_the_first_own_one_is_on_its_way(
    box, tenant, settings
):
    settings.PAC_WEBHOOK_SECRET = "of the settings"
    Tenant.objects.update(webhook_secret="")
    box.options.drop_next = 1
    with pytest.raises(Ambiguous):
        rotate_webhook_secret(fresh(tenant))
    assert "of the settings" in fresh(tenant).webhook_secrets()
