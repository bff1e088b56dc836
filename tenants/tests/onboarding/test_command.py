"""`manage.py onboard_tenant`: its options, its outputs, its exit codes."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from tenants.models import ApiKey, NumberSeries, Office, OnboardingStatus, Tenant
from tenants.tests.onboarding.material import PASSWORD, RUC, make_p12

pytestmark = pytest.mark.django_db(transaction=True)

SHAPE = {
    "tenant_id", "pac_company_id", "office_id", "pac_office_id", "affiliation_qr",
    "onboarding_status",
}  # fmt: skip


class Terminal(io.StringIO):
    """A person at the keyboard."""

    def isatty(self) -> bool:
        return True


def printed(**options: Any) -> dict[str, Any]:
    """The one object on stdout."""
    out = io.StringIO()
    call_command("onboard_tenant", **options, json=True, stdout=out, stderr=io.StringIO())
    return dict(json.loads(out.getvalue()))


def test_json_is_one_object_with_the_key_where_it_is_new(box, options):
    first = printed(**options)
    assert set(first) == SHAPE | {"api_key"}
    tenant, office = Tenant.objects.get(), Office.unscoped.get()
    assert first["tenant_id"] == str(tenant.pk)
    assert first["pac_company_id"] == tenant.pac_company_id
    assert first["office_id"] == str(office.pk)
    assert first["pac_office_id"] == office.pac_office_id
    assert first["onboarding_status"] == "READY"
    assert ApiKey.objects.get_from_key(first["api_key"]).tenant == tenant
    second = printed(**options)
    assert second == {name: first[name] for name in SHAPE}


def test_a_run_for_people_ends_with_a_sentence(box, options, capsys):
    call_command("onboard_tenant", **options)
    out = capsys.readouterr().out
    assert "[1/5] Company" in out
    assert out.count("API key (keep it now") == 1
    assert "is ready to issue from office 0001" in out.splitlines()[-1]


def test_a_resumed_run_needs_no_more_than_the_ruc_and_its_type(box, options):
    box.options.affiliation_pending = True
    with pytest.raises(CommandError, match="Scan this QR"):
        call_command("onboard_tenant", **options)
    box.options.affiliation_pending = False
    assert printed(ruc=RUC.lower(), ruc_type="JURIDICO")["onboarding_status"] == "READY"


def test_a_halted_run_prints_the_object_and_its_sentence(box, options, capsys):
    box.options.affiliation_pending = True
    with pytest.raises(CommandError, match="Scan this QR") as caught:
        call_command("onboard_tenant", **options, json=True)
    assert caught.value.returncode == 1
    shown = json.loads(capsys.readouterr().out)
    assert set(shown) == SHAPE
    assert shown["onboarding_status"] == OnboardingStatus.AFFILIATION_REQUESTED
    assert shown["affiliation_qr"].startswith("https://")


def test_faults_name_their_options_all_at_once(box, options, tmp_path):
    options |= {
        "dv": "54",
        "email": "x",
        "location": "8",
        "signature_certificate": str(tmp_path / "missing.p12"),
    }
    with pytest.raises(CommandError) as caught:
        call_command("onboard_tenant", **options)
    assert caught.value.returncode == 1
    for line in ("--dv: 54 is not", "--email: ", "--location: ", "missing.p12 cannot be read"):
        assert line in str(caught.value)
    assert not Tenant.objects.exists()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_password_file_that_cannot_be_read_is_a_fault(box, options, tmp_path, content):
    password = tmp_path / "another"
    if content:
        password.write_bytes(content)
    options["certificate_password_file"] = str(password)
    with pytest.raises(CommandError, match="--certificate-password-file: "):
        call_command("onboard_tenant", **options)


def test_two_certificates_may_be_given(box, options, tmp_path):
    other = tmp_path / "otra.PFX"
    other.write_bytes(make_p12())
    assert printed(**options, authentication_certificate=str(other))["api_key"]


def test_the_series_of_a_ready_tenant_are_raised_by_the_number_alone(box, options):
    printed(**options, first_number=501)
    printed(ruc=RUC, ruc_type="JURIDICO", first_number=701)
    assert set(NumberSeries.unscoped.values_list("last_number", flat=True)) == {700}
    with pytest.raises(CommandError, match="--first-number: A series is never lowered to 601"):
        printed(ruc=RUC, ruc_type="JURIDICO", first_number=601)


def last_numbers() -> set[tuple[str, int]]:
    return set(NumberSeries.unscoped.values_list("billing_point", "last_number"))


def test_another_billing_point_has_a_first_number_of_its_own(box, options):
    printed(**options, first_number=501, billing_point="002")
    assert last_numbers() == {("002", 500)}
    calls = box.routes
    printed(ruc=RUC, ruc_type="JURIDICO", first_number=701, billing_point="002")
    printed(ruc=RUC, ruc_type="JURIDICO", first_number=31)
    assert box.routes == calls
    assert last_numbers() == {("001", 30), ("002", 700)}
    with pytest.raises(CommandError, match="--first-number: A series is never lowered to 601"):
        printed(ruc=RUC, ruc_type="JURIDICO", first_number=601, billing_point="002")
    assert last_numbers() == {("001", 30), ("002", 700)}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"billing_point": "002"}, "--first-number: This is needed"),
        ({"billing_point": "2", "first_number": 5}, "--billing-point: A billing point has three"),
        ({"billing_point": "000", "first_number": 5}, "--billing-point: A billing point has three"),
        ({"billing_point": "002", "first_number": 0}, "--first-number: Numbers go from 1"),
    ],
)
def test_a_billing_point_goes_with_a_first_number_or_nothing_is_stored(box, options, given, told):
    with pytest.raises(CommandError, match=told):
        call_command("onboard_tenant", **(options | given))
    assert not Tenant.objects.exists()


def test_a_second_office_is_associated_by_default(box, options):
    printed(**options)
    options |= {"office_code": "0002", "address": "Calle 51"}
    assert printed(**options)["office_id"] == str(Office.unscoped.get(code="0002").pk)
    assert Office.unscoped.get(code="0002").type == "associated"


def test_a_terminal_is_asked_for_what_is_missing(box, options, monkeypatch, capsys):
    del options["yes"], options["certificate_password_file"]
    answers = ["155700000-2-2021", "wrong", "juridico", "", COMMON_NAME, "\n"]
    for name in ("ruc", "ruc_type", "name"):
        del options[name]
    monkeypatch.setattr(sys, "stdin", Terminal("\n".join(answers)))
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    call_command("onboard_tenant", **options, json=True)
    out, err = capsys.readouterr()
    assert json.loads(out)["onboarding_status"] == "READY"
    assert err.count("Type of RUC (NATURAL or JURIDICO): ") == 2
    assert "Press Enter when he has accepted." in err
    assert Tenant.objects.get().name == COMMON_NAME


COMMON_NAME = "Comercial Ejemplo, S.A."


def test_a_person_who_goes_away_leaves_nothing_behind(box, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    with pytest.raises(CommandError, match="Stopped at --ruc: nothing was stored"):
        call_command("onboard_tenant")
    assert not Tenant.objects.exists()


def test_yes_does_not_wait(box, options, monkeypatch):
    monkeypatch.setattr(sys, "stdin", Terminal(""))
    call_command("onboard_tenant", **options)
    assert Tenant.objects.get().onboarding_status == OnboardingStatus.READY


def manage(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, without a terminal, for its exit code."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=django_settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "cifras.tests.settings"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_a_terminal_all_that_is_missing_is_named_and_the_exit_code_is_2():
    done = manage("onboard_tenant", "--name", "Comercial Ejemplo, S.A.")
    assert done.returncode == 2
    assert done.stdout == ""
    for name in (
        "--ruc,", "--ruc-type", "--email", "--signature-certificate",
        "--certificate-password-file", "--coordinates", "--address", "--telephone", "--location",
    ):  # fmt: skip
        assert name in done.stderr
    assert "--name" not in done.stderr
    assert "Traceback" not in done.stderr


def test_what_no_option_can_be_ends_with_exit_code_2(tmp_path: Path):
    assert manage("onboard_tenant", "--ruc-type", "OTHER").returncode == 2
