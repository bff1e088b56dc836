"""`manage.py doctor`: each part that can be wrong, made wrong for real."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import Schedule
from pytest_django import Settings as SettingsWrapper

from cifras import doctor
from cifras.doctor import examine, inside, outside
from cifras.doctor.findings import Found, Level
from cifras.tests.consultation import SECRET, answering, closed_port, only, ran, told
from invoicing import guards
from invoicing.models import PumpLease
from invoicing.pump import ROLES
from pac.sandbox import Sandbox
from tenants.models import Tenant


@pytest.fixture
def healthy(settings: SettingsWrapper, box: Sandbox, alice: Tenant, tmp_path: Path) -> None:
    """A deployment with nothing to complain of."""
    settings.PAC_WEBHOOK_URL = "https://cifras.example/webhooks/pac"
    settings.EMAIL_BACKEND = outside.FILES
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    now = timezone.now()
    for role in ROLES:
        PumpLease.objects.create(name=role, role=role, holder="x", renewed_at=now, expires_at=now)
    guards.install()  # another test may have emptied the tables
    for name in inside.schedules.SCHEDULES:
        Schedule.objects.get_or_create(
            name=name, defaults={"func": "x", "next_run": now + timedelta(minutes=1)}
        )


# --- the command ----------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_healthy_deployment_has_no_failure_and_exit_code_0(
    healthy: None, caplog: pytest.LogCaptureFixture
) -> None:
    code, output = ran()
    assert "PAC GET" not in caplog.text  # a line of the log between the findings
    assert (code, [line for line in output.splitlines() if line.startswith("FAIL")]) == (0, [])
    names = [line.split()[1] for line in output.splitlines()]
    assert list(dict.fromkeys(names)) == list(doctor.CHECKS)
    assert {line.split()[0] for line in output.splitlines()} <= {"ok", "warn"}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("as_json", [False, True])
def test_a_failure_has_its_line_and_exit_code_1(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    settings.PAC_WEBHOOK_URL = "http://cifras.example/webhooks/pac"
    checks = {name: doctor.CHECKS[name] for name in ("database", "webhook_url", "files")}
    monkeypatch.setattr(doctor, "CHECKS", checks)
    code, output = ran(*(["--json"] if as_json else []))
    assert code == 1
    if as_json:
        found = [(each["level"], each["name"]) for each in json.loads(output)]
        assert all(each["sentence"] for each in json.loads(output))
    else:
        found = [tuple(line.split()[:2]) for line in output.splitlines()]
    assert ("FAIL", "webhook_url") in found
    assert {("ok", "database"), ("ok", "files")} <= set(found)


def test_a_check_that_breaks_is_a_line_without_its_secrets_and_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    settings.PAC_API_KEY = SECRET

    def broken() -> Found:
        yield Level.OK, "so far so good"
        raise RuntimeError(f"a defect with {SECRET}\nand password=abc of 8-274-125")

    monkeypatch.setattr(
        doctor, "CHECKS", {"broken": broken, "webhook_url": outside.check_webhook_url}
    )
    found = list(examine())
    assert [(finding.level, finding.name) for finding in found] == [
        (Level.OK, "broken"),
        (Level.FAIL, "broken"),
        (Level.WARN, "webhook_url"),
    ]
    assert found[1].sentence == (
        "Could not be looked at: RuntimeError: a defect with *** and password=*** of ***125."
    )


def test_without_a_database_every_check_still_has_its_line(
    settings: SettingsWrapper,
) -> None:
    """Run in a process of its own, whose database does not exist."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DEBUG": "true",
        "DATABASE_URL": f"postgres://cifras:{SECRET}@127.0.0.1:{closed_port()}/cifras",
        "PAC_BASE_URL": f"http://127.0.0.1:{closed_port()}",
        "EMAIL_URL": "dummymail://",
        "MEDIA_ROOT": settings.MEDIA_ROOT,
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "doctor"],
        cwd=Path(__file__).parents[2],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr + done.stdout
    assert SECRET not in done.stderr + done.stdout
    failed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAIL")}
    assert failed >= {"database", "migrations", "guards", "worker", "schedules", "encryption_key"}
    assert {line.split()[1] for line in done.stdout.splitlines()} == set(doctor.CHECKS)


# --- inside ---------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_wrong_setting_is_told_with_its_remedy(settings: SettingsWrapper) -> None:
    settings.PAC_BILLING_POINT = "000"
    settings.DEBUG = True
    level, sentence = told(inside.check_settings)[0]
    assert level == "FAIL"
    assert "never 000. (cifras.E006)" in sentence


@pytest.mark.django_db
def test_outside_debug_the_deployment_checks_are_made_too(settings: SettingsWrapper) -> None:
    settings.SESSION_COOKIE_SECURE = False
    settings.DEBUG = False
    assert any("security.W012" in sentence for _, sentence in told(inside.check_settings))
    settings.DEBUG = True
    assert not any("security.W012" in sentence for _, sentence in told(inside.check_settings))


@pytest.mark.django_db
def test_an_unapplied_migration_is_named() -> None:
    assert only(inside.check_migrations)[0] == "ok"
    MigrationRecorder.Migration.objects.filter(app="webhooks").delete()
    level, sentence = only(inside.check_migrations)
    assert level == "FAIL"
    assert "webhooks.0001_initial" in sentence
    assert "manage.py migrate" in sentence


@pytest.mark.django_db(transaction=True)
def test_a_missing_guard_is_named(alice: Tenant) -> None:
    guards.install()
    assert only(inside.check_guards)[0] == "ok"
    with connection.cursor() as cursor:
        on_table = " ON invoicing_document" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER document_verdict_is_final{on_table}")
    try:
        level, sentence = only(inside.check_guards)
    finally:
        guards.install()
    assert level == "FAIL"
    assert "lacks document_verdict_is_final." in sentence


def test_a_cache_that_loses_things_is_told(settings: SettingsWrapper) -> None:
    assert only(inside.check_cache)[0] == "ok"
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    assert only(inside.check_cache)[0] == "FAIL"


def test_a_broker_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def ping(self) -> bool:
            return False

    monkeypatch.setattr(inside, "get_broker", Away)
    assert only(inside.check_broker)[0] == "FAIL"


@pytest.mark.django_db
def test_a_worker_is_told_by_its_heartbeat() -> None:
    now = timezone.now()
    assert [level for level, _ in told(inside.check_worker)] == ["FAIL"] * len(ROLES)
    for role, age in zip(ROLES, (30, 90), strict=True):
        PumpLease.objects.create(
            name=role,
            role=role,
            holder="x",
            renewed_at=now - timedelta(seconds=age),
            expires_at=now,
        )
    (fine, seen), (gone, unseen) = told(inside.check_worker)
    assert (fine, gone) == ("ok", "FAIL")
    assert "seen 30 s ago." in seen
    assert "seen 90 s ago; documents wait" in unseen


@pytest.mark.django_db
def test_schedules_that_are_missing_or_late_are_named() -> None:
    inside.schedules.install()
    Schedule.objects.update(next_run=timezone.now())
    assert only(inside.check_schedules)[0] == "ok"
    Schedule.objects.filter(name="reap").update(next_run=timezone.now() - timedelta(hours=1))
    level, sentence = only(inside.check_schedules)
    assert (level, "reap" in sentence) == ("warn", True)
    Schedule.objects.filter(name="past due").delete()
    level, sentence = only(inside.check_schedules)
    assert (level, "Not registered: past due." in sentence) == ("FAIL", True)


def test_a_key_that_opens_nothing_is_told(alice: Tenant, settings: SettingsWrapper) -> None:
    level, sentence = only(inside.check_encryption_key)
    assert (level, "(1 secrets tried)" in sentence) == ("ok", True)
    settings.FIELD_ENCRYPTION_KEYS = ["another key"]
    level, sentence = only(inside.check_encryption_key)
    assert level == "FAIL"
    assert "FIELD_ENCRYPTION_KEY" in sentence
    settings.FIELD_ENCRYPTION_KEYS = ["another key", settings.SECRET_KEY]
    assert only(inside.check_encryption_key)[0] == "ok"


# --- the PAC and its clock ------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_pac_that_answers_is_well_and_each_token_is_tried_once(
    box: Sandbox, alice: Tenant, bob: Tenant
) -> None:
    bob.pac_token = SECRET
    bob.save()
    (first, default), (second, own) = told(outside.check_pac)
    assert (first, second) == ("ok", "ok")
    assert "accepts PAC_API_KEY; it knows 2 companies." in default
    assert "the token of Bob Batista; it knows 0" in own


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"unauthorized": True}, "refuses PAC_API_KEY (401): set the right one."),
        ({"down": "503"}, "503"),
        ({"down": "refuse"}, "No complete answer came"),
    ],
)
def test_a_pac_that_does_not_serve_is_told_by_what_is_wrong(
    box: Sandbox, fault: dict[str, Any], words: str
) -> None:
    box.options.update(fault)
    level, sentence = only(outside.check_pac)
    assert level == "FAIL"
    assert words in sentence
    assert box.url in sentence


@pytest.mark.django_db(transaction=True)
def test_a_pac_behind_a_closed_port_is_refused(settings: SettingsWrapper) -> None:
    settings.PAC_BASE_URL = f"http://127.0.0.1:{closed_port()}"
    level, sentence = only(outside.check_pac)
    assert level == "FAIL"
    assert "Connection refused" in sentence
    assert "Check PAC_BASE_URL" in sentence
    assert only(outside.check_clock) == (
        "warn",
        "The PAC tells no time: it could not be reached.",
    )


@pytest.mark.django_db(transaction=True)
def test_a_pac_that_is_silent_is_a_time_out(
    settings: SettingsWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside, "PATIENCE", 0.4)
    with answering(hold=True) as port:
        settings.PAC_BASE_URL = f"http://127.0.0.1:{port}"
        level, sentence = only(outside.check_pac)
    assert level == "FAIL"
    assert "timed out" in sentence


@pytest.mark.parametrize(
    ("header", "level"),
    [
        (None, "ok"),
        (b"Date: Sun, 22 Nov 2020 10:00:00 GMT\r\n", "FAIL"),
        (b"", "warn"),
    ],
)
def test_the_clock_is_compared_with_the_pacs(
    box: Sandbox, settings: SettingsWrapper, header: bytes | None, level: str
) -> None:
    if header is None:
        assert only(outside.check_clock)[0] == level
        return
    with answering(b"HTTP/1.1 200 OK\r\n" + header + b"Content-Length: 0\r\n\r\n") as port:
        settings.PAC_BASE_URL = f"http://127.0.0.1:{port}"
        assert only(outside.check_clock)[0] == level


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("https://cifras.example/webhooks/pac", "ok"),
        ("", "warn"),
        ("http://127.0.0.1:8000/webhooks/pac", "warn"),
        ("https://cifras.example/hooks", "warn"),
        ("http://cifras.example/webhooks/pac", "FAIL"),
        ("cifras.example/webhooks/pac", "FAIL"),
    ],
)
def test_the_webhooks_address_is_judged(settings: SettingsWrapper, url: str, level: str) -> None:
    settings.PAC_WEBHOOK_URL = url
    assert only(outside.check_webhook_url)[0] == level
