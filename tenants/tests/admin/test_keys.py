"""The admin of API keys: made, shown once, revoked."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tenants.models import ApiKey
from tenants.tests.admin.conftest import browser_of, staff

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/tenants/apikey/"
REVOKE = {"_form_submitted": "on", "reason": "Se perdió el portátil"}


@pytest.fixture
def key(alice):
    return ApiKey.objects.issue(tenant=alice, name="Tienda", scopes=["read"])[0]


def revoke_url(key):
    return reverse("admin:tenants_apikey_revoke", args=[key.pk])


def test_a_new_key_is_shown_exactly_once(root, alice):
    data = {"tenant": str(alice.pk), "name": "Tienda", "scopes": ["read"]}
    answer = root.post(reverse("admin:tenants_apikey_add"), data)
    key = ApiKey.objects.get()
    text = answer.context["api_key"]
    assert text in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]
    assert ApiKey.objects.get_from_key(text) == key
    assert (key.tenant, key.name, key.scopes) == (alice, "Tienda", ["read"])
    again = root.get(LIST).content.decode()
    assert text not in again
    assert key.prefix in again
    assert text not in str(root.cookies) + repr(dict(root.session))
    assert str(LogEntry.objects.get().object_id) == str(key.pk)
    assert text not in repr(list(LogEntry.objects.values()))


@pytest.mark.parametrize("scopes", [[], ["admin"]])
def test_a_key_has_known_scopes_and_at_least_one(root, alice, scopes):
    data = {"tenant": str(alice.pk), "name": "Tienda", "scopes": scopes}
    answer = root.post(reverse("admin:tenants_apikey_add"), data)
    assert set(answer.context["adminform"].form.errors) == {"scopes"}
    assert not ApiKey.objects.exists()


def test_a_key_is_not_edited_or_deleted(root, key):
    url = reverse("admin:tenants_apikey_change", args=[key.pk])
    page = root.get(url).content.decode()
    assert key.prefix in page
    assert key.hashed_key not in page
    assert root.post(url, {"name": "Otra", "scopes": ["write"]}).status_code == 403
    assert root.post(reverse("admin:tenants_apikey_delete", args=[key.pk])).status_code == 403
    key.refresh_from_db()
    assert (key.name, key.scopes) == ("Tienda", ["read"])


def test_a_key_is_revoked_after_confirming_and_that_is_logged(root, key):
    assert "No se puede deshacer" in root.get(revoke_url(key)).content.decode()
    key.refresh_from_db()
    assert not key.revoked
    for _ in range(2):
        answer = root.post(revoke_url(key), REVOKE, HTTP_HX_REQUEST="true")
        assert answer.headers["HX-Redirect"].endswith(f"{key.pk}/change/")
    key.refresh_from_db()
    assert key.revoked
    assert LogEntry.objects.get().get_change_message() == "Revocada. Se perdió el portátil"


def test_a_key_is_revoked_by_those_who_may_and_among_their_own(alice, bob, key):
    viewer = browser_of(staff("view_apikey", name="viewer"))
    stranger = browser_of(staff("view_apikey", "change_apikey", tenant=bob, name="stranger"))
    assert viewer.post(revoke_url(key), REVOKE).status_code == 403
    assert stranger.post(revoke_url(key), REVOKE).status_code == 404
    key.refresh_from_db()
    assert not key.revoked


def replace_url(key):
    return reverse("admin:tenants_apikey_replace", args=[key.pk])


def replacement(browser, key, **changes):
    """What the page of a key's replacement posts."""
    hidden = browser.get(replace_url(key)).context["form"]["new_id"].value()
    return {"old_key": "keep", "reason": "Cada seis meses", "new_id": str(hidden)} | changes


@pytest.mark.parametrize(("old_key", "is_revoked"), [("keep", False), ("revoke", True)])
def test_a_key_is_replaced_by_one_that_is_shown_once(root, key, old_key, is_revoked):
    data = replacement(root, key, old_key=old_key)
    answer = root.post(replace_url(key), data)
    new = ApiKey.objects.get_from_key(answer.context["api_key"])
    assert (new.tenant, new.name, new.scopes) == (key.tenant, "Tienda", ["read"])
    key.refresh_from_db()
    assert key.revoked is is_revoked
    told = [entry.get_change_message() for entry in LogEntry.objects.filter(object_id=key.pk)]
    assert new.prefix in told[0]
    assert "Cada seis meses" in told[0]


@pytest.mark.parametrize("old_key", ["keep", "revoke"])
def test_a_button_that_is_pressed_twice_makes_one_key(root, key, old_key):
    data = replacement(root, key, old_key=old_key)
    root.post(replace_url(key), data)
    page = root.post(replace_url(key), data, follow=True).content.decode()
    assert "no se vuelve a mostrar" in page
    assert ApiKey.objects.count() == 2


def test_a_revoked_key_is_not_replaced(root, key):
    data = replacement(root, key)
    ApiKey.objects.update(revoked=True)
    page = root.post(replace_url(key), data, follow=True).content.decode()
    assert "La clave ya está revocada." in page
    assert ApiKey.objects.count() == 1


def test_a_reason_is_needed_and_so_is_the_right(root, key, bob):
    data = replacement(root, key, reason="")
    answer = root.post(replace_url(key), data)
    assert set(answer.context["form"].errors) == {"reason"}
    viewer = browser_of(staff("view_apikey", name="viewer"))
    stranger = browser_of(staff("view_apikey", "rotate_secrets", tenant=bob, name="stranger"))
    data["reason"] = "Cada seis meses"
    assert viewer.post(replace_url(key), data).status_code == 403
    assert stranger.post(replace_url(key), data).status_code == 404
    assert ApiKey.objects.count() == 1
