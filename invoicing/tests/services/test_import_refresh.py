"""What the PAC says of an import, and how an import goes."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from conftest import body, work
from invoicing import guards
from invoicing.api.imports import ImportReader
from invoicing.errors import Immutable, PacUnavailable
from invoicing.models import Document, Invoice, Payment
from invoicing.models.documents import PacDocumentType
from invoicing.services import edit, payments, void
from invoicing.services.import_documents import import_invoice
from invoicing.services.refresh import refresh
from invoicing.services.settle import settle
from invoicing.tests.elsewhere import issued_elsewhere, link_of, pdf_of, record, told
from pac.client import PacClient
from pac.sandbox import Sandbox
from pac.sandbox.records import Document as Accepted
from tenants.errors import Conflict
from tenants.models import Tenant

pytestmark = pytest.mark.django_db(transaction=True)


def codes(warnings: list[dict[str, str]]) -> list[str]:
    return [warning["code"] for warning in warnings]


# --- what the PAC says of it --------------------------------------------------------------------


@pytest.fixture
def elsewhere(alice: Tenant, box: Sandbox) -> Any:
    """An invoice that Alice's other system issued through the same PAC, judged."""
    answer = issued_elsewhere(alice)
    box.settle()
    return answer


def shown_as(answer: Any, **changes: Any) -> dict[str, Any]:
    return told() | {"cufe": answer.cufe} | changes


def test_refreshed_by_its_id_it_is_authorised(alice: Tenant, elsewhere: Any) -> None:
    document = record(alice, shown_as(elsewhere, document_id=elsewhere.id))
    refresh(document)
    document.refresh_from_db()
    assert (document.legal_status, document.document_id) == ("DGI_AUTHORIZED", elsewhere.id)
    assert document.invoice_number == elsewhere.cufe
    assert document.qr_code_url
    assert document.files.count() == 1
    assert (document.warnings, document.next_poll_at) == ([], None)


def test_without_an_id_it_is_found_by_its_cufe(alice: Tenant, elsewhere: Any) -> None:
    issued_elsewhere(alice, billing_point="002")
    document = record(alice, shown_as(elsewhere))
    refresh(document)
    document.refresh_from_db()
    assert (document.legal_status, document.document_id) == ("DGI_AUTHORIZED", elsewhere.id)


def test_the_id_of_another_document_is_not_believed(
    alice: Tenant, elsewhere: Any, box: Sandbox
) -> None:
    other = issued_elsewhere(alice, issued_at="2026-11-20T10:00:00-05:00", billing_point="002")
    box.settle()
    document = record(alice, shown_as(elsewhere, document_id=other.id))
    refresh(document)
    document.refresh_from_db()
    assert (document.legal_status, document.document_id) == ("DGI_AUTHORIZED", elsewhere.id)


def test_what_the_pac_does_not_know_stays_as_it_is_and_says_so(alice: Tenant, box: Sandbox) -> None:
    document = record(alice, told(document_id="01J0AAAAAAAAAAAAAAAAAAAAAA"))
    for _ in range(2):
        refresh(document)
        document.refresh_from_db()
        assert (document.legal_status, document.next_poll_at) == (None, None)
        assert codes(document.warnings) == ["not_at_the_pac"]


def test_a_pac_without_a_list_finds_nothing(alice: Tenant, elsewhere: Any, box: Sandbox) -> None:
    box.options.update({"list_missing": True})
    document = record(alice, shown_as(elsewhere))
    refresh(document)
    document.refresh_from_db()
    assert codes(document.warnings) == ["not_at_the_pac"]
    box.options.update({"list_missing": False})
    refresh(document)
    document.refresh_from_db()
    assert (document.legal_status, document.warnings) == ("DGI_AUTHORIZED", [])


@pytest.mark.parametrize("document_id", ["", "01J0AAAAAAAAAAAAAAAAAAAAAA"])
def test_a_pac_that_is_away_changes_nothing(alice: Tenant, box: Sandbox, document_id: str) -> None:
    document = record(alice, told(document_id=document_id))
    box.options.update({"down": "503"})
    with pytest.raises(PacUnavailable):
        refresh(document)
    document.refresh_from_db()
    assert (document.legal_status, document.warnings) == (None, [])
    assert document.hinted_document_id == document_id


def test_a_tenant_that_the_pac_does_not_know_cannot_ask(alice: Tenant) -> None:
    alice.pac_company_id = None
    alice.save()
    with pytest.raises(Conflict) as conflict:
        refresh(record(alice))
    assert conflict.value.code == "tenant_not_ready"


def test_a_refreshed_import_is_followed_until_the_verdict(alice: Tenant, box: Sandbox) -> None:
    box.options.update({"dgi_delay": 60})
    answer = issued_elsewhere(alice)
    document = record(alice, shown_as(answer))
    refresh(document)
    document.refresh_from_db()
    assert document.legal_status == "PAC_AUTHORIZED"
    box.settle()
    work()
    document.refresh_from_db()
    assert document.legal_status == "DGI_AUTHORIZED"


def test_nobody_is_mailed_what_was_issued_elsewhere(alice: Tenant, elsewhere: Any) -> None:
    document = record(alice, shown_as(elsewhere))
    assert document.delivery_addresses
    refresh(document)
    work()
    assert not mail.outbox


# --- what was not told of it --------------------------------------------------------------------


@pytest.fixture
def telling(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The PAC's answers also carry receiver and total; a test changes what they say."""
    said = {
        "totals": {"total": Decimal("203.30")},
        "receiver": {"ruc": {"ruc": "155646463-2-2017"}, "name": "Cliente Prueba, S.A."},
    }
    wire = Accepted.wire

    def telling_wire(self: Accepted, *args: Any, **links: Any) -> dict[str, Any]:
        return wire(self, *args, **links) | said

    monkeypatch.setattr(Accepted, "wire", telling_wire)
    return said


def from_file(
    tenant: Tenant, cufe: str, kind: PacDocumentType = PacDocumentType.INVOICE, **told_too: Any
) -> Document:
    """An import of which a file's QR told the CUFE and nothing else."""
    wanted, faults = ImportReader(kind).read(
        {"cufe": cufe, "qr_code_url": link_of(cufe)} | told_too
    )
    wanted.from_file = True
    imported = import_invoice(
        tenant=tenant, wanted=wanted, faults=faults, render=lambda document: None
    ).document
    assert imported
    return Document.unscoped.select_related("tenant", "office").get(pk=imported.pk)


def refreshed(document: Document) -> Document:
    refresh(document)
    return Document.unscoped.select_related("tenant", "office").get(pk=document.pk)


def test_receiver_and_total_that_nobody_told_are_the_pacs(
    alice: Tenant, elsewhere: Any, telling: dict[str, Any]
) -> None:
    document = from_file(alice, elsewhere.cufe)
    assert (document.total, codes(document.warnings)) == (0, ["total_unknown"])
    document = refreshed(document)
    assert document.legal_status == "DGI_AUTHORIZED"
    assert (document.total, document.status) == (Decimal("203.30"), "UNPAID")
    assert (document.receiver_ruc, document.receiver_name) == (
        "155646463-2-2017",
        "Cliente Prueba, S.A.",
    )
    assert document.warnings == []
    assert document.history.filter(event="edited").count() == 1
    # What is known by now is not written again.
    assert refreshed(document).history.filter(event="edited").count() == 1


def test_an_import_that_the_pac_has_completed_can_be_credited(
    alice: Tenant, elsewhere: Any, telling: dict[str, Any], api: APIClient
) -> None:
    document = refreshed(from_file(alice, elsewhere.cufe))
    note = {"invoice": str(document.pk), "receiver": body()["receiver"], "lines": body()["lines"]}
    stranger = body()["receiver"] | {"ruc": "155747009-2-2024"}
    refused = api.post("/api/v1/credit-notes", note | {"receiver": stranger})
    assert [error["code"] for error in refused.data["errors"]] == ["receiver_differs"]
    credit = api.post("/api/v1/credit-notes", note)
    assert credit.status_code == 201, credit.data
    work()
    assert Document.unscoped.get(pk=credit.data["id"]).legal_status == "DGI_AUTHORIZED"
    document.refresh_from_db()
    assert (document.credited, document.status) == (Decimal("203.30"), "CANCELED")


def test_what_was_told_is_not_overwritten_by_the_pac(
    alice: Tenant, elsewhere: Any, telling: dict[str, Any]
) -> None:
    shown = shown_as(elsewhere, total="100.00")
    shown["receiver"] = {"type": "CONSUMIDOR_FINAL"}
    document = refreshed(record(alice, shown))
    assert (document.total, document.receiver_type) == (Decimal("100.00"), "CONSUMIDOR_FINAL")
    assert (document.receiver_ruc, document.receiver_name) == ("", "")
    assert codes(document.warnings) == ["differs_at_the_pac"]


@pytest.mark.parametrize(
    ("said", "ruc", "name", "total"),
    [
        ({"totals": None, "receiver": None}, "", "", "0.00"),
        ({"totals": {"total": "-1.00"}}, "155646463-2-2017", "Cliente Prueba, S.A.", "0.00"),
        ({"totals": {"total": "1e30"}}, "155646463-2-2017", "Cliente Prueba, S.A.", "0.00"),
        ({"receiver": {"ruc": "9" * 21, "name": "x" * 201}}, "", "x" * 200, "203.30"),
    ],
)
def test_what_cannot_be_is_not_taken_from_the_pac(
    alice: Tenant,
    elsewhere: Any,
    telling: dict[str, Any],
    said: dict[str, Any],
    ruc: str,
    name: str,
    total: str,
) -> None:
    telling |= said
    document = refreshed(from_file(alice, elsewhere.cufe))
    assert (document.receiver_ruc, document.receiver_name) == (ruc, name)
    assert document.total == Decimal(total)
    known = [] if document.total else ["total_unknown"]
    assert codes(document.warnings) == known


def test_the_total_of_a_note_counts_against_its_invoice_once_the_pac_tells_it(
    alice: Tenant, api: APIClient, box: Sandbox, telling: dict[str, Any]
) -> None:
    ours = api.post("/api/v1/invoices", body()).data
    work()
    credit = api.post("/api/v1/credit-notes", {"invoice": ours["id"]}).data
    work()
    cufe = forgotten(credit["id"])
    document = from_file(alice, cufe, PacDocumentType.CREDIT_NOTE, invoice=ours["id"])
    invoice = Document.unscoped.get(pk=ours["id"])
    assert (document.total, invoice.credited) == (0, 0)
    assert refreshed(document).status == "APPLIED"
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.status) == (Decimal("203.30"), "CANCELED")


def forgotten(pk: str) -> str:
    """The CUFE of a document of which only the PAC knows any longer."""
    document = Document.unscoped.get(pk=pk)
    guards.remove()
    document.files.all().delete()
    document.delete()
    guards.install()
    invoice = Document.unscoped.get()
    settle(invoice, today=date(2026, 11, 22))
    return str(document.invoice_number)


# --- deleting -----------------------------------------------------------------------------------


def test_an_import_that_nothing_refers_to_is_deleted(alice: Tenant) -> None:
    document = record(alice, content=pdf_of("x"))
    stored = document.files.get().content
    edit.delete(document)
    assert not Document.unscoped.exists()
    assert not stored.storage.exists(stored.name)
    record(alice)


def test_a_sale_paid_at_once_is_deleted_with_its_payment(alice: Tenant) -> None:
    shown = told()
    del shown["due_date"]
    edit.delete(record(alice, shown))
    assert not Payment.unscoped.exists()


def test_a_sale_paid_at_once_stays_when_the_same_was_received_once_more(alice: Tenant) -> None:
    shown = told()
    del shown["due_date"]
    document = record(alice, shown)
    paid = Payment.unscoped.get()
    payments.receive(document, amount=paid.amount, method=paid.method)
    with pytest.raises(Immutable, match="take back the payments"):
        edit.delete(document)
    assert Payment.unscoped.count() == 2


def test_an_import_that_the_pac_confirmed_is_deleted_and_told_anew(
    alice: Tenant, elsewhere: Any
) -> None:
    """The way out where the PAC does not tell what the QR does not: as the warning says."""
    document = refreshed(from_file(alice, elsewhere.cufe))
    assert (document.legal_status, codes(document.warnings)) == (
        "DGI_AUTHORIZED",
        ["total_unknown"],
    )
    edit.delete(document)
    assert not Document.unscoped.exists()
    again = refreshed(record(alice, shown_as(elsewhere)))
    assert (again.legal_status, again.total) == ("DGI_AUTHORIZED", Decimal("203.30"))


def test_an_import_whose_void_was_asked_for_stays(alice: Tenant, elsewhere: Any) -> None:
    document = refreshed(record(alice, shown_as(elsewhere)))
    void.request_void(document, reason="Pedido repetido por error")
    with pytest.raises(Immutable, match="refer to"):
        edit.delete(document)


def test_an_import_with_money_received_stays(alice: Tenant) -> None:
    document = record(alice)
    payment = payments.receive(document, amount=Decimal("1.00"), method="02")
    with pytest.raises(Immutable):
        edit.delete(document)
    payments.remove(document, payment.pk)
    edit.delete(document)


def test_an_import_that_a_note_refers_to_stays(alice: Tenant) -> None:
    document = record(alice)
    other = record(alice, told(99))
    Document.unscoped.filter(pk=other.pk).update(invoice=document)
    with pytest.raises(Immutable, match="refer to"):
        edit.delete(document)
    assert Invoice.unscoped.filter(pk=document.pk).exists()


def test_an_import_that_is_deleted_while_the_pac_is_asked_is_not_there(
    alice: Tenant, api: APIClient, box: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = record(alice)
    sound = PacClient.find

    def find(self: PacClient, *args: Any) -> Any:
        edit.delete(document)
        return sound(self, *args)

    monkeypatch.setattr(PacClient, "find", find)
    assert api.post(f"/api/v1/invoices/{document.pk}/refresh").status_code == 404
    assert not Document.unscoped.exists()
