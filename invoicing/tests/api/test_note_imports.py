"""Notes issued elsewhere: what they take from an invoice of ours, and give back when they go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document
from invoicing.tests.api import errors, stored
from invoicing.tests.elsewhere import ISSUED_ON, URL, a_cufe, told
from invoicing.tests.together import together
from pac.dgi.calendar import panama_date
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)

INVOICES = "/api/v1/invoices"
CREDITS = "/api/v1/credit-notes"


def a_note(kind: str = "04", **changes: Any) -> dict[str, Any]:
    return told(7) | {"cufe": a_cufe(7, document_type=kind), "total": "50.00"} | changes


@pytest.fixture
def invoice(api: APIClient) -> dict[str, Any]:
    """An invoice of B/.203.30, issued elsewhere as well."""
    posted: dict[str, Any] = api.post(URL, told()).json()
    return posted


def now_of(api: APIClient, invoice: dict[str, Any]) -> tuple[str, str, str]:
    """What is credited of it, what is open, and its status."""
    shown = api.get(f"{INVOICES}/{invoice['id']}").json()
    return shown["totals"]["credited"], shown["totals"]["balance"], shown["status"]


def test_a_credit_note_of_elsewhere_counts_against_its_invoice(api: APIClient) -> None:
    invoice = api.post(URL, told()).json()
    note = api.post(f"{CREDITS}/import", a_note(invoice=invoice["id"], modification_code=3))
    assert note.status_code == 201, note.content
    shown = api.get(f"{CREDITS}/{note.json()['id']}").json()
    assert (shown["document_type"], shown["dgi_document_type"]) == ("02", "04")
    assert (shown["generation_mode"], shown["invoice"]) == ("DGI_IMPORT", invoice["id"])
    assert shown["submission"]["state"] == "NONE"
    credited = api.get(f"/api/v1/invoices/{invoice['id']}").json()
    assert credited["totals"]["credited"] == "50.00"
    assert credited["status"] == "PARTIALLY_CANCELED"


@pytest.mark.parametrize(
    ("path", "kind", "code"),
    [
        ("credit-notes", "01", "not_a_credit_note"),
        ("credit-notes", "05", "not_a_credit_note"),
        ("debit-notes", "06", "not_a_debit_note"),
        ("invoices", "04", "not_an_invoice"),
    ],
)
def test_a_cufe_is_imported_where_it_belongs(
    path: str, kind: str, code: str, api: APIClient
) -> None:
    refused = api.post(f"/api/v1/{path}/import", a_note(kind))
    assert refused.status_code == 400
    assert ("cufe", code) in {(each["attr"], each["code"]) for each in refused.json()["errors"]}


def test_a_debit_note_of_elsewhere_is_owed(api: APIClient) -> None:
    note = api.post("/api/v1/debit-notes/import", a_note("07"))
    assert (note.status_code, note.json()["status"]) == (201, "UNPAID")


def test_a_note_of_elsewhere_names_an_invoice_of_ours_or_none(
    api: APIClient, bob: Tenant, client_of: Callable[..., APIClient]
) -> None:
    invoice = api.post("/api/v1/invoices", body()).json()
    named = a_note(invoice="01a20500-13e3-71c4-9f0b-152e2f033110")
    refused = api.post(f"{CREDITS}/import", named)
    assert refused.json()["errors"][0]["code"] == "invoice_unknown"
    stranger = client_of(bob).post(f"{CREDITS}/import", a_note(invoice=invoice["id"]))
    assert "invoice_unknown" in {each["code"] for each in stranger.json()["errors"]}


def test_a_proforma_is_no_invoice_that_was_corrected_elsewhere(api: APIClient) -> None:
    proforma = api.post(INVOICES, body(generation_mode="PROFORM")).json()
    refused = api.post(f"{CREDITS}/import", a_note(invoice=proforma["id"]))
    assert errors(refused) == [("invoice", "invoice_unknown")]


# --- beside its invoice -------------------------------------------------------------------------


def test_a_note_of_elsewhere_neither_exceeds_its_invoice_nor_goes_to_somebody_else(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    before = stored()
    wrong = a_note(
        invoice=invoice["id"],
        total="999.00",
        receiver={"type": "CONSUMIDOR_FINAL"},
        modification_code=9,
        oficina="1",
    )
    refused = api.post(f"{CREDITS}/import", wrong)
    assert refused.status_code == 400
    assert set(errors(refused)) == {
        ("total", "note_exceeds_original"),
        ("receiver", "receiver_differs"),
        ("modification_code", "modification_code_unknown"),
        ("oficina", "unknown_field"),
    }
    assert stored() == before
    assert now_of(api, invoice) == ("0.00", "203.30", "UNPAID")


def test_of_lines_that_exceed_the_invoice_the_lines_are_at_fault(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    line = {"description": "Ajuste", "quantity": "1", "unit_price": "203.31", "itbms_rate": "00"}
    shown = a_note(invoice=invoice["id"], lines=[line])
    del shown["total"]
    refused = api.post(f"{CREDITS}/import", shown)
    assert errors(refused) == [("lines", "note_exceeds_original")]


def test_notes_of_elsewhere_take_no_more_than_those_of_ours_have_left(
    api: APIClient, box: Sandbox
) -> None:
    ours = api.post(INVOICES, body()).json()
    work()
    line = {"description": "Ajuste", "quantity": "1", "unit_price": "150.00", "itbms_rate": "00"}
    assert api.post(CREDITS, {"invoice": ours["id"], "lines": [line]}).status_code == 201
    today = panama_date(datetime.fromisoformat(ours["issued_at"]))
    cufe = a_cufe(7, document_type="04", issued_on=today)
    too_much = a_note(invoice=ours["id"], cufe=cufe, total="53.31")
    assert errors(api.post(f"{CREDITS}/import", too_much)) == [("total", "note_exceeds_original")]
    rest = api.post(f"{CREDITS}/import", too_much | {"total": "53.30"})
    assert rest.status_code == 201, rest.content
    assert now_of(api, ours) == ("203.30", "0.00", "CANCELED")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"cufe": a_cufe(7, document_type="06")}, ("invoice", "invoice_not_allowed")),
        (
            {"cufe": a_cufe(7, document_type="04", issued_on=ISSUED_ON - timedelta(days=1))},
            ("cufe", "note_before_original"),
        ),
        ({"total": "0.00"}, ("total", "note_of_nothing")),
        ({"modification_code": 1}, ("modification_code", "modification_code_mismatch")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_a_note_of_elsewhere_fits_its_invoice(
    api: APIClient, invoice: dict[str, Any], changes: dict[str, Any], fault: tuple[str, str]
) -> None:
    refused = api.post(f"{CREDITS}/import", a_note(invoice=invoice["id"]) | changes)
    assert errors(refused) == [fault]


def test_what_the_dgi_has_let_pass_needs_no_authorised_invoice_nor_a_certain_hour(
    api: APIClient, box: Sandbox
) -> None:
    """The note is a fact; our invoice was voided since, or its verdict has not come yet, and the
    CUFE tells no hour, where ours was issued late in the day."""
    late = "2026-03-01T23:00:00-05:00"
    invoice = api.post(URL, told(issued_at=late)).json()
    Document.unscoped.filter(pk=invoice["id"]).update(voided_at=late)
    assert api.post(f"{CREDITS}/import", a_note(invoice=invoice["id"])).status_code == 201


def test_notes_of_elsewhere_and_of_ours_at_once_cannot_take_the_same_money(
    api: APIClient, box: Sandbox, client_of: Callable[..., APIClient], alice: Tenant
) -> None:
    """Nor do they wait for each other's locks: they are of the same series."""
    ours = api.post(INVOICES, body()).json()
    work()
    today = panama_date(datetime.fromisoformat(ours["issued_at"]))
    api.post(CREDITS, {"receiver": body()["receiver"], "lines": body()["lines"]})
    clients = [client_of(alice) for _ in range(6)]

    def imported(nth: int) -> int:
        cufe = a_cufe(700 + nth, document_type="04", issued_on=today)
        wanted = a_note(invoice=ours["id"], cufe=cufe, total="203.30")
        return clients[nth].post(f"{CREDITS}/import", wanted).status_code

    codes = together(
        *(lambda nth=nth: imported(nth) for nth in range(3)),
        *(
            lambda nth=nth: clients[nth].post(CREDITS, {"invoice": ours["id"]}).status_code
            for nth in range(3, 6)
        ),
    )
    assert sorted(codes) == [201] + [400] * 5
    assert now_of(api, ours) == ("203.30", "0.00", "CANCELED")


def test_a_note_that_is_recorded_already_is_told_so_whatever_it_has_left(
    api: APIClient, invoice: dict[str, Any]
) -> None:
    whole = a_note(invoice=invoice["id"], total="203.30")
    first = api.post(f"{CREDITS}/import", whole).json()
    again = api.post(f"{CREDITS}/import", whole)
    assert (again.status_code, errors(again)) == (409, [(None, "cufe_taken")])
    assert first["id"] in again.json()["errors"][0]["detail"]


# --- deleting -----------------------------------------------------------------------------------


def test_a_deleted_import_gives_back_what_it_took(api: APIClient, invoice: dict[str, Any]) -> None:
    note = api.post(f"{CREDITS}/import", a_note(invoice=invoice["id"])).json()
    assert now_of(api, invoice) == ("50.00", "153.30", "PARTIALLY_CANCELED")
    assert api.delete(f"{CREDITS}/{note['id']}").status_code == 204
    assert now_of(api, invoice) == ("0.00", "203.30", "UNPAID")
    assert api.delete(f"{INVOICES}/{invoice['id']}").status_code == 204


def test_an_import_is_deleted_or_credited_and_never_both(
    api: APIClient, invoice: dict[str, Any], client_of: Callable[..., APIClient], alice: Tenant
) -> None:
    Document.unscoped.update(legal_status="DGI_AUTHORIZED", document_id="01X")
    deleting, crediting = client_of(alice), client_of(alice)
    line = {"description": "Ajuste", "quantity": "1", "unit_price": "5.00", "itbms_rate": "00"}
    note = {"invoice": invoice["id"], "lines": [line]}
    codes = together(
        lambda: deleting.delete(f"{INVOICES}/{invoice['id']}").status_code,
        lambda: crediting.post(CREDITS, note).status_code,
    )
    assert codes in ([204, 400], [409, 201])


# --- its external_id ----------------------------------------------------------------------------


def test_an_external_id_is_taken_by_a_note_of_its_kind_alone(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    api.post(URL, told(8, external_id="A-1"))
    first = api.post(f"{CREDITS}/import", a_note(external_id="A-1"))
    assert first.status_code == 201, first.content
    second = a_note(cufe=a_cufe(9, document_type="04"), external_id="A-1")
    again = api.post(f"{CREDITS}/import", second)
    assert (again.status_code, errors(again)) == (409, [(None, "external_id_taken")])
    assert first.json()["id"] in again.json()["errors"][0]["detail"]
    debit = a_note("05", external_id="A-1")
    assert api.post("/api/v1/debit-notes/import", debit).status_code == 201


def test_the_external_id_of_a_note_that_we_issued_is_taken(api: APIClient, box: Sandbox) -> None:
    ours = {"receiver": body()["receiver"], "lines": body()["lines"], "external_id": "A-1"}
    note = api.post(CREDITS, ours).json()
    refused = api.post(f"{CREDITS}/import", a_note(external_id="A-1"))
    assert errors(refused) == [(None, "external_id_taken")]
    assert note["id"] in refused.json()["errors"][0]["detail"]
