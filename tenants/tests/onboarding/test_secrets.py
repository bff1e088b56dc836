"""Certificates and passwords pass through and stay nowhere."""

import base64
import logging
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command

from pac.client import PacClient
from pac.errors import Ambiguous, Rejected
from tenants.models import Tenant
from tenants.tests.onboarding.material import PASSWORD, make_p12

pytestmark = pytest.mark.django_db(transaction=True)


def whole_database() -> str:
    """Every value of every row, as the database has it."""
    rows = []
    for model in apps.get_models():
        if model._meta.managed:
            rows += list(model._base_manager.values_list())
    return repr(rows)


def everything_visible(capsys: Any, caplog: Any, *more: object) -> str:
    out, err = capsys.readouterr()
    return "\n".join([out, err, caplog.text, whole_database(), *map(repr, more)])


@pytest.fixture
def content(options: dict[str, Any]) -> bytes:
    with open(options["signature_certificate"], "rb") as file:
        return file.read()


def assert_absent(content: bytes, everywhere: str) -> None:
    assert PASSWORD not in everywhere
    assert base64.b64encode(content).decode()[:60] not in everywhere
    assert repr(content[:20])[2:-1] not in everywhere


def test_a_certificate_that_was_sent_is_nowhere(box, options, content, capsys, caplog):
    caplog.set_level(logging.DEBUG)
    call_command("onboard_tenant", **options)
    assert Tenant.objects.get().name in capsys.readouterr().out
    assert_absent(content, everything_visible(capsys, caplog))


@pytest.mark.parametrize("kind", [Rejected, Ambiguous])
def test_a_pac_that_echoes_them_does_not_spread_them(
    box, options, content, capsys, caplog, monkeypatch, kind
):
    caplog.set_level(logging.DEBUG)

    def echo(self: PacClient, company: Any) -> None:
        signature = company["certificates"]["signature"]
        raise kind(f"bad: {signature['password']} {signature['content'][:400]}", status=400)

    monkeypatch.setattr(PacClient, "create_company", echo)
    with pytest.raises(CommandError, match=r"bad: \*\*\* \*\*\*") as caught:
        call_command("onboard_tenant", **options)
    assert Tenant.objects.get().onboarding_error == "bad: *** ***"
    assert caught.value.__suppress_context__
    assert_absent(content, everything_visible(capsys, caplog, caught.value))


def test_a_wrong_password_is_not_repeated_in_the_refusal(box, options, capsys, caplog, tmp_path):
    other = tmp_path / "other.p12"
    other.write_bytes(make_p12(password="something else"))
    options["authentication_certificate"] = str(other)
    with pytest.raises(CommandError, match="does not open with the password") as caught:
        call_command("onboard_tenant", **options)
    assert_absent(other.read_bytes(), everything_visible(capsys, caplog, caught.value))


def test_the_webhook_secret_and_the_api_key_are_not_readable_in_the_database(box, options, capsys):
    call_command("onboard_tenant", **options, json=True)
    secret = Tenant.objects.get().webhook_secret
    raw = Tenant.objects.raw("SELECT id, webhook_secret AS stored FROM tenants_tenant")[0].stored
    assert secret
    assert secret not in raw
