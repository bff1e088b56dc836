"""How long one stays in, and what a browser may do with a page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from conftest import sign_in
from tenants.models import User
from tenants.staff import middleware
from tenants.tests.staff.conftest import LOGIN, PASSWORD

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]


@pytest.fixture
def desk(client: Client, rosa: User) -> Client:
    """Rosa's browser, in the admin."""
    return sign_in(client, rosa)


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


def minutes_later(monkeypatch: pytest.MonkeyPatch, minutes: float) -> None:
    """The clock of the sessions is so much later than it was."""
    now = middleware.time.time() + minutes * 60
    monkeypatch.setattr(middleware, "time", SimpleNamespace(time=lambda: now))


def left(browser: Client) -> float:
    """Minutes after which the server forgets the session."""
    row = Session.objects.get(session_key=browser.cookies[settings.SESSION_COOKIE_NAME].value)
    return (row.expire_date - timezone.now()).total_seconds() / 60


def test_it_ends_half_an_hour_after_the_last_page(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_in(desk)
    assert 29 < left(desk) <= 30
    Session.objects.update(expire_date=timezone.now() + timezone.timedelta(minutes=3))
    minutes_later(monkeypatch, 27)
    assert is_in(desk)
    assert 29 < left(desk) <= 30
    Session.objects.update(expire_date=timezone.now())
    assert not is_in(desk)


def test_it_ends_eight_hours_after_it_began_however_busy_it_was(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(24):
        assert is_in(desk)
        minutes_later(monkeypatch, 20)
    minutes_later(monkeypatch, 1)
    assert not is_in(desk)
    assert not Session.objects.exists()


def test_a_page_does_not_write_the_session_each_time(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.get("/admin/")
    before = Session.objects.get().expire_date
    desk.get("/admin/")
    assert Session.objects.get().expire_date == before
    minutes_later(monkeypatch, 2)
    desk.get("/admin/")
    assert Session.objects.get().expire_date > before


def test_a_new_password_ends_the_other_sessions(desk: Client, rosa: User) -> None:
    here = sign_in(Client(), rosa)
    data = {"old_password": PASSWORD, "new_password1": "otra clave larga"}
    done = here.post("/admin/password_change/", data | {"new_password2": "otra clave larga"})
    assert done.status_code == 302
    assert is_in(here)
    assert not is_in(desk)


def test_a_deactivated_user_is_out_at_once(desk: Client, rosa: User) -> None:
    User.objects.update(is_active=False)
    assert not is_in(desk)


def test_who_is_no_longer_staff_is_out_at_once(desk: Client) -> None:
    User.objects.update(is_staff=False)
    assert not is_in(desk)


def test_the_session_gets_another_key_at_the_sign_in(rosa: User, client: Client) -> None:
    client.get(LOGIN)
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted = session.session_key
    client.post(LOGIN, {"username": "rosa", "password": PASSWORD})
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != planted


def test_the_cookie_goes_with_the_browser_and_is_not_for_scripts(desk: Client) -> None:
    desk.get("/admin/")
    cookie = desk.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["max-age"] == ""
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_over_https_cookies_are_of_this_host_alone() -> None:
    program = (
        "import cifras.settings as s;"
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.SESSION_COOKIE_SECURE)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "ENV_FILE": os.devnull, "SECRET_KEY": "x"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.split() == ["__Host-sessionid", "__Host-csrftoken", "True"]


@pytest.mark.parametrize(
    "url", ["/admin/", "/admin/tenants/user/", "/admin/password_change/", LOGIN]
)
def test_nothing_stays_in_a_cache_and_no_other_site_gets_in(desk: Client, url: str) -> None:
    answer = desk.get(url)
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    policy = answer.headers.get("Content-Security-Policy", "")
    if answer.status_code == 200:
        assert "default-src 'self'" in policy
        assert "form-action 'self'" in policy


def test_the_rest_of_the_site_is_left_alone(client: Client) -> None:
    answer = client.get("/healthz")
    assert "Content-Security-Policy" not in answer.headers
    assert "Cookie" not in answer.headers.get("Vary", "")
