"""The doctor at the mail server and in the files."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings as SettingsWrapper

from cifras import doctor
from cifras.doctor import examine, outside
from cifras.doctor.findings import Level
from cifras.tests.consultation import SECRET, answering, closed_port, only


@pytest.fixture
def smtp(settings: SettingsWrapper) -> SettingsWrapper:
    settings.EMAIL_BACKEND = outside.SMTP
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 0.5
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    return settings


def test_a_mail_server_that_answers_is_well(smtp: SettingsWrapper) -> None:
    with answering(b"220 mail.example\r\n", b"250 mail.example\r\n", b"221 bye\r\n") as port:
        smtp.EMAIL_PORT = port
        assert only(outside.check_email) == ("ok", f"127.0.0.1:{port} opens a connection.")


def test_a_mail_server_behind_a_closed_port_is_refused(smtp: SettingsWrapper) -> None:
    smtp.EMAIL_PORT = closed_port()
    level, sentence = only(outside.check_email)
    assert (level, "Connection refused" in sentence) == ("FAIL", True)


def test_a_mail_server_that_is_silent_is_a_time_out(smtp: SettingsWrapper) -> None:
    with answering(hold=True) as port:
        smtp.EMAIL_PORT = port
        level, sentence = only(outside.check_email)
    assert (level, "timed out" in sentence) == ("FAIL", True)


def test_a_mail_server_that_refuses_the_password_does_not_learn_it_from_us(
    smtp: SettingsWrapper,
) -> None:
    smtp.EMAIL_HOST_USER, smtp.EMAIL_HOST_PASSWORD = "cifras", SECRET
    turns = (
        b"220 mail.example\r\n",
        b"250-mail.example\r\n250 AUTH PLAIN\r\n",
        f"535 no such {SECRET}\r\n".encode(),
        b"221 bye\r\n",
    )
    with answering(*turns) as port:
        smtp.EMAIL_PORT = port
        level, sentence = only(outside.check_email)
    assert (level, "refuses user or password (535)" in sentence) == ("FAIL", True)
    assert SECRET not in sentence


@pytest.mark.parametrize(("debug", "level"), [(True, "ok"), (False, "warn")])
def test_mails_into_files_are_for_a_developers_machine(
    settings: SettingsWrapper, tmp_path: Path, debug: bool, level: str
) -> None:
    settings.EMAIL_BACKEND, settings.DEBUG = outside.FILES, debug
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    assert only(outside.check_email)[0] == level
    assert list((tmp_path / "mail").iterdir()) == []


@pytest.mark.parametrize("check", ["email", "files"])
def test_a_folder_that_is_none_is_told(
    settings: SettingsWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: str
) -> None:
    """Root may write anywhere, but not into a file as if it were a folder."""
    (tmp_path / "file").write_text("in the way")
    settings.EMAIL_BACKEND = outside.FILES
    settings.EMAIL_FILE_PATH = settings.MEDIA_ROOT = str(tmp_path / "file")
    monkeypatch.setattr(doctor, "CHECKS", {check: doctor.CHECKS[check]})
    (finding,) = examine()
    assert finding.level is Level.FAIL
    assert str(tmp_path / "file") in finding.sentence


def test_the_probe_in_the_files_is_removed(settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = str(tmp_path / "files")
    assert only(outside.check_files)[0] == "ok"
    assert list((tmp_path / "files").iterdir()) == []
