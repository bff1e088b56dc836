"""What the tables of documents refuse by themselves, whatever the services do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from rest_framework.test import APIClient

from conftest import body
from invoicing.models import (
    Document,
    DocumentLine,
    EmailDelivery,
    File,
    IdempotencyRecord,
    Invoice,
    Payment,
    SubmissionState,
)
from invoicing.models.documents import TERMINAL
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.fixture
def invoice(api: APIClient) -> Document:
    return issued(api)


def issued(api: APIClient, **changes: Any) -> Document:
    answer = api.post("/api/v1/invoices", body(**changes))
    assert answer.status_code == 201, answer.data
    return Document.unscoped.get(pk=answer.data["id"])


@pytest.fixture
def proforma(api: APIClient) -> Document:
    return issued(api, generation_mode="PROFORM")


def refused(constraint: str, change: Callable[[], object]) -> None:
    """SQLite names the columns of a unique key, PostgreSQL its name: the kind of error counts."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        change()
    if connection.vendor == "postgresql":
        assert constraint in str(caught.value)


def row(document: Document) -> Any:
    return Document.unscoped.filter(pk=document.pk)


def copy(document: Document, **changes: Any) -> Document:
    """The same document once more, under another id and CUFE, not saved."""
    twin = Document.unscoped.get(pk=document.pk)
    twin.pk, twin._state.adding = uuid.uuid4(), True
    twin.computed_cufe = f"FE-{uuid.uuid4().hex}"
    for name, value in changes.items():
        setattr(twin, name, value)
    return twin


# --- numbers ------------------------------------------------------------------------------------


def test_a_fiscal_number_is_used_once_in_its_series(invoice: Document) -> None:
    refused("fiscal_number_once_per_series", lambda: copy(invoice).save())
    copy(invoice, number="0000000099").save()
    copy(invoice, billing_point="002").save()
    copy(invoice, dgi_document_type="08").save()


def test_a_number_of_a_failed_or_rejected_document_stays_used(invoice: Document) -> None:
    row(invoice).update(submission_state="FAILED")
    refused("fiscal_number_once_per_series", lambda: copy(invoice).save())
    row(invoice).update(legal_status="PAC_REJECTED")
    refused("fiscal_number_once_per_series", lambda: copy(invoice).save())


def test_two_tenants_have_the_same_number(invoice: Document, bob: Tenant) -> None:
    copy(invoice, tenant=bob, office=bob.main_office).save()


def test_a_proformas_number_is_a_series_of_its_own(proforma: Document, invoice: Document) -> None:
    assert proforma.number == invoice.number == "0000000001"
    refused("proforma_number_once_per_series", lambda: copy(proforma, computed_cufe=None).save())


@pytest.mark.parametrize("column", ["computed_cufe", "invoice_number"])
def test_a_cufe_is_unique_across_tenants(column: str, invoice: Document, bob: Tenant) -> None:
    row(invoice).update(invoice_number=invoice.computed_cufe)
    twin = copy(invoice, tenant=bob, office=bob.main_office)
    setattr(twin, column, invoice.computed_cufe)
    refused(column, twin.save)


def test_a_document_id_is_unique_in_a_tenant_only(invoice: Document, bob: Tenant) -> None:
    row(invoice).update(document_id="01X")
    refused(
        "document_id_once_per_tenant",
        copy(invoice, document_id="01X", number="0000000099").save,
    )
    copy(invoice, document_id="01X", tenant=bob, office=bob.main_office).save()
    copy(invoice, document_id=None, number="0000000098").save()
    copy(invoice, document_id=None, number="0000000097").save()


# --- external ids -------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [None, "PAC_AUTHORIZED", "DGI_AUTHORIZED"])
def test_an_external_id_is_unique_among_what_is_not_rejected(
    status: str | None, api: APIClient
) -> None:
    first = issued(api, external_id="order-1")
    row(first).update(
        legal_status=status, document_id="01X", invoice_number=first.computed_cufe, attempts=1
    )
    second = copy(first, number="0000000099", document_id=None, invoice_number=None)
    second.legal_status = None
    refused("external_id_once_per_tenant_and_kind", second.save)


@pytest.mark.parametrize("status", ["PAC_REJECTED", "DGI_REJECTED"])
def test_the_external_id_of_a_rejected_document_is_free_again(status: str, api: APIClient) -> None:
    first = issued(api, external_id="order-1")
    row(first).update(legal_status=status)
    second = issued(api, external_id="order-1")
    refused("external_id_once_per_tenant_and_kind", copy(second, number="0000000099").save)


def test_an_external_id_is_a_tenants_own(api: APIClient, bob: Tenant) -> None:
    first = issued(api, external_id="order-1")
    copy(first, tenant=bob, office=bob.main_office).save()
    copy(first, document_type="02", dgi_document_type="04").save()


# --- states -------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", set(SubmissionState) - {SubmissionState.NONE})
def test_a_proforma_is_never_sent(state: str, proforma: Document) -> None:
    refused("proforma_is_never_sent", lambda: row(proforma).update(submission_state=state))
    refused(
        "proforma_is_never_sent",
        lambda: row(proforma).update(submission_state=state, attempts=1, next_attempt_at=None),
    )


def test_a_queued_invoice_is_not_made_a_proforma(invoice: Document) -> None:
    refused("proforma_is_never_sent", lambda: row(invoice).update(generation_mode="PROFORM"))


@pytest.mark.parametrize("status", ["PAC_AUTHORIZED", "DGI_AUTHORIZED"])
@pytest.mark.parametrize(
    "named",
    [{}, {"document_id": "01X"}, {"invoice_number": "FE"}],
)
def test_authorised_means_that_cufe_and_id_are_known(
    status: str, named: dict[str, str], invoice: Document
) -> None:
    refused(
        "authorized_means_cufe_and_document_id",
        lambda: row(invoice).update(legal_status=status, **named),
    )
    assert row(invoice).update(legal_status=status, document_id="01X", invoice_number="FE") == 1


@pytest.mark.parametrize("status", ["PAC_REJECTED", "DGI_REJECTED"])
def test_rejected_needs_neither(status: str, invoice: Document) -> None:
    assert row(invoice).update(legal_status=status) == 1


def test_a_legal_status_is_one_that_is_known() -> None:
    field = Document._meta.get_field("legal_status")
    assert {value for value, _ in field.flatchoices} == {*TERMINAL, "PAC_AUTHORIZED"}


# --- what hangs on a document -------------------------------------------------------------------


def test_a_line_number_is_used_once_in_a_document(invoice: Document) -> None:
    line = invoice.lines.get()
    line.pk, line._state.adding = uuid.uuid4(), True
    refused("line_number_once_per_document", line.save)
    line.number = 2
    line.save()
    assert [each.number for each in DocumentLine.unscoped.filter(owner=invoice)] == [1, 2]


def test_one_occasion_has_one_email(invoice: Document) -> None:
    def queue() -> None:
        EmailDelivery.unscoped.create(
            tenant=invoice.tenant, owner=invoice, occasion="authorized", message_id="<a@b>"
        )

    queue()
    refused("one_email_per_document_and_occasion", queue)


def test_a_file_of_a_name_is_stored_once(invoice: Document) -> None:
    """A CUFE.pdf that was stored is not stored over, whatever its content."""

    def store(digest: str) -> None:
        File.unscoped.create(
            tenant=invoice.tenant, owner=invoice, kind="PDF", name="x", size=1, sha256=digest
        )

    store("a" * 64)
    refused("file_once_per_document_and_name", lambda: store("b" * 64))


@pytest.mark.parametrize("amount", [Decimal(0), Decimal("-0.01")])
def test_a_payment_is_above_zero(amount: Decimal, invoice: Document) -> None:
    refused(
        "payment_is_above_zero",
        lambda: Payment.unscoped.create(
            tenant=invoice.tenant,
            owner=invoice,
            amount=amount,
            method="02",
            paid_at=invoice.issued_at,
        ),
    )


def test_an_idempotency_key_is_a_tenants_own(alice: Tenant, bob: Tenant) -> None:
    def keep(tenant: Tenant) -> None:
        IdempotencyRecord.unscoped.create(
            tenant=tenant, key="k", fingerprint="f", status_code=201, answer={}
        )

    keep(alice)
    keep(bob)
    refused("idempotency_key_once_per_tenant", lambda: keep(alice))


# --- small facts --------------------------------------------------------------------------------


def test_the_proxy_shows_its_own_kind_of_its_own_tenant(
    api: APIClient, invoice: Document, alice: Tenant, bob: Tenant
) -> None:
    copy(invoice, document_type="02", dgi_document_type="04").save()
    assert [each.pk for each in Invoice.objects.for_tenant(alice)] == [invoice.pk]
    assert not Invoice.objects.for_tenant(bob).exists()


def test_the_balance_is_what_is_still_owed() -> None:
    document = Document(
        total=Decimal("107.00"),
        retention=Decimal("3.50"),
        credited=Decimal("50.00"),
        paid=Decimal("60.00"),
    )
    assert (document.due, document.balance) == (Decimal("53.50"), Decimal("-6.50"))


def valid() -> Document:
    document = Document(
        document_id="01X",
        invoice_number="FE",
        legal_status="DGI_AUTHORIZED",
        qr_code_url="https://dgi.test/qr",
        pac_input={"a": 1},
        pac_response={"b": 2},
        status="UNPAID",
    )
    document._prefetched_objects_cache = {"files": [File(kind="PDF")]}
    return document


def test_with_everything_it_has_force_before_the_law() -> None:
    assert valid().is_fiscally_valid() is True


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("document_id", None),
        ("invoice_number", None),
        ("invoice_number", ""),
        ("legal_status", None),
        ("legal_status", "PAC_AUTHORIZED"),
        ("legal_status", "DGI_REJECTED"),
        ("qr_code_url", ""),
        ("pac_input", None),
        ("pac_response", None),
    ],
)
def test_without_any_one_of_them_it_has_none(column: str, value: Any) -> None:
    document = valid()
    setattr(document, column, value)
    assert document.is_fiscally_valid() is False


def test_without_its_pdf_it_has_none() -> None:
    document = valid()
    document._prefetched_objects_cache = {"files": [File(kind="XML")]}
    assert document.is_fiscally_valid() is False
