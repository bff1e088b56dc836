"""The signed XML, fetched when it is wanted."""

import pytest
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import File
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_fetched_once_and_kept(api: APIClient, box: Sandbox) -> None:
    invoice = api.post("/api/v1/invoices", body()).data
    work()
    path = f"/api/v1/invoices/{invoice['id']}/xml"
    first = b"".join(api.get(path).streaming_content)
    assert b"<rFE" in first
    box.options.update({"down": "503"})
    assert b"".join(api.get(path).streaming_content) == first
    assert File.unscoped.filter(kind="XML").count() == 1


def test_before_the_pac_has_it_there_is_none(api: APIClient, box: Sandbox) -> None:
    invoice = api.post("/api/v1/invoices", body()).data
    assert api.get(f"/api/v1/invoices/{invoice['id']}/xml").status_code == 404


def test_an_outage_is_told(api: APIClient, box: Sandbox) -> None:
    invoice = api.post("/api/v1/invoices", body()).data
    work()
    box.options.update({"down": "503"})
    away = api.get(f"/api/v1/invoices/{invoice['id']}/xml")
    assert (away.status_code, away.data["errors"][0]["code"]) == (503, "pac_unavailable")
