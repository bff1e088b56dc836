"""GET /invoices/{id}/pdf and /events."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.tests.api import URL, cash, errors, sample
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def test_a_pdf_is_served_under_its_name_and_unchanged(api: APIClient) -> None:
    shown = api.post(URL, sample("proforma")).data
    response = api.get(f"{URL}/{shown['id']}/pdf")
    content = b"".join(response.streaming_content)
    [file] = shown["files"]
    assert response["Content-Type"] == "application/pdf"
    assert f'filename="{file["name"]}"' in response["Content-Disposition"]
    assert int(response["Content-Length"]) == len(content) == file["size"]
    assert hashlib.sha256(content).hexdigest() == file["sha256"]


def test_a_document_without_a_pdf_says_so(api: APIClient) -> None:
    invoice = api.post(URL, body()).data["id"]
    response = api.get(f"{URL}/{invoice}/pdf")
    assert (response.status_code, errors(response)) == (404, [(None, "no_file")])


@pytest.mark.parametrize("verb", ["pdf", "events", ""])
def test_another_tenants_document_does_not_exist(
    verb: str, api: APIClient, bob: Tenant, client_of: Any
) -> None:
    proforma = api.post(URL, sample("proforma")).data["id"]
    response = client_of(bob).get(f"{URL}/{proforma}/{verb}".rstrip("/"))
    assert (response.status_code, errors(response)) == (404, [(None, "not_found")])


@pytest.mark.django_db(transaction=True)
def test_the_pacs_own_pdf_is_served_once_the_document_is_authorised(
    api: APIClient, box: Sandbox
) -> None:
    invoice = api.post(URL, cash()).data["id"]
    work()
    shown = api.get(f"{URL}/{invoice}").data
    response = api.get(f"{URL}/{invoice}/pdf")
    assert b"".join(response.streaming_content).startswith(b"%PDF-")
    assert f"{shown['cufe']}.pdf" in response["Content-Disposition"]


@pytest.mark.django_db(transaction=True)
def test_the_history_tells_a_documents_life_in_order(api: APIClient, box: Sandbox) -> None:
    proforma = api.post(URL, sample("proforma")).data["id"]
    api.patch(f"{URL}/{proforma}", {"notes": "x"})
    api.post(f"{URL}/{proforma}/submit")
    work()
    response = api.get(f"{URL}/{proforma}/events")
    assert set(response.json()) == {"next", "previous", "results"}
    events = response.json()["results"]
    names = [event["event"] for event in events]
    assert names[:4] == ["issued", "edited", "submitted", "sent"]
    assert {"legal_status", "file_stored", "email_queued", "email_sent"} <= set(names)
    assert [event["id"] for event in events] == sorted(event["id"] for event in events)
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
    assert set(events[0]) == {"id", "event", "at", "data", "actor"}


def test_the_history_comes_in_pages_oldest_first(api: APIClient) -> None:
    proforma = api.post(URL, sample("proforma")).data["id"]
    for number in range(4):
        api.patch(f"{URL}/{proforma}", {"notes": str(number)})
    seen, url = [], f"{URL}/{proforma}/events?page_size=2"
    while url:
        page = api.get(url).json()
        assert len(page["results"]) <= 2
        seen += [event["id"] for event in page["results"]]
        url = page["next"]
    assert len(seen) == 5
    assert seen == sorted(seen)
