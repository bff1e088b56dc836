"""The receiver's e-mail addresses: what the DGI's format holds, and where longer ones go."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Customer, Document, EmailDelivery
from invoicing.tests.api import URL, errors, stored
from invoicing.tests.api.test_customers import CUSTOMERS, company, kept, url
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

FITS = f"{'a' * 37}@cliente.test"
LONGER = f"{'a' * 38}@cliente.test"
LONGEST = f"{'a' * 60}@{'b' * 34}.test"


def to_address(address: str, **changes: Any) -> dict[str, Any]:
    return body(receiver=body()["receiver"] | {"emails": [address]}, **changes)


def test_an_address_that_the_pac_would_refuse_is_refused_here(api: APIClient, box: Sandbox) -> None:
    assert (len(FITS), len(LONGER)) == (50, 51)
    assert api.post(URL, to_address(FITS)).status_code == 201
    work()
    assert Document.unscoped.get().legal_status == "DGI_AUTHORIZED"
    before = stored()
    response = api.post(URL, to_address(LONGER))
    assert (response.status_code, errors(response)) == (400, [("receiver.emails.0", "max_length")])
    told = response.json()["errors"][0]["detail"]
    assert "50 characters" in told
    assert "the document's own `emails`" in told
    assert stored() == before


def test_a_longer_address_is_delivered_to_and_never_sent_to_the_pac(
    api: APIClient, box: Sandbox
) -> None:
    assert len(LONGEST) == 100
    assert api.post(URL, to_address(FITS, emails=[LONGEST])).status_code == 201
    work()
    assert Document.unscoped.get().legal_status == "DGI_AUTHORIZED"
    assert EmailDelivery.unscoped.get().to == [LONGEST]
    assert box.documents[0].payload["receiver"]["emails"] == [FITS]


def test_a_customer_has_no_address_that_its_documents_cannot_carry(api: APIClient) -> None:
    refused = [("emails.0", "max_length")]
    assert errors(api.post(CUSTOMERS, company(emails=[LONGER]))) == refused
    assert errors(api.patch(url(kept(api)), {"emails": [LONGER]})) == refused


def test_a_customer_that_was_kept_with_one_is_told_of_at_issue(api: APIClient) -> None:
    customer = kept(api)
    Customer.unscoped.filter(pk=customer["id"]).update(emails=[FITS, LONGER])
    before = stored()
    posted = body(customer=customer["id"])
    del posted["receiver"]
    response = api.post(URL, posted)
    assert (response.status_code, errors(response)) == (
        400,
        [("receiver.emails", "email_too_long")],
    )
    assert LONGER in response.json()["errors"][0]["detail"]
    assert stored() == before
    said = api.post(URL, posted | {"receiver": {"emails": []}, "emails": [LONGER]})
    assert said.status_code == 201, said.content
    assert (said.data["receiver"]["emails"], said.data["emails"]) == ([], [LONGER])
