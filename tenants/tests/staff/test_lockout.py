"""Who fails too often is locked out: by account, and by address."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.admin.models import LogEntry
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings as SettingsWrapper

from tenants.models import User
from tenants.staff.lockout import client_address
from tenants.tests.staff.conftest import LOGIN, PASSWORD, fresh_code

pytestmark = pytest.mark.django_db

Try = Callable[..., Any]
HERE, THERE = "192.0.2.7", "198.51.100.9"


def fail(try_in: Try, times: int, **post: Any) -> list[int]:
    """The answers to so many wrong passwords, each from a new browser."""
    return [try_in(Client(), password="wrong", **post).status_code for _ in range(times)]


# --- locking -----------------------------------------------------------------------------------


def test_the_fifth_failure_locks_the_account_from_everywhere(
    rosa: User, client: Client, try_in: Try
) -> None:
    answers = [fail(try_in, 1, REMOTE_ADDR=f"192.0.2.{number}")[0] for number in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    page = try_in(client, REMOTE_ADDR=THERE)  # the right password
    assert page.status_code == 429
    assert page.headers["Retry-After"] == "900"
    assert "bloqueada durante 15 minutos" in page.content.decode()
    assert client.get("/admin/").status_code == 302
    assert list(AccessFailureLog.objects.filter(locked_out=True).values_list("username")) == [
        ("rosa",)
    ]


def test_failures_at_many_accounts_lock_the_address(rosa: User, try_in: Try) -> None:
    answers = [
        fail(try_in, 1, username=f"user{number}", REMOTE_ADDR=HERE)[0] for number in range(5)
    ]
    assert answers[-1] == 429
    assert try_in(Client(), REMOTE_ADDR=HERE).status_code == 429
    assert try_in(Client(), REMOTE_ADDR=THERE).status_code == 302


def test_an_account_that_does_not_exist_is_locked_alike(rosa: User, try_in: Try) -> None:
    assert fail(try_in, 5, username="nobody") == [200, 200, 200, 200, 429]


@pytest.mark.parametrize("code", ["000000", "", "111122223333"])
def test_a_wrong_code_counts_like_a_wrong_password(
    rosa: User, recovery: list[str], try_in: Try, code: str
) -> None:
    answers = [try_in(Client(), code=code).status_code for _ in range(5)]
    assert answers == [200, 200, 200, 200, 429]
    assert try_in(Client(), code=fresh_code(rosa)).status_code == 429
    assert try_in(Client(), code=recovery[0]).status_code == 429


def test_it_ends_after_a_quarter_of_an_hour_however_often_one_tried(
    rosa: User, try_in: Try
) -> None:
    fail(try_in, 9)
    assert AccessAttempt.objects.get().failures_since_start == 5
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert try_in(Client()).status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert try_in(Client()).status_code == 302


def test_a_success_forgives_what_came_before(rosa: User, try_in: Try) -> None:
    for _ in range(3):
        assert fail(try_in, 4) == [200] * 4
        assert try_in(Client()).status_code == 302


def test_a_success_does_not_forgive_failures_at_another_account(rosa: User, try_in: Try) -> None:
    """Or somebody with a password of his own could guess a colleague's for ever."""
    User.objects.create_user("luis", password=PASSWORD, is_staff=True)
    assert fail(try_in, 4) == [200] * 4
    assert try_in(Client(), username="luis").status_code == 302
    assert fail(try_in, 1, REMOTE_ADDR=THERE) == [429]


def test_a_name_too_long_for_the_log_is_refused(rosa: User, client: Client, try_in: Try) -> None:
    page = try_in(client, username="x" * 5000)
    assert "username" in page.context["form"].errors
    assert not AccessAttempt.objects.exists()


def test_neither_password_nor_code_is_kept(
    rosa: User, recovery: list[str], client: Client, try_in: Try
) -> None:
    try_in(client, password="wrong and secret", code=recovery[0])
    try_in(client, code="123456")
    kept = repr([*AccessAttempt.objects.values(), *AccessFailureLog.objects.values()])
    for secret in ("wrong and secret", recovery[0], "123456", PASSWORD):
        assert secret not in kept


# --- whose address -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "", "10.0.0.1"),
        (0, HERE, "10.0.0.1"),
        (1, HERE, HERE),
        (1, f"1.1.1.1, {HERE}", HERE),
        (2, f"1.1.1.1, {HERE}, 10.0.0.2", HERE),
        (2, HERE, "10.0.0.1"),
        (1, "", "10.0.0.1"),
        (1, f"{HERE}, unknown", "10.0.0.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "::ffff:192.0.2.7", HERE),
        (1, "fe80::1%eth0", "fe80::"),
    ],
)
def test_the_address_is_what_the_outermost_proxy_saw(
    settings: SettingsWrapper, proxies: int, forwarded: str, expected: str
) -> None:
    settings.PROXIES = proxies
    headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **headers)
    assert client_address(request) == expected


def test_a_socket_without_an_address_has_none() -> None:
    assert client_address(RequestFactory().get("/", REMOTE_ADDR="")) is None


def test_a_forged_header_does_not_escape_the_lock(
    settings: SettingsWrapper, rosa: User, try_in: Try
) -> None:
    settings.PROXIES = 1
    answers = [
        fail(
            try_in,
            1,
            username=f"user{number}",
            HTTP_X_FORWARDED_FOR=f"203.0.113.{number}, {HERE}",
        )[0]
        for number in range(5)
    ]
    assert answers[-1] == 429


# --- seen and undone by staff ------------------------------------------------------------------


def test_an_operator_sees_who_is_locked_out_and_lets_him_in_which_is_logged(
    rosa: User, operator_browser: Client, try_in: Try
) -> None:
    fail(try_in, 5, REMOTE_ADDR=HERE)
    url = "/admin/axes/accessattempt/"
    page = operator_browser.get(url).content.decode()
    assert "Cuenta bloqueada" in page
    assert HERE in page
    attempt = AccessAttempt.objects.get()
    operator_browser.post(url, {"action": "unlock", "_selected_action": [attempt.pk]})
    assert try_in(Client(), REMOTE_ADDR=HERE).status_code == 302
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.get_change_message()) == (
        "operador",
        f"Desbloqueadas la cuenta «rosa» y la dirección {HERE}.",
    )


def test_a_locked_address_is_told_from_a_locked_account(
    operator_browser: Client, try_in: Try
) -> None:
    for number in range(5):
        fail(try_in, 1, username=f"user{number}", REMOTE_ADDR=HERE)
    fail(try_in, 1, username="other", REMOTE_ADDR=THERE)
    page = operator_browser.get("/admin/axes/accessattempt/").content.decode()
    assert page.count("Dirección bloqueada") == 5
    assert page.count("Abierta") == 1


def test_successes_and_failures_stay_on_record(rosa: User, client: Client, try_in: Try) -> None:
    fail(try_in, 1, REMOTE_ADDR=HERE)
    try_in(client, REMOTE_ADDR=THERE)
    assert AccessFailureLog.objects.get().ip_address == HERE
    assert AccessLog.objects.get().ip_address == THERE
    client.get(LOGIN)
