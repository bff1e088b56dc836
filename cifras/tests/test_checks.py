"""Every wrong setting has its sentence, and right ones have none."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings as SettingsWrapper

from cifras.checks import check_settings
from invoicing.pump import LONGEST_RUN

ROOT = Path(__file__).parents[2]

RIGHT = {
    "DEBUG": False,
    "SECRET_KEY": "one secret",
    "FIELD_ENCRYPTION_KEYS": ["another secret"],
    "PAC_BASE_URL": "https://pac.example",
    "PAC_ENVIRONMENT": 1,
    "PAC_BILLING_POINT": "001",
    "PAC_WEBHOOK_URL": "https://cifras.example/webhooks/pac",
    "PAC_CONCURRENCY": 16,
}


def ids(settings: SettingsWrapper, **changes: Any) -> list[str]:
    for name, value in (RIGHT | changes).items():
        setattr(settings, name, value)
    return [str(message.id) for message in check_settings(None)]


def test_a_right_deployment_is_silent(settings: SettingsWrapper) -> None:
    assert ids(settings) == []


def test_a_proxy_that_is_not_counted_is_warned_of(settings: SettingsWrapper) -> None:
    assert ids(settings, HTTPS=True, PROXIES=0) == ["cifras.W014"]
    assert ids(settings, HTTPS=True, PROXIES=1) == []
    assert ids(settings, HTTPS=False, PROXIES=0) == []


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("FIELD_ENCRYPTION_KEYS", [], "cifras.E001"),
        ("FIELD_ENCRYPTION_KEYS", ["new", "one secret"], "cifras.W002"),
        ("PAC_BASE_URL", "https://pac.example/pan/v1", "cifras.E003"),
        ("PAC_BASE_URL", "pac.example", "cifras.E003"),
        ("PAC_BASE_URL", "ftp://pac.example", "cifras.E003"),
        ("PAC_BASE_URL", "", "cifras.E003"),
        ("PAC_BASE_URL", "http://pac.example", "cifras.E004"),
        ("PAC_BASE_URL", "http://127.0.0.1.pac.example", "cifras.E004"),
        ("PAC_ENVIRONMENT", 3, "cifras.E005"),
        ("PAC_BILLING_POINT", "000", "cifras.E006"),
        ("PAC_BILLING_POINT", "1", "cifras.E006"),
        ("PAC_BILLING_POINT", "001\n", "cifras.E006"),
        ("PAC_BILLING_POINT", "٠٠١", "cifras.E006"),
        ("PAC_WEBHOOK_URL", "", "cifras.W007"),
        ("PAC_CONCURRENCY", 0, "cifras.E009"),
        ("PAC_CONCURRENCY", 65, "cifras.E009"),
        ("RUC_VERIFICATION_DAYS", -1, "cifras.E010"),
        ("PROXIES", -1, "cifras.E013"),
        ("RUC_VERIFICATION_DAYS", 3651, "cifras.E010"),
        ("LOG_FORMAT", "xml", "cifras.E011"),
        ("METRICS_TOKEN", "x" * 15, "cifras.E012"),
    ],
)
def test_a_wrong_setting_has_its_sentence(
    settings: SettingsWrapper, name: str, value: Any, expected: str
) -> None:
    assert ids(settings, **{name: value}) == [expected]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PAC_BASE_URL", "http://127.0.0.1:8010"),
        ("PAC_BASE_URL", "http://localhost:8010"),
        ("PAC_BASE_URL", "http://[::1]:8010"),
        ("PAC_BILLING_POINT", "999"),
        ("PAC_ENVIRONMENT", 2),
        ("PAC_CONCURRENCY", 1),
        ("PAC_CONCURRENCY", 64),
        ("RUC_VERIFICATION_DAYS", 0),
        ("RUC_VERIFICATION_DAYS", 3650),
        ("METRICS_TOKEN", "x" * 16),
    ],
)
def test_what_is_at_the_edge_is_right(settings: SettingsWrapper, name: str, value: Any) -> None:
    assert ids(settings, **{name: value}) == []


@pytest.mark.parametrize(
    ("timeout", "retry"), [(0, 60), (60, 60), (60, 30)], ids=["short", "equal", "longer"]
)
def test_a_queue_that_would_run_a_pump_twice_is_told(
    settings: SettingsWrapper, timeout: int, retry: int
) -> None:
    more = {"timeout": LONGEST_RUN + timeout, "retry": LONGEST_RUN + retry}
    cluster = settings.Q_CLUSTER | more
    assert ids(settings, Q_CLUSTER=cluster) == ["cifras.E008"]


def test_slow_time_outs_lengthen_what_the_queue_allows_a_pump() -> None:
    slow = {
        "DJANGO_SETTINGS_MODULE": "cifras.tests.settings",
        "PAC_TIMEOUT": "20,90",
        "EMAIL_TIMEOUT": "90",
    }
    checked = subprocess.run(
        [sys.executable, ROOT / "manage.py", "check"],
        env=os.environ | slow,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "E008" not in checked.stderr
    assert checked.returncode == 0, checked.stderr


def test_on_a_developers_machine_one_key_may_do_for_both_and_polling_is_enough(
    settings: SettingsWrapper,
) -> None:
    assert ids(settings, DEBUG=True, FIELD_ENCRYPTION_KEYS=["one secret"], PAC_WEBHOOK_URL="") == []


def test_every_message_has_a_hint(settings: SettingsWrapper) -> None:
    ids(
        settings, FIELD_ENCRYPTION_KEYS=[], PAC_BASE_URL="", PAC_BILLING_POINT="", PAC_CONCURRENCY=0
    )
    messages = check_settings(None)
    assert len(messages) == 4
    assert all(message.hint for message in messages)


def test_the_web_server_does_not_start_on_wrong_settings() -> None:
    """gunicorn runs no check of its own: loading the application does."""
    environment = {
        "PATH": os.environ["PATH"],
        "ENV_FILE": os.devnull,
        "DEBUG": "true",
        "SECRET_KEY": "for this test only",
        "PAC_BILLING_POINT": "000",
    }
    done = subprocess.run(
        [sys.executable, "-c", "import cifras.wsgi"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "A billing point (punto de facturación) has three digits" in done.stderr
