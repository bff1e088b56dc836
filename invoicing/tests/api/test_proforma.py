"""A proforma: changed, deleted, submitted; and the fiscal document that none of this touches."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document, DocumentLine, File, HistoryEntry, Payment
from invoicing.services import edit
from invoicing.tests.api import URL, cash, errors, sample, stored
from invoicing.tests.api.test_bad_input import FOREIGN, FULL
from pac.sandbox import Sandbox
from tenants.models import NumberSeries, Office, Tenant

pytestmark = pytest.mark.django_db

LINE = body()["lines"][0]


@pytest.fixture
def proforma(api: APIClient) -> dict[str, Any]:
    """The small sale of B/.203.30, in cash, as a proforma."""
    response = api.post(URL, cash(generation_mode="PROFORM", external_id="COT-1"))
    assert response.status_code == 201, response.content
    found: dict[str, Any] = response.json()
    return found


def at(shown: dict[str, Any], verb: str = "") -> str:
    return f"{URL}/{shown['id']}{verb}"


def methods(shown: Any) -> list[tuple[str, str]]:
    return [(method["method"], method["amount"]) for method in shown["payment_methods"]]


def test_it_has_its_page_at_once(proforma: dict[str, Any], api: APIClient) -> None:
    response = api.get(at(proforma, "/pdf"))
    content = b"".join(response.streaming_content)
    assert response["Content-Type"] == "application/pdf"
    assert content.startswith(b"%PDF-")
    assert proforma["files"][0]["size"] == len(content)


def test_a_patch_changes_what_it_names_and_works_out_the_numbers_anew(
    proforma: dict[str, Any], api: APIClient
) -> None:
    response = api.patch(at(proforma), {"lines": [LINE, LINE | {"itbms_rate": "00"}]})
    assert response.status_code == 200, response.content
    shown = response.json()
    assert shown["totals"]["net"] == "380.00"
    assert shown["totals"]["itbms"] == "13.30"
    assert shown["totals"]["total"] == shown["totals"]["balance"] == "393.30"
    assert methods(shown) == [("02", "393.30")]
    changing = {"lines", "totals", "payment_methods", "files", "updated_at"}
    assert {name for name in shown if shown[name] != proforma[name]} == changing
    assert DocumentLine.unscoped.count() == 2
    assert api.get(at(proforma)).json() == shown


def test_a_patch_replaces_the_page(
    proforma: dict[str, Any],
    api: APIClient,
    django_capture_on_commit_callbacks: Any,
) -> None:
    old = File.unscoped.get()
    with django_capture_on_commit_callbacks(execute=True):
        response = api.patch(at(proforma), {"notes": "Válida por 15 días"})
    [file] = response.data["files"]
    assert file["sha256"] != old.sha256
    assert not default_storage.exists(old.content.name)
    assert default_storage.exists(File.unscoped.get().content.name)


def test_an_empty_patch_changes_nothing(proforma: dict[str, Any], api: APIClient) -> None:
    shown = api.patch(at(proforma), {}).json()
    assert {name for name in shown if shown[name] != proforma[name]} <= {"files", "updated_at"}


@pytest.mark.parametrize("name", ["everything", "export", "credit"])
def test_whatever_was_posted_survives_an_empty_patch(name: str, api: APIClient) -> None:
    posted = {"everything": FULL, "export": FOREIGN, "credit": body()}[name]
    proforma = api.post(URL, posted | {"generation_mode": "PROFORM"}).json()
    response = api.patch(at(proforma), {"notes": proforma["notes"]})
    assert response.status_code == 200, response.content
    shown = response.json()
    assert {key for key in shown if shown[key] != proforma[key]} <= {"files", "updated_at"}


@pytest.mark.parametrize(
    ("changes", "total", "paid"),
    [
        ({"freight": "10.00"}, "213.30", [("02", "213.30")]),
        ({"insurance": "1.70"}, "205.00", [("02", "205.00")]),
        ({"other_expenses": "0.70"}, "204.00", [("02", "204.00")]),
        ({"discounts": [{"description": "x", "amount": "3.30"}]}, "200.00", [("02", "200.00")]),
        ({"due_date": "2099-12-22"}, "203.30", [("01", "203.30")]),
        ({"payment_methods": [{"method": "08", "amount": "203.30"}]}, "203.30", [("08", "203.30")]),
    ],
)
def test_a_payment_that_followed_from_the_rest_follows_it(
    changes: dict[str, Any],
    total: str,
    paid: list[tuple[str, str]],
    proforma: dict[str, Any],
    api: APIClient,
) -> None:
    response = api.patch(at(proforma), changes)
    assert response.status_code == 200, response.content
    assert (response.data["totals"]["total"], methods(response.data)) == (total, paid)
    terms = "CREDIT" if paid[0][0] == "01" else "IMMEDIATE"
    assert response.data["payment_time"] == terms
    assert len(response.data["installments"]) == (terms == "CREDIT")


def test_a_payment_of_the_clients_own_is_not_turned_into_cash(api: APIClient) -> None:
    transfer = [{"method": "08", "amount": "203.30"}]
    proforma = api.post(URL, cash(generation_mode="PROFORM", payment_methods=transfer)).json()
    response = api.patch(at(proforma), {"lines": [LINE, LINE]})
    assert (response.status_code, errors(response)) == (
        400,
        [("payment_methods", "payments_do_not_add_up")],
    )
    both = {"lines": [LINE, LINE], "payment_methods": [{"method": "08", "amount": "406.60"}]}
    assert methods(api.patch(at(proforma), both).data) == [("08", "406.60")]


def test_installments_of_the_clients_own_stay(api: APIClient) -> None:
    parts = [
        {"due_date": "2099-01-01", "amount": "100.00"},
        {"due_date": "2099-02-01", "amount": "103.30"},
    ]
    posted = body(generation_mode="PROFORM", installments=parts)
    proforma = api.post(URL, posted).json()
    shown = api.patch(at(proforma), {"notes": "x"}).json()
    assert shown["installments"] == parts
    response = api.patch(at(proforma), {"lines": [LINE, LINE]})
    assert errors(response) == [("installments", "installments_do_not_add_up")]


def test_a_credit_that_loses_its_due_date_is_paid_at_once(api: APIClient) -> None:
    proforma = api.post(URL, body(generation_mode="PROFORM")).json()
    shown = api.patch(at(proforma), {"due_date": None}).json()
    assert (shown["payment_time"], methods(shown)) == ("IMMEDIATE", [("02", "203.30")])
    assert shown["installments"] == []


@pytest.mark.parametrize(
    ("changes", "attr", "code"),
    [
        ({"lines": []}, "lines", "required"),
        ({"receiver": {"type": "GOBIERNO"}}, "receiver.ruc", "ruc_required"),
        ({"nonsense": 1}, "nonsense", "unknown_field"),
        ({"notes": 5}, "notes", "invalid"),
        ({"retention_amount": "1.00"}, "retention_code", "retention_code_required"),
    ],
)
def test_a_patch_with_a_fault_changes_nothing(
    changes: dict[str, Any], attr: str, code: str, proforma: dict[str, Any], api: APIClient
) -> None:
    before = stored()
    response = api.patch(at(proforma), changes)
    assert response.status_code == 400
    assert (attr, code) in errors(response)
    assert stored() == before
    assert api.get(at(proforma)).json() == proforma


@pytest.mark.parametrize(
    "changes", [{"billing_point": "002"}, {"dgi_document_type": "08"}, {"office": "0002"}]
)
def test_a_number_stays_in_its_series(
    changes: dict[str, Any], proforma: dict[str, Any], api: APIClient, alice: Tenant
) -> None:
    Office.unscoped.create(tenant=alice, code="0002", pac_office_id="01OFFICE2")
    response = api.patch(at(proforma), changes)
    assert response.status_code == 400
    assert [code for _, code in errors(response)] == ["series_is_fixed"]


def test_an_external_id_can_be_kept_changed_and_taken_away_but_not_taken_over(
    proforma: dict[str, Any], api: APIClient
) -> None:
    other = api.post(URL, body(external_id="COT-2")).json()
    assert api.patch(at(proforma), {"external_id": "COT-1"}).status_code == 200
    response = api.patch(at(proforma), {"external_id": "COT-2"})
    assert (response.status_code, errors(response)) == (409, [(None, "external_id_taken")])
    assert other["id"] in response.json()["errors"][0]["detail"]
    assert api.patch(at(proforma), {"external_id": "COT-3"}).data["external_id"] == "COT-3"
    assert api.patch(at(proforma), {"external_id": None}).data["external_id"] is None


@pytest.mark.parametrize("verb", ["patch", "delete"])
def test_a_fiscal_document_is_immutable(verb: str, api: APIClient) -> None:
    invoice = api.post(URL, body()).json()
    before = stored()
    response = getattr(api, verb)(at(invoice), {"notes": "x"})
    assert (response.status_code, errors(response)) == (409, [(None, "immutable")])
    assert stored() == before
    assert api.get(at(invoice)).json() == invoice


@pytest.mark.parametrize("verb", ["get", "patch", "delete"])
def test_another_tenants_proforma_does_not_exist(
    verb: str, proforma: dict[str, Any], bob: Tenant, client_of: Any
) -> None:
    client = client_of(bob)
    assert getattr(client, verb)(at(proforma)).status_code == 404
    assert client.post(at(proforma, "/submit")).status_code == 404
    assert Document.unscoped.get().is_proforma


def test_what_was_deleted_by_a_twin_of_the_request_is_not_found(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both had found it; the second waits for its row, which is gone then."""
    path = f"{URL}/{api.post(URL, sample('proforma')).data['id']}"
    sound = edit.delete

    def after_a_twin(document: Document) -> None:
        sound(document)
        sound(document)

    monkeypatch.setattr(edit, "delete", after_a_twin)
    assert api.delete(path).status_code == 404


def test_a_deleted_proforma_is_gone_with_its_page_and_its_number_is_not_given_again(
    proforma: dict[str, Any],
    api: APIClient,
    django_capture_on_commit_callbacks: Any,
) -> None:
    path = File.unscoped.get().content.name
    with django_capture_on_commit_callbacks(execute=True):
        assert api.delete(at(proforma)).status_code == 204
    assert api.get(at(proforma)).status_code == 404
    assert api.delete(at(proforma)).status_code == 404
    assert not default_storage.exists(path)
    left = stored()
    assert (left["Document"], left["DocumentLine"], left["File"]) == (0, 0, 0)
    assert api.post(URL, cash(generation_mode="PROFORM")).data["number"] == "0000000002"


def test_proformas_have_numbers_of_their_own(proforma: dict[str, Any], api: APIClient) -> None:
    assert proforma["number"] == "0000000001"
    assert api.post(URL, body()).data["number"] == "0000000001"
    assert api.post(URL, cash(generation_mode="PROFORM")).data["number"] == "0000000002"


def test_a_submitted_proforma_is_a_new_fiscal_document(
    proforma: dict[str, Any], api: APIClient
) -> None:
    for _ in range(2):
        api.post(URL, body())
    began = timezone.now()
    response = api.post(at(proforma, "/submit"))
    assert response.status_code == 202, response.content
    document = Document.unscoped.get(pk=proforma["id"])
    assert response.data["generation_mode"] == "DGI"
    assert response.data["number"] == "0000000003"
    assert began <= document.issued_at <= timezone.now()
    assert document.submission_state == "QUEUED"
    assert document.next_attempt_at is not None
    assert document.computed_cufe is not None
    assert document.computed_cufe[40:50] == "0000000003"
    assert response.data["files"] == []  # the page of a proforma is no page of an invoice
    [payment] = Payment.unscoped.all()
    assert (payment.method, payment.amount) == ("02", Decimal("203.30"))
    assert payment.paid_at == document.issued_at
    assert response.data["status"] == "PAID"
    entry = HistoryEntry.unscoped.get(owner=document, event="submitted")
    assert entry.data == {"proforma_number": "0000000001", "number": "0000000003"}


def test_a_second_submit_is_refused_and_takes_no_number(
    proforma: dict[str, Any], api: APIClient
) -> None:
    first = api.post(at(proforma, "/submit")).json()
    before = stored()
    again = api.post(at(proforma, "/submit"))
    assert (again.status_code, errors(again)) == (409, [(None, "not_a_proforma")])
    assert stored() == before
    assert api.get(at(proforma)).json() == first
    assert api.patch(at(proforma), {"notes": "x"}).status_code == 409
    assert api.delete(at(proforma)).status_code == 409


def test_the_credit_of_a_proforma_is_no_payment_when_it_is_submitted(api: APIClient) -> None:
    proforma = api.post(URL, body(generation_mode="PROFORM")).json()
    assert api.post(at(proforma, "/submit")).data["status"] == "UNPAID"
    assert not Payment.unscoped.exists()


def test_a_proforma_waits_for_the_onboarding(
    proforma: dict[str, Any], api: APIClient, alice: Tenant
) -> None:
    alice.pac_company_id = ""
    alice.save()
    before = stored()
    response = api.post(at(proforma, "/submit"))
    assert (response.status_code, errors(response)) == (409, [(None, "tenant_not_ready")])
    assert stored() == before


def test_a_submitted_proforma_leaves_its_own_series_alone(
    proforma: dict[str, Any], api: APIClient
) -> None:
    api.post(at(proforma, "/submit"))
    series = dict(NumberSeries.unscoped.values_list("kind", "last_number"))
    assert series == {"PROFORM": 1, "DGI": 1}


@pytest.mark.django_db(transaction=True)
def test_a_submitted_proforma_is_authorised(api: APIClient, box: Sandbox, tmp_path: Path) -> None:
    proforma = api.post(URL, sample("proforma")).json()
    assert api.post(at(proforma, "/submit?wait=0")).status_code == 202
    work()
    shown = api.get(at(proforma)).json()
    assert (shown["legal_status"], shown["is_fiscally_valid"]) == ("DGI_AUTHORIZED", True)
    assert [file["name"] for file in shown["files"]] == [f"{shown['cufe']}.pdf"]
    assert not list(tmp_path.rglob("*proforma*"))


def test_a_wait_that_is_no_number_leaves_the_proforma_alone(
    proforma: dict[str, Any], api: APIClient
) -> None:
    assert api.post(at(proforma, "/submit?wait=x")).status_code == 400
    assert api.get(at(proforma)).json() == proforma
