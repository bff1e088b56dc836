"""Nobody is in the admin before his second factor."""

from __future__ import annotations

import re
from base64 import b32decode
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import URLResolver, reverse
from django.urls.resolvers import RoutePattern
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from tenants.models import User
from tenants.tests.staff.conftest import ENROL, LOGIN, PASSWORD, app_code, fresh_code

pytestmark = pytest.mark.django_db

Try = Callable[..., Any]


def secret_on(page: Any) -> str:
    """The secret as it is typed into an app, in hexadecimal."""
    text = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page.content.decode())
    assert text
    return b32decode(text.group(1).replace(" ", "")).hex()


def is_in(browser: Client) -> bool:
    return browser.get("/admin/").status_code == 200


# --- the first time ----------------------------------------------------------------------------


def test_the_first_sign_in_leads_through_enrolment_to_where_one_was_going(
    rosa: User, client: Client, try_in: Try
) -> None:
    going_to = "/admin/tenants/tenant/?q=1"
    answer = try_in(client, going_to=going_to)
    assert answer.url == going_to
    page = client.get(answer.url, follow=True)
    assert page.redirect_chain[-1][0].startswith(ENROL)
    assert "data:image/svg+xml;base64," in page.content.decode()
    assert page.context["next"] == going_to

    code = app_code(secret_on(page))
    done = client.post(ENROL, {"code": code, "next": going_to}).content.decode()
    assert len(re.findall(r"\d{4}-\d{4}-\d{4}", done)) == 10
    assert 'href="/admin/tenants/tenant/?q=1"' in done
    assert client.get(going_to).status_code == 200
    assert LogEntry.objects.get().get_change_message() == "Segundo factor activado."


def pages(patterns: Any = None) -> Iterator[str]:
    """The address of every page of the admin, with some object's key where it asks for one."""
    for pattern in patterns or admin.site.get_urls():
        if isinstance(pattern, URLResolver):
            yield from pages(pattern.url_patterns)
        elif pattern.name and isinstance(pattern.pattern, RoutePattern):
            wanted = pattern.pattern.converters
            values = {name: 1 if name == "int" else str(uuid4()) for name in wanted}
            yield reverse(f"admin:{pattern.name}", kwargs=values)


def test_before_it_every_page_of_the_admin_is_closed(
    rosa: User, client: Client, try_in: Try
) -> None:
    try_in(client)
    closed = {*pages(), "/admin/tenants/", "/admin/nowhere/"} - {LOGIN, ENROL}
    assert len(closed) > 80
    for url in closed:
        for answer in (client.get(url), client.post(url)):
            assert answer.status_code == 302, url
            assert answer.url.startswith(LOGIN) or url == "/admin/logout/", url


def test_a_wrong_code_does_not_enrol_and_the_secret_stays(
    rosa: User, client: Client, try_in: Try
) -> None:
    try_in(client)
    secret = secret_on(client.get(ENROL))
    wrong = f"{(int(app_code(secret)) + 1) % 1_000_000:06d}"
    for code in (wrong, "", "abc", "٠١٢٣٤٥"):
        page = client.post(ENROL, {"code": code})
        assert "code" in page.context["form"].errors
        assert secret_on(page) == secret
    assert not TOTPDevice.objects.exists()
    assert not is_in(client)


def test_each_session_enrols_with_a_secret_of_its_own(
    rosa: User, client: Client, try_in: Try
) -> None:
    """Who knows the password and looked at the secret first does not share the later device."""
    other = Client()
    for browser in (client, other):
        try_in(browser)
    assert secret_on(client.get(ENROL)) != secret_on(other.get(ENROL))


def test_only_the_first_session_enrols(rosa: User, client: Client, try_in: Try) -> None:
    other = Client()
    for browser in (client, other):
        try_in(browser)
    theirs = secret_on(other.get(ENROL))
    client.post(ENROL, {"code": app_code(secret_on(client.get(ENROL)))})
    assert other.post(ENROL, {"code": app_code(theirs)}).url == "/admin/"
    assert TOTPDevice.objects.count() == 1
    assert not is_in(other)
    assert other.get("/admin/", follow=True).redirect_chain[-1][0].startswith(LOGIN)


def test_enrolment_is_for_staff_who_gave_the_password(db: None, client: Client) -> None:
    assert client.get(ENROL).url.startswith(LOGIN)
    assert client.post(ENROL, {"code": "123456"}).url.startswith(LOGIN)
    client.force_login(User.objects.create_user("cliente", password=PASSWORD))
    assert client.get(ENROL).url.startswith(LOGIN)


def test_the_recovery_codes_are_shown_once_and_stored_as_digests(
    rosa: User, client: Client, try_in: Try
) -> None:
    try_in(client)
    page = client.post(ENROL, {"code": app_code(secret_on(client.get(ENROL)))}).content.decode()
    codes = re.findall(r"\d{4}-\d{4}-\d{4}", page)
    stored = set(StaticToken.objects.values_list("token", flat=True))
    assert len(stored) == len(codes) == 10
    assert not stored & {code.replace("-", "") for code in codes}
    assert client.get(ENROL).status_code == 302
    assert "second_factor_secret" not in client.session


# --- every other time --------------------------------------------------------------------------


def test_password_and_code_together_open_the_admin(
    rosa: User, recovery: list[str], client: Client, try_in: Try
) -> None:
    code = fresh_code(rosa)
    assert try_in(client, code=f"{code[:3]} {code[3:]}").status_code == 302
    assert is_in(client)
    assert client.get(ENROL).url == "/admin/"


@pytest.mark.parametrize("code", ["", "000000", "12345", "1234567", "x", "0" * 12, "9" * 40])
def test_the_password_alone_does_not_and_nothing_tells_that_it_was_right(
    rosa: User, recovery: list[str], client: Client, try_in: Try, code: str
) -> None:
    half = try_in(client, code=code)
    nothing = try_in(Client(), password="not this", code=code)
    assert half.status_code == nothing.status_code == 200
    assert not is_in(client)
    errors = [page.context["form"].non_field_errors() for page in (half, nothing)]
    assert errors[0] == errors[1]
    assert "no son correctos" in str(errors[0])


def test_a_code_is_good_once(rosa: User, recovery: list[str], client: Client, try_in: Try) -> None:
    code = fresh_code(rosa)
    assert try_in(client, code=code).status_code == 302
    assert try_in(Client(), code=code).status_code == 200


def test_a_recovery_code_is_good_once_and_says_how_many_are_left(
    rosa: User, recovery: list[str], client: Client, try_in: Try
) -> None:
    assert try_in(client, code=recovery[3]).status_code == 302
    assert "le quedan 9" in client.get("/admin/").content.decode()
    assert try_in(Client(), code=recovery[3]).status_code == 200
    assert try_in(Client(), code=recovery[4].replace("-", "")).status_code == 200  # slowed down


def test_wrong_codes_of_the_app_do_not_slow_down_the_recovery(
    rosa: User, recovery: list[str], client: Client, try_in: Try
) -> None:
    for _ in range(3):
        try_in(client, code="000000")
    assert try_in(client, code=recovery[0]).status_code == 302


def test_the_code_of_somebody_else_opens_nothing(
    rosa: User, recovery: list[str], client: Client, try_in: Try
) -> None:
    luis = User.objects.create_user("luis", password=PASSWORD, is_staff=True)
    TOTPDevice.objects.create(user=luis)
    assert try_in(client, username="luis", code=fresh_code(rosa)).status_code == 200
    assert try_in(client, username="luis", code=recovery[0]).status_code == 200


@pytest.mark.parametrize("going_to", ["https://evil.test/", "//evil.test", "javascript:alert(1)"])
def test_nobody_is_sent_to_another_site(
    rosa: User, recovery: list[str], client: Client, try_in: Try, going_to: str
) -> None:
    assert try_in(client, code=fresh_code(rosa), going_to=going_to).url == "/admin/"
    other = User.objects.create_user("luis", password=PASSWORD, is_staff=True)
    client.force_login(other)
    assert client.get(ENROL, {"next": going_to}).context["next"] == "/admin/"
    assert "evil" not in client.get(LOGIN, {"next": going_to}).url


def test_the_pages_speak_spanish(rosa: User, client: Client, try_in: Try) -> None:
    page = client.get(LOGIN).content.decode()
    assert "Welcome" not in page
    for word in ("Contraseña", "Código de verificación", "Entrar"):
        assert word in page


# --- taken away --------------------------------------------------------------------------------


def test_a_superuser_takes_a_lost_device_away_which_ends_its_sessions_and_is_logged(
    rosa: User, recovery: list[str], client: Client, try_in: Try
) -> None:
    luis = User.objects.create_user("luis", password=PASSWORD, is_staff=True)
    try_in(client, code=fresh_code(rosa))
    page = Client()
    try_in(page, username="luis")
    page.post(ENROL, {"code": app_code(secret_on(page.get(ENROL)))})
    assert is_in(page)

    change = reverse("admin:tenants_user_change", args=[luis.pk])
    shown = client.get(change).content.decode()
    assert "Códigos de recuperación: 10." in shown
    assert TOTPDevice.objects.get(user=luis).key not in shown
    client.post(
        reverse("admin:tenants_user_reset_second_factor", args=[luis.pk]),
        {"_form_submitted": "on"},
    )
    assert not is_in(page)
    assert not TOTPDevice.objects.filter(user=luis).exists()
    assert not StaticToken.objects.filter(device__user=luis).exists()
    assert TOTPDevice.objects.filter(user=rosa).exists()
    entry = LogEntry.objects.filter(user=rosa).latest("id")
    assert (entry.object_id, entry.get_change_message()) == (
        str(luis.pk),
        "Segundo factor restablecido.",
    )


def test_an_operator_does_not_take_devices_away(rosa: User, operator_browser: Client) -> None:
    TOTPDevice.objects.create(user=rosa)
    luis = User.objects.create_user("luis", password=PASSWORD, is_staff=True)
    TOTPDevice.objects.create(user=luis)
    for user in (rosa, luis):
        url = reverse("admin:tenants_user_reset_second_factor", args=[user.pk])
        assert operator_browser.post(url, {"_form_submitted": "on"}).status_code == 403
        assert TOTPDevice.objects.filter(user=user).exists()
