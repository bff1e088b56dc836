"""The admin of API keys: made, shown once, revoked."""

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from tenants.models import ApiKey
from tenants.tests.admin.conftest import browser_of, staff

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/tenants/apikey/"


@pytest.fixture
def key(alice):
    return ApiKey.objects.issue(tenant=alice, name="Tienda", scopes=["read"])[0]


def revoke_url(key):
    return reverse("admin:tenants_apikey_revoke", args=[key.pk])


def test_a_new_key_is_shown_exactly_once(root, alice):
    data = {"tenant": str(alice.pk), "name": "Tienda", "scopes": ["read"]}
    page = root.post(reverse("admin:tenants_apikey_add"), data, follow=True).content.decode()
    key = ApiKey.objects.get()
    text = page.split("La clave es ")[1].split(" ")[0]
    assert ApiKey.objects.get_from_key(text) == key
    assert (key.tenant, key.name, key.scopes) == (alice, "Tienda", ["read"])
    again = root.get(LIST).content.decode()
    assert "La clave es" not in again
    assert key.prefix in again
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
        answer = root.post(revoke_url(key), {"_form_submitted": "on"}, HTTP_HX_REQUEST="true")
        assert answer.headers["HX-Redirect"].endswith(f"{key.pk}/change/")
    key.refresh_from_db()
    assert key.revoked
    assert LogEntry.objects.get().get_change_message() == "Revocada."


def test_a_key_is_revoked_by_those_who_may_and_among_their_own(alice, bob, key):
    viewer = browser_of(staff("view_apikey", name="viewer"))
    stranger = browser_of(staff("view_apikey", "change_apikey", tenant=bob, name="stranger"))
    assert viewer.post(revoke_url(key), {"_form_submitted": "on"}).status_code == 403
    assert stranger.post(revoke_url(key), {"_form_submitted": "on"}).status_code == 404
    key.refresh_from_db()
    assert not key.revoked
