"""Imports: recorded once, never submitted, believed by their CUFE alone."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings as SettingsWrapper

from conftest import body, work
from invoicing.api.imports import ImportReader
from invoicing.models import Document, HistoryEntry, PacExchange, Payment
from invoicing.models.documents import PacDocumentType
from invoicing.services import edit, import_documents
from invoicing.services.import_documents import State, Verdict, import_batch
from invoicing.tests.elsewhere import a_cufe, pdf_of, record, told, told_with_lines
from pac.sandbox import Sandbox
from tenants.errors import Conflict
from tenants.models import NumberSeries, Tenant

pytestmark = pytest.mark.django_db(transaction=True)


def batch_of(
    tenant: Tenant,
    *shown: dict[str, Any],
    dry_run: bool = False,
    kind: PacDocumentType = PacDocumentType.INVOICE,
) -> list[Verdict]:
    reader = ImportReader(kind)
    return import_batch(
        tenant=tenant,
        batch=[reader.read(each) for each in shown],
        offices=import_documents.offices_of(tenant),
        dry_run=dry_run,
    )


def codes(warnings: list[dict[str, str]]) -> list[str]:
    return [warning["code"] for warning in warnings]


# --- what it writes -----------------------------------------------------------------------------


def test_an_import_has_its_cufe_and_nothing_to_send(alice: Tenant) -> None:
    document = record(alice)
    assert document.invoice_number == document.computed_cufe == a_cufe()
    assert (document.generation_mode, document.submission_state) == ("DGI_IMPORT", "NONE")
    assert (document.legal_status, document.document_id, document.attempts) == (None, None, 0)
    assert (document.next_attempt_at, document.next_poll_at) == (None, None)
    assert (document.total, document.net, document.status) == (Decimal("203.30"), 0, "UNPAID")
    told_of = HistoryEntry.unscoped.get(owner=document)
    assert (told_of.event, told_of.data["mode"]) == ("issued", "DGI_IMPORT")


def test_the_worker_has_nothing_to_do_with_it(alice: Tenant, box: Sandbox) -> None:
    document = record(alice)
    work()
    assert not box.posts
    assert not PacExchange.unscoped.exists()
    document.refresh_from_db()
    assert document.legal_status is None


def test_our_number_series_does_not_notice(alice: Tenant) -> None:
    record(alice)
    assert not NumberSeries.unscoped.exists()


def test_its_uploaded_pdf_is_its_file(alice: Tenant) -> None:
    content = pdf_of("anything")
    file = record(alice, content=content).files.get()
    assert (file.kind, file.name, file.size) == ("PDF", f"{a_cufe()}.pdf", len(content))
    with file.content.open() as stored:
        assert stored.read() == content


def test_a_picture_is_read_and_not_kept(alice: Tenant) -> None:
    assert not record(alice, content=b"\x89PNG").files.exists()


def test_money_paid_at_once_is_a_payment(alice: Tenant) -> None:
    shown = told()
    del shown["due_date"]
    document = record(alice, shown)
    assert document.status == "PAID"
    assert Payment.unscoped.get(owner=document).amount == Decimal("203.30")


def test_the_arithmetic_is_that_of_issuing(alice: Tenant) -> None:
    document = record(alice, told_with_lines())
    assert (document.net, document.itbms, document.total) == (
        Decimal("190.00"),
        Decimal("13.30"),
        Decimal("203.30"),
    )
    assert document.lines.count() == 1


def test_a_cufe_of_the_other_environment_is_a_warning(alice: Tenant) -> None:
    document = record(alice, told(cufe=a_cufe(environment=1)))
    assert codes(document.warnings) == ["other_environment"]


# --- what stands in its way ---------------------------------------------------------------------


def refused(tenant: Tenant, shown: dict[str, Any]) -> str:
    before = Document.unscoped.count()
    with pytest.raises(Conflict) as conflict:
        record(tenant, shown)
    assert Document.unscoped.count() == before
    return f"{conflict.value.code}: {conflict.value.message}"


def test_a_cufe_is_recorded_once(alice: Tenant) -> None:
    first = record(alice)
    said = refused(alice, told())
    assert said.startswith("cufe_taken")
    assert str(first.pk) in said


def test_the_holder_of_a_cufe_is_not_told_to_a_stranger(alice: Tenant, bob: Tenant) -> None:
    """Alice's RUC was corrected after she recorded it: it is another tenant's now."""
    first = record(alice)
    Tenant.objects.filter(pk=alice.pk).update(ruc="155646463-2-2017", dv="86")
    Tenant.objects.filter(pk=bob.pk).update(ruc="155596713-2-2015", ruc_type="JURIDICO", dv="59")
    bob.refresh_from_db()
    said = refused(bob, told())
    assert said.startswith("cufe_taken")
    assert str(first.pk) not in said


def test_a_number_that_we_issued_is_not_imported(alice: Tenant, api: Any) -> None:
    ours = api.post("/api/v1/invoices", body()).data
    said = refused(alice, told(1))
    assert said.startswith("number_taken")
    assert ours["id"] in said


def test_two_imports_do_not_share_a_number(alice: Tenant) -> None:
    record(alice)
    assert refused(alice, told(cufe=a_cufe(security_code="000000001"))).startswith("number_taken")


@pytest.mark.parametrize(
    "other", [{"billing_point": "002"}, {"document_type": "08"}, {"number": "0000000002"}], ids=str
)
def test_another_series_or_number_is_another_invoice(alice: Tenant, other: dict[str, str]) -> None:
    record(alice)
    record(alice, told(cufe=a_cufe(**other)))


def test_an_external_id_is_taken_once(alice: Tenant, api: Any) -> None:
    ours = api.post("/api/v1/invoices", body(external_id="A-1")).data
    said = refused(alice, told(7, external_id="A-1"))
    assert said.startswith("external_id_taken")
    assert ours["id"] in said
    record(alice, told(7, external_id="A-2"))
    assert refused(alice, told(8, external_id="A-2")).startswith("external_id_taken")


def test_a_refused_upload_leaves_no_file(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch, settings: SettingsWrapper
) -> None:
    """The CUFE is recorded after the first look, which stored the file, and before the lock."""
    other = record_other(alice)

    def too_late(tenant: Tenant, documents: list[Document]) -> None:
        assert list(Path(settings.MEDIA_ROOT).rglob("*.pdf"))
        Document.unscoped.filter(pk=other.pk).update(computed_cufe=a_cufe())

    monkeypatch.setattr(import_documents, "hold_series", too_late)
    with pytest.raises(Conflict, match="recorded already"):
        record(alice, content=pdf_of("x"))
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.pdf"))


def record_other(tenant: Tenant) -> Document:
    return record(tenant, told(99))


@pytest.mark.skipif(connection.vendor == "sqlite", reason="one writer at a time")
def test_twins_at_the_same_moment_are_one_document(alice: Tenant) -> None:
    start, ends = threading.Barrier(6), []

    def race() -> None:
        start.wait()
        try:
            record(alice)
            ends.append("recorded")
        except Conflict as error:
            ends.append(error.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["cufe_taken"] * 5 + ["recorded"]
    assert Document.unscoped.count() == 1


# --- many at once -------------------------------------------------------------------------------


def test_each_of_a_batch_is_judged_alone(alice: Tenant) -> None:
    record(alice, told(1))
    verdicts = batch_of(
        alice,
        told(1),
        told(2),
        told(3, total="-1.00"),
        told(2),
        told(4, cufe=a_cufe(2, security_code="000000001")),
        told(5, external_id="B"),
        told(6, external_id="B"),
    )
    assert [verdict.state for verdict in verdicts] == [
        State.KNOWN,
        State.RECORDED,
        State.REFUSED,
        State.KNOWN,
        State.REFUSED,
        State.RECORDED,
        State.REFUSED,
    ]
    refusals = [verdict.faults[0].code for verdict in verdicts if verdict.faults]
    assert refusals == ["negative", "number_taken", "external_id_taken"]
    assert Document.unscoped.count() == 3


def test_a_dry_run_judges_the_same_and_writes_nothing(alice: Tenant) -> None:
    shown = [told(1), told(2, total="-1.00"), told(1)]
    dry = batch_of(alice, *shown, dry_run=True)
    assert not Document.unscoped.exists()
    assert dry == batch_of(alice, *shown)


def test_the_notes_of_a_batch_take_no_more_than_their_invoice_has_left(alice: Tenant) -> None:
    invoice = record(alice, told(1))
    receiver = told()["receiver"]
    notes = [
        {"cufe": a_cufe(nth, document_type="04"), "receiver": receiver, "total": total}
        | {"invoice": str(invoice.pk)}
        for nth, total in enumerate(["150.00", "53.31", "53.30", "0.01", "150.00"], start=1)
    ]
    notes[4] = notes[0]
    verdicts = batch_of(alice, *notes, kind=PacDocumentType.CREDIT_NOTE)
    assert [verdict.state for verdict in verdicts] == [
        State.RECORDED,
        State.REFUSED,
        State.RECORDED,
        State.REFUSED,
        State.KNOWN,
    ]
    told_of = {fault.code for verdict in verdicts for fault in verdict.faults}
    assert told_of == {"note_exceeds_original"}
    invoice.refresh_from_db()
    assert (invoice.credited, invoice.status) == (Decimal("203.30"), "CANCELED")


def test_a_note_of_a_batch_whose_invoice_goes_meanwhile_is_refused_alone(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice = record(alice, told(1))
    hold = import_documents._hold_invoices

    def too_late(*args: Any) -> Any:
        edit.delete(invoice)
        return hold(*args)

    monkeypatch.setattr(import_documents, "_hold_invoices", too_late)
    named = {"cufe": a_cufe(2, document_type="04"), "invoice": str(invoice.pk)}
    generic = {"cufe": a_cufe(3, document_type="06")}
    verdicts = batch_of(
        alice,
        *(told() | {"total": "5.00"} | each for each in (named, generic)),
        kind=PacDocumentType.CREDIT_NOTE,
    )
    assert [verdict.state for verdict in verdicts] == [State.REFUSED, State.RECORDED]
    assert [fault.code for fault in verdicts[0].faults] == ["invoice_unknown"]


def test_a_row_that_was_beaten_keeps_back_no_other(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first look at the batch sees no conflict, and the database does."""
    record(alice, told(1, external_id="A"))
    looks: Iterator[Any] = iter([lambda tenant, documents: [None] * len(documents)])
    conflicts = import_documents.conflicts
    monkeypatch.setattr(
        import_documents, "conflicts", lambda *found: next(looks, conflicts)(*found)
    )
    verdicts = batch_of(alice, told(2, external_id="A"), told(3))
    assert [verdict.state for verdict in verdicts] == [State.REFUSED, State.RECORDED]


def test_a_batch_that_dies_leaves_nothing_of_it(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: Any, **options: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(import_documents, "note", die)
        with pytest.raises(KeyboardInterrupt):
            batch_of(alice, told(1), told(2))
    assert not Document.unscoped.exists()
    states = [verdict.state for verdict in batch_of(alice, told(1), told(2))]
    assert states == [State.RECORDED] * 2
