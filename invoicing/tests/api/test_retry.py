"""POST /invoices/{id}/retry: what failed before the PAC judged it, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document, HistoryEntry
from invoicing.tests.api import URL, cash, errors, stored
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def failed(api: APIClient, **changes: Any) -> Document:
    """A document of which somebody has to look after."""
    document = Document.unscoped.get(pk=api.post(URL, body()).data["id"])
    values = {
        "submission_state": "FAILED",
        "next_attempt_at": None,
        "setbacks": 7,
        "submission_error": {"code": "unknown_receiver", "message": "No such RUC."},
    }
    Document.unscoped.filter(pk=document.pk).update(**(values | changes))
    document.refresh_from_db()
    return document


def test_what_failed_goes_back_into_the_queue_with_its_number(api: APIClient) -> None:
    document = failed(api)
    response = api.post(f"{URL}/{document.pk}/retry")
    assert response.status_code == 202, response.content
    assert response.data["submission"]["state"] == "QUEUED"
    assert response.data["submission"]["error"] is None
    assert response.data["number"] == document.number
    again = Document.unscoped.get()
    assert (again.setbacks, again.computed_cufe) == (0, document.computed_cufe)
    assert again.next_attempt_at is not None
    assert again.next_attempt_at <= timezone.now()
    assert HistoryEntry.unscoped.filter(event="retried", owner=document).count() == 1


def test_what_may_have_reached_the_pac_is_asked_for_before_it_is_sent_again(
    api: APIClient,
) -> None:
    document = failed(api, attempts=2, doubtful_since=timezone.now())
    response = api.post(f"{URL}/{document.pk}/retry")
    assert response.data["submission"]["state"] == "UNCERTAIN"


def test_a_number_that_belongs_to_another_document_at_the_pac_is_given_up(api: APIClient) -> None:
    document = failed(api, submission_error={"code": "number_taken", "message": "Taken."})
    response = api.post(f"{URL}/{document.pk}/retry")
    assert response.data["number"] == "0000000002"
    again = Document.unscoped.get()
    assert again.computed_cufe is not None
    assert again.computed_cufe != document.computed_cufe
    assert again.pac_input is None


@pytest.mark.parametrize("state", ["QUEUED", "SENDING", "UNCERTAIN", "DONE"])
def test_what_is_on_its_way_is_left_alone(state: str, api: APIClient) -> None:
    document = failed(api, submission_state=state)
    before = stored()
    response = api.post(f"{URL}/{document.pk}/retry")
    assert (response.status_code, errors(response)) == (409, [(None, "not_failed")])
    assert stored() == before


@pytest.mark.parametrize("legal_status", ["PAC_REJECTED", "DGI_REJECTED"])
def test_a_rejected_document_is_never_sent_again(legal_status: str, api: APIClient) -> None:
    document = failed(api, legal_status=legal_status, submission_state="DONE")
    response = api.post(f"{URL}/{document.pk}/retry")
    assert (response.status_code, errors(response)) == (409, [(None, "rejected")])


def test_a_proforma_has_nothing_to_retry(api: APIClient) -> None:
    proforma = api.post(URL, cash(generation_mode="PROFORM")).data["id"]
    response = api.post(f"{URL}/{proforma}/retry")
    assert (response.status_code, errors(response)) == (409, [(None, "not_failed")])


def test_another_tenants_document_does_not_exist(
    api: APIClient, bob: Tenant, client_of: Any
) -> None:
    document = failed(api)
    assert client_of(bob).post(f"{URL}/{document.pk}/retry").status_code == 404
    assert Document.unscoped.get().submission_state == "FAILED"


@pytest.mark.django_db(transaction=True)
def test_a_retried_document_is_authorised_once_the_receiver_is_right(
    api: APIClient, box: Sandbox
) -> None:
    unknown = body()
    unknown["receiver"] |= {"ruc": "155000000-2-2000"}  # the sandbox knows no such taxpayer
    invoice = api.post(URL, unknown).data
    work()
    shown = api.get(f"{URL}/{invoice['id']}").json()
    if shown["legal_status"] == "PAC_REJECTED":
        assert api.post(f"{URL}/{invoice['id']}/retry").status_code == 409
        return
    assert shown["submission"]["state"] == "FAILED"
    response = api.patch(f"{URL}/{invoice['id']}", {"receiver": body()["receiver"]})
    assert response.status_code == 200, response.content
    assert api.post(f"{URL}/{invoice['id']}/retry").status_code == 202
    work()
    assert api.get(f"{URL}/{invoice['id']}").data["legal_status"] == "DGI_AUTHORIZED"
