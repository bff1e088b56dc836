"""POST /invoices/{id}/email: one more e-mail of a document, within limits."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import EmailDelivery, File, HistoryEntry
from invoicing.tests.api import URL, cash, errors, sample
from pac.sandbox import Sandbox
from tenants.api.throttling import EmailRate
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def url(api: APIClient) -> str:
    """Of a document that has its PDF: a proforma to ana@example.com."""
    return f"{URL}/{api.post(URL, sample('proforma')).data['id']}/email"


def test_an_email_is_queued_for_the_documents_own_addresses(url: str, api: APIClient) -> None:
    response = api.post(url)
    assert response.status_code == 202, response.content
    assert response.data["to"] == ["ana@example.com"]
    assert response.data["state"] == "QUEUED"
    delivery = EmailDelivery.unscoped.get()
    assert str(delivery.pk) == response.data["id"]
    assert HistoryEntry.unscoped.filter(event="email_queued").count() == 1


def test_every_request_is_an_occasion_of_its_own(url: str, api: APIClient) -> None:
    occasions = {api.post(url, {"to": ["x@y.test"]}).data["occasion"] for _ in range(3)}
    assert len(occasions) == 3
    assert EmailDelivery.unscoped.values("message_id").distinct().count() == 3


def test_ten_recipients_are_the_most(url: str, api: APIClient) -> None:
    to = [f"p{number}@cliente.test" for number in range(11)]
    assert api.post(url, {"to": to[:10]}).status_code == 202
    response = api.post(url, {"to": to})
    assert (response.status_code, errors(response)) == (400, [("to", "max_length")])
    assert EmailDelivery.unscoped.count() == 1


@pytest.mark.parametrize(
    ("posted", "told"),
    [
        ({"to": "x@y.test"}, [("to", "not_a_list")]),
        ({"to": ["not an address"]}, [("to.0", "invalid")]),
        ({"to": ["x@y.test\nBcc: all@z.test"]}, [("to.0", "invalid")]),
        ({"to": [5]}, [("to.0", "invalid")]),
        ({"message": 5}, [("message", "invalid")]),
        ({"message": "x" * 2001}, [("message", "max_length")]),
        ({"cc": ["x@y.test"]}, [("cc", "unknown_field")]),
        ({"to": None}, [("to", "null")]),
    ],
)
def test_a_body_that_is_wrong_sends_nothing(
    posted: dict[str, Any], told: list[tuple[str, str]], url: str, api: APIClient
) -> None:
    response = api.post(url, posted)
    assert (response.status_code, errors(response)) == (400, told)
    assert not EmailDelivery.unscoped.exists()


@pytest.mark.django_db(transaction=True)
def test_what_has_no_pdf_yet_is_not_mailed(api: APIClient, box: Sandbox) -> None:
    box.options.withhold_pdf = True
    invoice = api.post(URL, body()).data["id"]
    work()
    response = api.post(f"{URL}/{invoice}/email", {"to": ["x@y.test"]})
    assert (response.status_code, errors(response)) == (409, [(None, "no_pdf")])
    assert not EmailDelivery.unscoped.exists()


def test_without_an_address_there_is_nobody_to_mail_to(api: APIClient) -> None:
    nobody = cash(generation_mode="PROFORM", receiver={"type": "CONSUMIDOR_FINAL"})
    proforma = api.post(URL, nobody).data["id"]
    response = api.post(f"{URL}/{proforma}/email")
    assert (response.status_code, errors(response)) == (409, [(None, "no_address")])
    assert api.post(f"{URL}/{proforma}/email", {"to": ["x@y.test"]}).status_code == 202


def test_another_tenants_document_does_not_exist(url: str, bob: Tenant, client_of: Any) -> None:
    assert client_of(bob).post(url, {"to": ["x@y.test"]}).status_code == 404
    assert not EmailDelivery.unscoped.exists()


def test_a_key_that_only_reads_sends_nothing(url: str, alice: Tenant, client_of: Any) -> None:
    assert client_of(alice, "read").post(url).status_code == 403


def test_all_keys_of_a_tenant_share_one_limit_and_tenants_do_not(
    url: str,
    api: APIClient,
    alice: Tenant,
    bob: Tenant,
    client_of: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(EmailRate, "THROTTLE_RATES", {"email": "3/hour"})
    other_key, other_tenant = client_of(alice), client_of(bob)
    for client in (api, other_key, api):
        assert client.post(url).status_code == 202
    response = other_key.post(url)
    assert (response.status_code, errors(response)) == (429, [(None, "throttled")])
    assert 0 < int(response["Retry-After"]) <= 3600
    assert EmailDelivery.unscoped.count() == 3
    assert other_tenant.post(url).status_code == 404  # not 429
    assert api.get(url.removesuffix("/email")).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_message_reaches_every_recipient_with_the_page(api: APIClient) -> None:
    proforma = api.post(URL, sample("proforma")).data["id"]
    to = ["x@y.test", "z@y.test"]
    api.post(f"{URL}/{proforma}/email", {"to": to, "message": "Adjunto la <b>cotización</b>"})
    work()
    [message] = mail.outbox
    assert message.to == to
    assert [name for name, *_ in message.attachments] == ["proforma-0000000001.pdf"]
    assert "Adjunto la <b>cotización</b>" in message.body
    [html] = message.alternatives
    assert "<b>cotización</b>" not in html[0]
    assert EmailDelivery.unscoped.get().state == "SENT"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("word", "status", "codes"), [("", 202, []), ("REJECT-DGI", 409, [(None, "rejected")])]
)
def test_what_has_no_fiscal_force_is_not_mailed_as_an_invoice(
    word: str, status: int, codes: list[Any], api: APIClient, box: Sandbox
) -> None:
    """The PAC draws its PDF before the DGI's verdict, and does not take it back after a no."""
    box.options.dgi_delay = 3600
    invoice = body()
    invoice["lines"][0]["description"] = f"Soporte {word}"
    url = f"{URL}/{api.post(URL, invoice).data['id']}/email"
    work()
    assert File.unscoped.filter(kind="PDF").exists()
    refused = api.post(url, {"to": ["x@y.test"]})
    assert (refused.status_code, errors(refused)) == (409, [(None, "not_authorized")])
    box.settle()
    work()
    answer = api.post(url, {"to": ["x@y.test"]})
    assert answer.status_code == status
    assert (errors(answer) if codes else []) == codes
