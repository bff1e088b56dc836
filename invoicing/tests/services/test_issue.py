"""The service that issues: one transaction, or nothing at all."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from invoicing import bell
from invoicing.errors import InvalidDocument
from invoicing.fiscal.draft import Fault
from invoicing.models import Document, DocumentLine, IdempotencyRecord, Payment
from invoicing.services import issue as service
from invoicing.services.idempotency import IdempotencyKey
from invoicing.services.issue import issue, payments_at_issue
from invoicing.tests.api import stored
from invoicing.tests.fiscal import consumer, draft, line
from tenants.errors import Busy, Conflict
from tenants.models import Tenant

pytestmark = pytest.mark.django_db

KEY = IdempotencyKey.of("k", "POST", "/api/v1/invoices", {"a": 1})


def sale(**changes: Any) -> Any:
    return draft(receiver=consumer(), due_date=None, issued_at=timezone.now(), **changes)


def fail_for(model: Any) -> Any:
    """A `bulk_create` that fails for the rows of one model."""
    genuine = QuerySet.bulk_create

    def bulk_create(self: Any, *arguments: Any, **options: Any) -> Any:
        if self.model is model:
            raise RuntimeError("the power is cut")
        return genuine(self, *arguments, **options)

    return bulk_create


def made(tenant: Tenant, **options: Any) -> Any:
    return issue(
        tenant=tenant, draft=sale(), render=lambda document: {"id": str(document.pk)}, **options
    )


def test_a_number_is_used_if_and_only_if_the_document_is_kept(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alice)
    before = stored()
    for broken in ("note", "take_number"):
        with monkeypatch.context() as patch:
            patch.setattr(service, broken, lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                made(alice)
        assert stored() == before
    assert made(alice).document.number == "0000000002"


@pytest.mark.parametrize("model", [DocumentLine, Payment])
def test_a_document_whose_parts_cannot_be_stored_is_not_kept(
    model: Any, alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(alice)
    before = stored()

    with monkeypatch.context() as patch:
        patch.setattr(QuerySet, "bulk_create", fail_for(model))
        with pytest.raises(RuntimeError):
            made(alice)
    assert stored() == before


def test_the_bell_rings_after_the_commit_and_only_then(
    alice: Tenant, django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rung: list[bool] = []
    monkeypatch.setattr(bell, "ring", lambda *_: rung.append(True))
    with django_capture_on_commit_callbacks() as callbacks:
        made(alice)
        assert not rung
    assert len(callbacks) == 1


def test_a_proforma_wakes_nobody(alice: Tenant, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        issue(tenant=alice, draft=sale(generation_mode="PROFORM"), render=lambda document: {})
    assert not callbacks


def test_faults_that_reading_found_already_are_told_with_the_others(alice: Tenant) -> None:
    before = stored()
    with pytest.raises(InvalidDocument) as caught:
        issue(
            tenant=alice,
            draft=sale(nature="99", broken=frozenset({"freight"})),
            faults=[Fault("freight", "invalid", "Not understood.")],
            render=lambda document: {},
            idempotency=KEY,
        )
    assert [fault.path for fault in caught.value.faults] == ["freight", "nature"]
    assert stored() == before


def test_what_was_answered_is_kept_with_the_key(alice: Tenant) -> None:
    first = made(alice, idempotency=KEY)
    record = IdempotencyRecord.unscoped.get()
    assert (record.key, record.status_code) == ("k", 201)
    assert json.loads(record.answer) == first.answer
    again = made(alice, idempotency=KEY)
    assert again.replayed
    assert again.document is None
    assert (again.answer, again.status_code) == (first.answer, 201)


def test_a_key_that_stood_for_another_request_is_a_conflict(alice: Tenant) -> None:
    made(alice, idempotency=KEY)
    other = IdempotencyKey.of("k", "POST", "/api/v1/invoices", {"a": 2})
    with pytest.raises(Conflict) as caught:
        made(alice, idempotency=other)
    assert caught.value.code == "idempotency_conflict"


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        (("POST", "/a", {"a": 1, "b": 2}), ("POST", "/a", {"b": 2, "a": 1}), True),
        (("POST", "/a", {}), ("PATCH", "/a", {}), False),
        (("POST", "/a", {}), ("POST", "/b", {}), False),
        (("POST", "/a", {"a": "1"}), ("POST", "/a", {"a": 1}), False),
        (("POST", "/a", {"a": None}), ("POST", "/a", {}), False),
        (("POST", "/a", ["x", "y"]), ("POST", "/a", ["y", "x"]), False),
    ],
)
def test_a_fingerprint_is_of_method_path_and_canonical_body(
    first: Any, second: Any, same: bool
) -> None:
    assert (
        IdempotencyKey.of("k", *first).fingerprint == IdempotencyKey.of("k", *second).fingerprint
    ) is same


@pytest.mark.parametrize(("key", "error"), [(None, Busy), (KEY, Conflict)])
def test_a_series_that_somebody_holds_too_long_is_busy(
    key: IdempotencyKey | None, error: Any, alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**_: Any) -> str:
        raise OperationalError("database is locked")

    monkeypatch.setattr(service, "take_number", locked)
    with pytest.raises(error):
        made(alice, idempotency=key)
    assert not Document.unscoped.exists()


def test_a_database_that_is_away_is_not_called_busy(
    alice: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> str:
        raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr(service, "take_number", away)
    with pytest.raises(OperationalError):
        made(alice, idempotency=KEY)


def test_a_security_code_is_never_zero_and_never_the_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = iter([122, 0])
    monkeypatch.setattr(service.secrets, "randbelow", lambda _: next(drawn))
    assert service._security_code("0000000123") == "000000001"


def test_the_cufe_counts_the_day_in_panama(alice: Tenant) -> None:
    late = timezone.now().replace(year=2026, month=3, day=2, hour=4, minute=30)  # UTC
    issued = issue(
        tenant=alice,
        draft=draft(receiver=consumer(), due_date=None, issued_at=late),
        render=lambda document: {},
    )
    assert issued.document is not None
    assert issued.document.computed_cufe is not None
    assert "20260301" in issued.document.computed_cufe
    assert len(issued.document.computed_cufe) == len("FE") + 64


def test_the_environment_of_the_tenant_is_in_the_cufe(alice: Tenant, settings: Any) -> None:
    settings.PAC_ENVIRONMENT = 1
    issued = made(alice)
    assert issued.document.computed_cufe[55] == str(int(alice.environment))


@pytest.mark.parametrize(
    ("methods", "total", "retention", "payments"),
    [
        ([("02", "100.00")], "100.00", "0.00", [("02", "100.00")]),
        ([("02", "120.00")], "100.00", "0.00", [("02", "100.00")]),
        ([("02", "50.00"), ("02", "70.00")], "100.00", "0.00", [("02", "30.00"), ("02", "70.00")]),
        ([("02", "20.00"), ("03", "100.00")], "100.00", "0.00", [("03", "100.00")]),
        ([("01", "100.00")], "100.00", "3.50", []),
        ([("01", "2.00"), ("08", "98.00")], "100.00", "3.50", [("08", "96.50")]),
        ([("08", "3.00"), ("02", "97.00")], "100.00", "3.50", [("02", "93.50"), ("08", "3.00")]),
        ([("02", "3.00"), ("08", "97.00")], "100.00", "3.50", [("08", "96.50")]),
        ([("02", "0.00")], "0.00", "0.00", []),
        ([("02", "100.00")], "100.00", "100.00", []),
    ],
)
def test_what_is_received_is_the_total_less_change_credit_and_withholding(
    methods: list[tuple[str, str]],
    total: str,
    retention: str,
    payments: list[tuple[str, str]],
    alice: Tenant,
) -> None:
    document = Document(
        tenant=alice,
        total=Decimal(total),
        retention=Decimal(retention),
        payment_methods=[{"method": method, "amount": amount} for method, amount in methods],
        issued_at=timezone.now(),
    )
    found = payments_at_issue(document)
    assert [(payment.method, str(payment.amount)) for payment in found] == payments


def test_a_line_knows_what_it_comes_to(alice: Tenant) -> None:
    issue(
        tenant=alice,
        draft=sale(lines=[line(quantity=Decimal("3"), unit_price=Decimal("0.335"))]),
        render=lambda document: {},
    )
    stored_line = DocumentLine.unscoped.get()
    assert (stored_line.net, stored_line.itbms, stored_line.total) == (
        Decimal("1.01"),
        Decimal("0.07"),
        Decimal("1.08"),
    )


def test_issuing_inside_a_transaction_that_is_undone_leaves_nothing(alice: Tenant) -> None:
    made(alice)
    before = stored()

    with transaction.atomic():
        made(alice)
        transaction.set_rollback(True)
    assert stored() == before
