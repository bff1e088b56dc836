"""The admin of taxpayers, offices and number series."""

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_q.models import Success
from rest_framework_api_key.models import APIKey

from tenants.models import ApiKey, NumberSeries, Office, OnboardingStatus, Tenant, User
from tenants.tests.admin.conftest import browser_of, staff

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

TOKEN = "eyJhbGciOi.a-token-of-the-tenant"


def change_url(row):
    return reverse(f"admin:tenants_{row._meta.model_name}_change", args=[row.pk])


def form_of(tenant, **changes):
    """What the browser posts for a tenant's page."""
    return {
        "name": tenant.name,
        "trade_name": tenant.trade_name,
        "email": tenant.email,
        "is_active": "on",
        "main_office": str(tenant.main_office_id or ""),
        "pac_base_url": "",
        "pac_environment": "",
        "logo_url": "",
        "new_pac_token": "",
    } | changes


def saved(browser, row, data):
    answer = browser.post(change_url(row), data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    return fresh(row)


def fresh(row):
    row.refresh_from_db()
    return row


def test_the_pages_of_foreign_apps_are_gone():
    gone = (Success, APIKey, TOTPDevice, StaticDevice)
    assert not any(map(admin.site.is_registered, gone))


def test_the_page_shows_how_far_the_onboarding_got_and_no_secret(root, alice):
    alice.pac_token = TOKEN
    alice.onboarding_status = OnboardingStatus.AFFILIATION_REQUESTED
    alice.onboarding_error = "Company QR not accepted"
    alice.save()
    page = root.get(change_url(alice)).content.decode()
    assert "Afiliación solicitada a la DGI" in page
    assert "Company QR not accepted" in page
    assert TOKEN not in page
    assert alice.webhook_secret not in page


def test_a_token_goes_in_stays_and_is_removed(root, alice):
    assert saved(root, alice, form_of(alice, new_pac_token=TOKEN)).pac_token == TOKEN
    secret = alice.webhook_secret
    assert saved(root, alice, form_of(alice, name="Otro nombre")).pac_token == TOKEN
    assert saved(root, alice, form_of(alice, remove_pac_token="on")).pac_token == ""
    assert alice.webhook_secret == secret


def test_a_token_that_no_header_can_carry_is_refused(root, alice):
    answer = root.post(change_url(alice), form_of(alice, new_pac_token="contraseña"))
    assert answer.status_code == 200
    assert fresh(alice).pac_token == ""


def test_what_is_part_of_a_cufe_is_settled(root, alice):
    settled = {"ruc": "8-1-1", "ruc_type": "NATURAL", "dv": "00", "pac_company_id": "other"}
    before = {name: getattr(alice, name) for name in settled}
    saved(root, alice, form_of(alice, **settled, onboarding_status="STARTED"))
    assert before == {name: getattr(alice, name) for name in settled}
    assert alice.onboarding_status == OnboardingStatus.READY


def test_the_main_office_is_one_of_the_tenants_own(root, alice, bob):
    answer = root.post(change_url(alice), form_of(alice, main_office=str(bob.main_office_id)))
    assert answer.status_code == 200
    assert fresh(alice).main_office != bob.main_office


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"dv": "54"}, "dv"), ({"ruc": "155700000"}, "ruc"), ({"ruc": "155700000-2-2021 "}, None)],
)
def test_a_new_taxpayers_ruc_is_checked(root, alice, changes, field):
    new = {"ruc": "155700000-2-2021", "ruc_type": "JURIDICO", "dv": "53"} | changes
    answer = root.post(
        reverse("admin:tenants_tenant_add"),
        form_of(alice, company_type="associated", main_office="", **new),
    )
    if field is None:
        assert answer.status_code == 302
        assert Tenant.objects.get(ruc="155700000-2-2021").onboarding_status == "STARTED"
    else:
        assert set(answer.context["adminform"].form.errors) == {field}


def test_nobody_deletes_a_taxpayer_an_office_or_a_series(root, alice):
    for row in (alice, alice.main_office, series(alice), User.objects.get()):
        url = reverse(f"admin:tenants_{row._meta.model_name}_delete", args=[row.pk])
        assert root.post(url, {"post": "yes"}).status_code == 403


def one_more(name, number):
    """Another row for a list."""
    other = Tenant.objects.create(
        name="Otra", ruc=f"8-{number}-1", ruc_type="NATURAL", dv="00", email="a@b.test"
    )
    match name:
        case "user":
            User.objects.create_user(f"user{number}", tenant=other)
        case "apikey":
            ApiKey.objects.issue(tenant=other, name="Tienda")
        case "office":
            Office.unscoped.create(tenant=other, code="0001", address="Calle 51")
        case "numberseries":
            other.main_office = Office.unscoped.create(tenant=other, code="0001")
            series(other)


@pytest.mark.parametrize("name", ["tenant", "office", "numberseries", "apikey", "user"])
@pytest.mark.parametrize("query", ["", "?q=8-"])
def test_a_list_costs_the_same_for_many_rows(root, alice, name, query):
    url = reverse(f"admin:tenants_{name}_changelist") + query
    one_more(name, 1)
    root.get(url)
    with CaptureQueriesContext(connection) as few:
        assert root.get(url).status_code == 200
    for number in (2, 3, 4):
        one_more(name, number)
    with CaptureQueriesContext(connection) as many:
        assert root.get(url).status_code == 200
    assert len(many) == len(few)


def test_an_office_keeps_its_code_and_takes_a_missing_id_once(root, alice):
    office = alice.main_office
    Office.unscoped.update(pac_office_id="")
    data = {
        name: getattr(office, name)
        for name in ("address", "location", "coordinates", "telephone", "email")
    }
    saved(root, office, data | {"code": "0009", "pac_office_id": "01HAAAAAAAAAAAAAAAAAAAAAAA"})
    assert (office.code, office.pac_office_id) == ("0001", "01HAAAAAAAAAAAAAAAAAAAAAAA")
    saved(root, office, data | {"pac_office_id": "01HBBBBBBBBBBBBBBBBBBBBBBB"})
    assert office.pac_office_id == "01HAAAAAAAAAAAAAAAAAAAAAAA"
    answer = root.post(change_url(office), data | {"location": "08-8", "telephone": "x"})
    assert set(answer.context["adminform"].form.errors) == {"location", "telephone"}


def series(tenant, billing_point="001"):
    return NumberSeries.unscoped.create(
        tenant=tenant,
        office=tenant.main_office,
        billing_point=billing_point,
        dgi_document_type="01",
        last_number=41,
    )


def test_a_series_is_raised_and_never_lowered(root, alice):
    row = series(alice)
    root.get(change_url(row))
    NumberSeries.unscoped.update(last_number=57)  # documents are issued while the page is open
    for number, is_taken in ((50, False), (57, True), (10_000_000_000, False), (900, True)):
        answer = root.post(change_url(row), {"last_number": number, "billing_point": "002"})
        assert (answer.status_code == 302) is is_taken
    assert (fresh(row).last_number, row.billing_point) == (900, "001")
    assert root.get(reverse("admin:tenants_numberseries_add")).status_code == 403


def test_who_is_bound_to_a_tenant_sees_that_tenant_only(alice, bob):
    user = staff(
        "view_tenant", "change_tenant", "add_tenant", "view_office", "change_office",
        "view_apikey", "add_apikey", "view_user", "change_user", "add_user", "view_group",
        tenant=alice,
    )  # fmt: skip
    browser = browser_of(user)
    page = browser.get(reverse("admin:tenants_tenant_changelist")).content.decode()
    assert alice.name in page
    assert bob.name not in page
    assert browser.get(change_url(alice)).status_code == 200
    for row in (bob, bob.main_office):
        assert browser.get(change_url(row)).status_code == 302  # "does not exist"
    for name in ("tenants_tenant_add", "tenants_user_changelist", "auth_group_changelist"):
        assert browser.get(reverse(f"admin:{name}")).status_code == 403
    answer = browser.post(
        reverse("admin:tenants_apikey_add"),
        {"tenant": str(bob.pk), "name": "x", "scopes": ["read"]},
    )
    assert set(answer.context["adminform"].form.errors) == {"tenant"}


def test_only_a_superuser_hands_out_power(root, alice):
    editor = browser_of(staff("view_user", "change_user", "add_user", name="editor"))
    superuser = User.objects.get(username="root")
    assert editor.get(change_url_of_user(superuser)).status_code == 200  # to look at
    assert editor.post(change_url_of_user(superuser), {"username": "x"}).status_code == 403
    password = reverse("admin:auth_user_password_change", args=[superuser.pk])
    assert editor.get(password).status_code == 403
    other = staff(name="other")
    data = {"username": "other", "is_active": "on", "is_staff": "on", "is_superuser": "on"}
    assert editor.post(change_url_of_user(other), data).status_code == 302
    other.refresh_from_db()
    assert not other.is_superuser
    assert root.post(change_url_of_user(other), data).status_code == 302
    other.refresh_from_db()
    assert other.is_superuser


def change_url_of_user(user):
    return reverse("admin:tenants_user_change", args=[user.pk])


def test_a_user_and_a_group_are_made(root, alice):
    data = {"username": "nueva", "password1": "una-clave-larga-1", "password2": "una-clave-larga-1"}
    data["usable_password"] = "true"
    answer = root.post(reverse("admin:tenants_user_add"), data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert root.post(reverse("admin:auth_group_add"), {"name": "Caja"}).status_code == 302
