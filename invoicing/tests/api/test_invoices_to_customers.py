"""POST /invoices with a `customer`: copied, overridden, withheld from, and forgotten later."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Customer, Document
from invoicing.services import issue
from invoicing.tests.api import URL, cash, errors, stored
from invoicing.tests.api.test_customers import CUSTOMERS, company, foreigner, kept
from invoicing.tests.api.test_customers import url as customer_url
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


def to(customer: Any, **changes: Any) -> dict[str, Any]:
    """A small invoice to a customer, without a receiver of its own."""
    pk = customer["id"] if isinstance(customer, dict) and customer else customer
    made = body(customer=pk)
    del made["receiver"]
    return made | changes


def issued(api: APIClient, posted: dict[str, Any]) -> dict[str, Any]:
    response = api.post(URL, posted)
    assert response.status_code == 201, response.content
    found: dict[str, Any] = response.json()
    return found


def document(shown: dict[str, Any]) -> Document:
    return Document.unscoped.get(pk=shown["id"])


# --- the copy -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["DGI", "PROFORM"])
def test_a_customer_alone_is_copied_onto_the_document(mode: str, api: APIClient) -> None:
    customer = kept(api)
    shown = issued(api, to(customer, generation_mode=mode))
    assert shown["receiver"] == {name: customer[name] for name in shown["receiver"]}
    assert shown["receiver"]["ruc"] == company()["ruc"]
    assert shown["customer"] == customer["id"]
    assert api.get(f"{URL}/{shown['id']}").json() == shown


def test_a_foreigner_is_copied_with_his_foreign_id(api: APIClient) -> None:
    customer = api.post(CUSTOMERS, foreigner()).json()
    shown = issued(api, to(customer))
    assert shown["receiver"]["foreign_id"] == {"number": "P-77", "country": "CO"}
    assert shown["receiver"]["other_country"] == "Atlántida"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"emails": ["otra@cliente.test"]}, {"emails": ["otra@cliente.test"]}),
        ({"emails": []}, {"emails": []}),
        ({"name": "Sucursal David", "address": ""}, {"name": "Sucursal David", "address": ""}),
        ({"ruc": "8-274-125", "ruc_type": "NATURAL"}, {"ruc": "8-274-125", "dv": "91"}),
        ({}, {}),
    ],
)
def test_what_the_receiver_says_comes_before_what_is_known_of_the_customer(
    said: dict[str, Any], shown: dict[str, Any], api: APIClient
) -> None:
    customer = kept(api)
    receiver = issued(api, to(customer, receiver=said))["receiver"]
    known = {name: customer[name] for name in receiver}
    assert receiver == known | said | shown
    assert api.get(customer_url(customer)).json() == customer


def test_what_a_customer_is_called_later_changes_no_document(api: APIClient) -> None:
    customer = kept(api)
    shown = issued(api, to(customer))
    api.patch(customer_url(customer), {"name": "Otro Nombre"})
    assert api.get(f"{URL}/{shown['id']}").json() == shown


@pytest.mark.django_db(transaction=True)
def test_a_customer_whose_document_was_sent_may_be_deleted(api: APIClient, box: Sandbox) -> None:
    customer = kept(api)
    shown = issued(api, to(customer))
    work()
    assert api.delete(customer_url(customer)).status_code == 204
    now = api.get(f"{URL}/{shown['id']}").json()
    assert (now["legal_status"], now["is_fiscally_valid"]) == ("DGI_AUTHORIZED", True)
    assert (now["customer"], now["receiver"]) == (None, shown["receiver"])
    sent = box.documents[0].payload["receiver"]
    assert sent["name"] == customer["name"]


def test_a_note_goes_to_the_customer_of_its_invoice(api: APIClient) -> None:
    shown = issued(api, to(kept(api, retention_code="4")))
    Document.unscoped.filter(pk=shown["id"]).update(
        legal_status="DGI_AUTHORIZED",
        document_id="01X",
        invoice_number=document(shown).computed_cufe,
        submission_state="DONE",
    )
    note = api.post("/api/v1/credit-notes", {"invoice": shown["id"]})
    assert note.status_code == 201, note.content
    assert note.json()["customer"] == shown["customer"]
    assert note.json()["totals"]["retention"] == "0.00"


def test_a_generic_note_names_its_customer(api: APIClient) -> None:
    customer = kept(api, withholds=True)
    wanted = {"customer": customer["id"], "lines": body()["lines"]}
    credit = api.post("/api/v1/credit-notes", wanted)
    assert credit.status_code == 201, credit.content
    assert credit.json()["receiver"]["name"] == customer["name"]
    # A debit note is paid, and what is paid is withheld from.
    debit = api.post("/api/v1/debit-notes", wanted)
    assert errors(debit) == [("retention_code", "retention_code_required")]


# --- faults -------------------------------------------------------------------------------------


def test_one_of_receiver_and_customer_is_needed(api: APIClient) -> None:
    for posted in (to(None), {name: value for name, value in to("").items() if name != "customer"}):
        assert errors(api.post(URL, posted)) == [("receiver", "required")]


def test_a_receiver_without_a_customer_needs_its_type(api: APIClient) -> None:
    receiver = {name: value for name, value in body()["receiver"].items() if name != "type"}
    response = api.post(URL, body(receiver=receiver))
    assert errors(response) == [("receiver.type", "required")]


@pytest.mark.parametrize("receiver", [{}, {"receiver": {"emails": ["a@b.test"]}}])
def test_an_unknown_customer_is_the_only_thing_that_is_said_of_the_receiver(
    receiver: dict[str, Any], api: APIClient
) -> None:
    before = stored()
    response = api.post(URL, to(uuid4().hex, **receiver, billing_point="000"))
    assert errors(response) == [
        ("billing_point", "billing_point_malformed"),
        ("customer", "customer_unknown"),
    ]
    assert stored() == before


@pytest.mark.parametrize("customer", [5, "x", "", [], {}, True])
def test_what_is_no_id_is_no_customer(customer: Any, api: APIClient) -> None:
    assert errors(api.post(URL, to(customer))) == [("customer", "invalid")]


def test_another_tenants_customer_is_unknown(api: APIClient, bob: Tenant, client_of: Any) -> None:
    customer = kept(client_of(bob))
    before = stored()
    assert errors(api.post(URL, to(customer))) == [("customer", "customer_unknown")]
    assert errors(api.post(URL, to(customer, receiver=company()))) == [
        ("customer", "customer_unknown")
    ]
    assert stored() == before


def test_what_a_document_needs_more_than_its_customer_has_is_told(api: APIClient) -> None:
    customer = kept(api, type="GOBIERNO", ruc="8-NT-1-24")
    response = api.post(URL, to(customer, receiver={"dv": "00", "phones": ["1"]}))
    assert errors(response) == [
        ("lines.0.cpbs_code", "cpbs_required"),
        ("receiver.dv", "ruc_dv_mismatch"),
        ("receiver.phones.0", "phone_malformed"),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_customer_deleted_while_his_invoice_is_issued_is_unknown(
    api: APIClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, judge = kept(api), issue.judge

    def overtaken(*args: Any, **options: Any) -> Any:
        judged = judge(*args, **options)
        Customer.unscoped.all().delete()
        return judged

    monkeypatch.setattr(issue, "judge", overtaken)
    before = stored()
    assert errors(api.post(URL, to(customer))) == [("customer", "customer_unknown")]
    assert stored() == before


def test_a_repeated_request_is_answered_though_its_customer_is_gone(api: APIClient) -> None:
    customer = kept(api)
    first = api.post(URL, to(customer), HTTP_IDEMPOTENCY_KEY="k")
    api.delete(customer_url(customer))
    again = api.post(URL, to(customer), HTTP_IDEMPOTENCY_KEY="k")
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert again.json() == first.json()


# --- what it withholds --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("customer", "said", "code", "retention"),
    [
        ({"retention_code": "4"}, {}, "4", "6.65"),
        ({"retention_code": "4"}, {"retention_code": None}, "4", "6.65"),
        ({"retention_code": "4"}, {"retention_code": "1"}, "1", "13.30"),
        ({"withholds": True}, {"retention_code": "4"}, "4", "6.65"),
        ({"withholds": False, "retention_code": "4"}, {}, None, "0.00"),
        ({}, {}, None, "0.00"),
        ({}, {"retention_code": "4"}, "4", "6.65"),
        ({"retention_code": "8"}, {"retention_amount": "5.00"}, "8", "5.00"),
    ],
)
def test_the_documents_code_comes_before_the_customers(
    customer: dict[str, Any],
    said: dict[str, Any],
    code: str | None,
    retention: str,
    api: APIClient,
) -> None:
    shown = issued(api, to(kept(api, **customer), **said))
    assert (shown["retention_code"], shown["totals"]["retention"]) == (code, retention)


@pytest.mark.parametrize(
    ("customer", "said", "told"),
    [
        ({"withholds": True}, {}, ("retention_code", "retention_code_required")),
        (
            {"withholds": True},
            {"retention_amount": "5.00"},
            ("retention_code", "retention_code_required"),
        ),
        ({"retention_code": "8"}, {}, ("retention_amount", "retention_amount_required")),
        (
            {"retention_code": "4"},
            {"retention_code": "5"},
            ("retention_code", "retention_code_unknown"),
        ),
        ({"retention_code": "4"}, {"retention_code": 4}, ("retention_code", "invalid")),
    ],
)
def test_without_a_code_nobody_knows_what_is_withheld(
    customer: dict[str, Any], said: dict[str, Any], told: tuple[str, str], api: APIClient
) -> None:
    made = kept(api, **customer)
    for mode in ("DGI", "PROFORM"):
        response = api.post(URL, to(made, **said, generation_mode=mode))
        assert (response.status_code, errors(response)) == (400, [told])


# --- a proforma's patch -------------------------------------------------------------------------


@pytest.fixture
def customer(api: APIClient) -> dict[str, Any]:
    return kept(api, retention_code="4")


@pytest.fixture
def proforma(api: APIClient, customer: dict[str, Any]) -> dict[str, Any]:
    said = {"name": "Sucursal David"}
    return issued(api, to(customer, generation_mode="PROFORM", receiver=said))


def patched(api: APIClient, proforma: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    response = api.patch(f"{URL}/{proforma['id']}", changes)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def test_a_patch_of_anything_else_leaves_copy_and_customer(
    api: APIClient, customer: dict[str, Any], proforma: dict[str, Any]
) -> None:
    api.patch(customer_url(customer), {"name": "Otro", "emails": [], "dv": None})
    now = patched(api, proforma, {"notes": "Gracias"})
    assert (now["receiver"], now["customer"]) == (proforma["receiver"], customer["id"])
    assert now["retention_code"] == "4"


def test_another_customer_brings_its_own_data_and_its_own_withholding(
    api: APIClient, proforma: dict[str, Any]
) -> None:
    other = kept(api, ruc="8-NT-1-24", name="Otra, S.A.")
    now = patched(api, proforma, {"customer": other["id"]})
    assert (now["customer"], now["receiver"]["name"]) == (other["id"], "Otra, S.A.")
    assert (now["retention_code"], now["totals"]["retention"]) == (None, "0.00")


def test_a_code_of_its_own_stays_with_a_proforma(api: APIClient, customer: dict[str, Any]) -> None:
    own = issued(api, to(customer, generation_mode="PROFORM", retention_code="1"))
    other = kept(api, ruc="8-NT-1-24")
    assert patched(api, own, {"customer": other["id"]})["retention_code"] == "1"


def test_a_receiver_of_its_own_is_no_customers_any_more(
    api: APIClient, proforma: dict[str, Any]
) -> None:
    now = patched(api, proforma, {"receiver": {"type": "CONSUMIDOR_FINAL", "name": "Juan"}})
    assert (now["customer"], now["receiver"]["name"], now["receiver"]["ruc"]) == (None, "Juan", "")
    assert now["retention_code"] is None


def test_a_proforma_may_forget_its_customer_and_keep_the_copy(
    api: APIClient, proforma: dict[str, Any]
) -> None:
    now = patched(api, proforma, {"customer": None})
    assert (now["customer"], now["receiver"]) == (None, proforma["receiver"])


def test_a_customer_that_withholds_is_not_taken_its_code(
    api: APIClient, customer: dict[str, Any], proforma: dict[str, Any]
) -> None:
    assert patched(api, proforma, {"retention_code": None})["retention_code"] == "4"
    api.patch(customer_url(customer), {"retention_code": None})
    response = api.patch(f"{URL}/{proforma['id']}", {"retention_code": None})
    assert errors(response) == [("retention_code", "retention_code_required")]


def test_a_patch_names_no_customer_of_another_tenant(
    api: APIClient, proforma: dict[str, Any], bob: Tenant, client_of: Any
) -> None:
    stranger = kept(client_of(bob))
    response = api.patch(f"{URL}/{proforma['id']}", {"customer": stranger["id"]})
    assert errors(response) == [("customer", "customer_unknown")]


# --- what it costs ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_customer_costs_one_statement(api: APIClient) -> None:
    customer = kept(api)
    with_customer = cash(customer=customer["id"]) | {"receiver": {}}
    counts = []
    for posted in (cash(), cash(), with_customer):
        with CaptureQueriesContext(connection) as context:
            issued(api, posted)
        counts.append(len(context))
    assert counts[2] <= counts[1] + 1
