"""The database's own guards, against a shell, an admin page, a defect of ours."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import call_command
from django.db import IntegrityError, connection, models, transaction
from rest_framework.test import APIClient

from conftest import body, work
from invoicing import guards
from invoicing.models import Document, DocumentLine
from pac.sandbox import Sandbox
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

OTHERS = {
    "CharField": "9",
    "TextField": "other",
    "DecimalField": Decimal("999.99"),
    "DateTimeField": datetime(2001, 1, 1, tzinfo=UTC),
    "PositiveSmallIntegerField": 9,
    "JSONField": [{"changed": True}],
    "WireJSONField": {"changed": True},
}


def other_value(name: str) -> Any:
    field = next(f for f in Document._meta.concrete_fields if f.column == name)
    if isinstance(field, models.ForeignKey):
        return uuid.uuid4()
    return OTHERS[field.get_internal_type() if name != "pac_input" else "WireJSONField"]


def refused(message: str, change: Callable[[], object]) -> None:
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        change()


def row(document: Document) -> Any:
    return Document.unscoped.filter(pk=document.pk)


@pytest.fixture
def unsent(api: APIClient) -> Document:
    return Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])


@pytest.fixture
def sent(unsent: Document) -> Document:
    row(unsent).update(attempts=1, submission_state="UNCERTAIN", pac_input={"as": "sent"})
    unsent.refresh_from_db()
    return unsent


@pytest.fixture
def judged(sent: Document) -> Document:
    row(sent).update(
        legal_status="DGI_AUTHORIZED",
        document_id="01DOCUMENT0000000000000000",
        invoice_number=sent.computed_cufe,
        submission_state="DONE",
    )
    sent.refresh_from_db()
    return sent


# --- content ------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", [*guards.CONTENT, "pac_input"])
def test_no_content_of_a_sent_document_changes(column: str, sent: Document) -> None:
    field = next(f for f in Document._meta.concrete_fields if f.column == column)
    refused(
        "was sent to the PAC does not change",
        lambda: row(sent).update(**{field.attname: other_value(column)}),
    )


def test_everything_that_the_payload_is_made_of_is_guarded() -> None:
    free = (
        "id created_at updated_at external_id due_date emails metadata paid credited status "
        "legal_status invoice_number document_id qr_code_url authorization_protocol authorized_at "
        "pac_input pac_response pac_errors warnings submission_state attempts doubtful_since "
        "queued_at next_attempt_at lease_expires_at next_poll_at polls setbacks lost_at "
        "lost_leases submission_error hinted_document_id voided_at canceled_at customer_id "
        "handled_at"
    )
    columns = {field.column for field in Document._meta.concrete_fields}
    unknown = columns - set(guards.CONTENT) - set(free.split())
    assert unknown == set(), "Is it part of what is sent? Then guard it, else call it free here."


def test_content_and_attempts_do_not_go_in_one_stroke(sent: Document) -> None:
    refused("does not change", lambda: row(sent).update(attempts=0, total=1))


def test_what_is_no_content_of_a_sent_document_moves(sent: Document) -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert row(sent).update(
        status="PAID",
        paid=1,
        credited=1,
        next_poll_at=now,
        metadata={"a": "b"},
        emails=["a@b.test"],
        warnings=[{"code": "c", "message": "m"}],
        attempts=2,
        pac_response={"id": "x"},
        legal_status="PAC_AUTHORIZED",
        document_id="01X",
        invoice_number=sent.computed_cufe,
    )


def test_a_sent_document_can_be_saved_whole_as_it_is(judged: Document) -> None:
    found = Document.unscoped.get(pk=judged.pk)
    found.save()


def test_a_send_that_never_arrived_is_taken_back(sent: Document) -> None:
    assert row(sent).update(attempts=0, submission_state="FAILED")
    assert row(sent).update(total=1, number="0000000002", pac_input=None)


def test_a_send_that_the_pac_answered_is_not_taken_back(judged: Document) -> None:
    refused("was sent to it", lambda: row(judged).update(attempts=0))


def test_an_unsent_document_changes_and_goes(unsent: Document) -> None:
    for column in guards.CONTENT:
        if column not in {"tenant_id", "office_id", "invoice_id"}:
            field = next(f for f in Document._meta.concrete_fields if f.column == column)
            with transaction.atomic():
                assert row(unsent).update(**{field.attname: other_value(column)}) == 1
                transaction.set_rollback(True)
    unsent.lines.all().update(description="changed")
    unsent.lines.all().delete()
    unsent.history.all().delete()
    assert row(unsent)._raw_delete("default") == 1


# --- identity and verdict -----------------------------------------------------------------------


@pytest.mark.parametrize("column", ["invoice_number", "document_id"])
@pytest.mark.parametrize("value", [None, "", "another"])
def test_what_the_pac_named_it_stays(column: str, value: str | None, sent: Document) -> None:
    assert row(sent).update(document_id="01X", invoice_number=sent.computed_cufe)
    refused("do not change", lambda: row(sent).update(**{column: value}))


@pytest.mark.parametrize("verdict", ["DGI_AUTHORIZED", "DGI_REJECTED", "PAC_REJECTED"])
@pytest.mark.parametrize("after", [None, "PAC_AUTHORIZED", "DGI_AUTHORIZED", "DGI_REJECTED", ""])
def test_a_terminal_verdict_does_not_move(verdict: str, after: str | None, sent: Document) -> None:
    row(sent).update(legal_status=verdict, document_id="01X", invoice_number=sent.computed_cufe)
    if after == verdict:
        assert row(sent).update(legal_status=after) == 1
    else:
        refused("terminal legal status", lambda: row(sent).update(legal_status=after))


def test_a_verdict_moves_forwards(sent: Document) -> None:
    named = {"document_id": "01X", "invoice_number": sent.computed_cufe}
    assert row(sent).update(legal_status="PAC_AUTHORIZED", **named)
    assert row(sent).update(legal_status="DGI_AUTHORIZED")


# --- deletion -----------------------------------------------------------------------------------


def test_a_sent_document_is_not_deleted(sent: Document) -> None:
    refused("not deleted", lambda: row(sent)._raw_delete("default"))
    refused("not deleted", sent.delete)
    table = Document._meta.db_table
    refused("not deleted", lambda: execute(f"DELETE FROM {table}"))  # noqa: S608


JUDGED = {"legal_status": "DGI_AUTHORIZED", "document_id": "01X", "submission_state": "NONE"}


def test_a_document_that_has_a_verdict_is_not_deleted(unsent: Document) -> None:
    """Whatever says that it was never sent: the verdict alone keeps it."""
    row(unsent).update(**JUDGED, invoice_number=unsent.computed_cufe)
    refused("not deleted", lambda: row(unsent)._raw_delete("default"))


def test_an_import_goes_with_its_verdict(unsent: Document) -> None:
    """Another system sent it: here it is only known of."""
    imported = {"generation_mode": "DGI_IMPORT", "invoice_number": unsent.computed_cufe}
    row(unsent).update(**JUDGED, **imported)
    unsent.lines.all().delete()
    unsent.history.all().delete()
    assert row(unsent)._raw_delete("default") == 1


def test_what_was_sent_is_kept_also_where_it_calls_itself_an_import(unsent: Document) -> None:
    imported = {"generation_mode": "DGI_IMPORT", "invoice_number": unsent.computed_cufe}
    row(unsent).update(**JUDGED, **imported, attempts=1)
    refused("not deleted", lambda: row(unsent)._raw_delete("default"))
    refused("does not change", lambda: row(unsent).update(generation_mode="DGI"))


def execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


# --- lines --------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["description", "unit_price", "total", "number", "itbms_rate"])
def test_no_line_of_a_sent_document_changes(column: str, sent: Document) -> None:
    refused("line that was sent", lambda: sent.lines.all().update(**{column: 7}))


def test_no_line_of_a_sent_document_is_deleted(sent: Document) -> None:
    refused("line that was sent", lambda: sent.lines.all().delete())


def test_a_sent_document_gets_no_more_lines(sent: Document) -> None:
    line = sent.lines.get()
    line.pk, line.number, line._state.adding = uuid.uuid4(), 2, True
    refused("no more lines", lambda: DocumentLine.unscoped.bulk_create([line]))


def test_no_line_is_moved_into_or_out_of_a_sent_document(sent: Document, api: APIClient) -> None:
    other = Document.unscoped.get(pk=api.post("/api/v1/invoices", body()).data["id"])
    other.lines.all().update(number=2)
    refused("line that was sent", lambda: other.lines.all().update(owner=sent))
    refused("line that was sent", lambda: sent.lines.all().update(owner=other))


@pytest.mark.django_db(transaction=True)
def test_the_whole_journey_passes_them_also_with_a_lost_answer(
    api: APIClient, box: Sandbox
) -> None:
    box.options.error_after_next = 1
    pk = api.post("/api/v1/invoices", body()).data["id"]
    work()
    document = Document.unscoped.get(pk=pk)
    assert document.is_fiscally_valid()
    refused("not deleted", lambda: row(document)._raw_delete("default"))


# --- being there --------------------------------------------------------------------------------


def test_they_are_there_and_making_them_again_is_harmless() -> None:
    assert guards.missing() == set()
    guards.install()
    guards.install()
    assert guards.missing() == set()


@pytest.fixture
def _after() -> Iterator[None]:
    yield
    guards.install()


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("_after")
class TestMigrations:
    def test_migrate_brings_back_what_is_missing(self) -> None:
        guards.remove()
        assert len(guards.missing()) == 8
        call_command("migrate", verbosity=0)
        assert guards.missing() == set()

    def test_a_migration_that_remakes_a_table_is_not_stopped_by_them(self, alice: Tenant) -> None:
        """SQLite refuses to rename a table while a trigger speaks of one that is gone."""
        if connection.vendor != "sqlite":
            pytest.skip("only SQLite remakes tables")
        from invoicing import apps

        old = Document._meta.get_field("security_code")
        new = models.CharField(max_length=12, blank=True)
        new.set_attributes_from_name("security_code")
        new.model = Document
        apps.before_migrate(plan=["a migration"])
        with connection.schema_editor() as editor:
            editor.alter_field(Document, old, new)
            editor.alter_field(Document, new, old)
        apps.after_migrate()
        assert guards.missing() == set()

    def test_a_migrate_with_nothing_to_do_leaves_them_alone(self) -> None:
        from invoicing import apps

        apps.before_migrate(plan=[])
        assert guards.missing() == set()


def test_without_its_tables_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "DOCUMENT", "no_such_table")
    guards.install()


def test_a_guard_that_is_switched_off_counts_as_missing() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no such switch")
    with transaction.atomic():
        execute("ALTER TABLE invoicing_document DISABLE TRIGGER document_sent_is_kept")
        assert guards.missing() == {"document_sent_is_kept"}
        transaction.set_rollback(True)


# --- the system check -----------------------------------------------------------------------------


def database_check(databases: list[str] | None) -> list[str]:
    found = run_checks(tags=[Tags.database], databases=databases)
    return [message.id or "" for message in found if (message.id or "").startswith("invoicing.")]


def test_the_check_is_content_when_all_are_there() -> None:
    assert database_check(["default"]) == []


def test_the_check_names_a_missing_one_and_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "missing", lambda: {"line_sent_is_kept"})
    assert database_check(["default"]) == ["invoicing.E001"]
    (error,) = [
        message
        for message in run_checks(tags=[Tags.database], databases=["default"])
        if message.id == "invoicing.E001"
    ]
    assert error.is_serious()
    assert "line_sent_is_kept" in error.msg
    assert "migrate" in (error.hint or "")


@pytest.mark.parametrize("databases", [None, []])
def test_the_check_asks_no_database_unless_it_is_named(
    databases: list[str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guards, "missing", lambda: pytest.fail("asked the database"))
    assert database_check(databases) == []


def test_the_check_does_not_stop_migrate_which_is_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(guards, "missing", lambda: {"line_sent_is_kept"})
    monkeypatch.setattr(sys, "argv", ["manage.py", "migrate", "--noinput"])
    assert database_check(["default"]) == []
