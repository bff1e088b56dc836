"""A note beside its invoice: what is known of both has to fit."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from invoicing.fiscal import note_rules
from invoicing.fiscal.draft import Original, Receiver
from invoicing.tests.fiscal import NOW, RUC, draft, foreigner, receiver

IDENTITY = ("CONTRIBUYENTE", RUC, "")
INVOICE = Original(NOW, Decimal("107.00"), Decimal(0), True, False, IDENTITY)
SECOND = timedelta(seconds=1)


def faults_of(original: Original = INVOICE, **changes: Any) -> list[tuple[str, str, str | None]]:
    made = draft(document_type="02", dgi_document_type="04", original=original, **changes)
    return [(fault.path, fault.code, fault.dgi) for fault in note_rules.original(made)]


def test_a_note_that_fits_its_invoice_has_no_fault() -> None:
    assert faults_of() == []


@pytest.mark.parametrize(
    ("identity", "other", "differs"),
    [
        (IDENTITY, receiver(ruc="8-274-125"), True),
        (IDENTITY, receiver(type="GOBIERNO"), True),
        (IDENTITY, foreigner(), True),
        (("CONSUMIDOR_FINAL", "", ""), receiver(type="CONSUMIDOR_FINAL"), True),
        # Of an import nobody may have told all of it.
        (("", RUC, ""), receiver(), False),
        (("", RUC, ""), receiver(ruc="8-274-125"), True),
        (("", "", "900123456-7"), foreigner(foreign_number="9"), True),
        (("", "", ""), receiver(), False),
        (IDENTITY, Receiver(), False),
    ],
)
def test_the_receiver_is_that_of_the_invoice_as_far_as_both_are_known(
    identity: tuple[str, str, str], other: Receiver, differs: bool
) -> None:
    found = faults_of(replace(INVOICE, receiver_identity=identity), receiver=other)
    assert found == ([("receiver", "receiver_differs", "1710")] if differs else [])


MORNING = NOW.replace(hour=0, minute=0)


@pytest.mark.parametrize(
    ("mode", "issued_at", "is_before"),
    [
        ("DGI", NOW, False),
        ("DGI", NOW - SECOND, True),
        # The PAC is told whole seconds.
        ("DGI", NOW.replace(microsecond=1), False),
        # Of an import the CUFE tells the day.
        ("DGI_IMPORT", MORNING, False),
        ("DGI_IMPORT", MORNING - SECOND, True),
    ],
)
def test_a_note_is_not_dated_before_its_invoice(
    mode: str, issued_at: datetime, is_before: bool
) -> None:
    invoice = replace(INVOICE, issued_at=NOW.replace(microsecond=999_999))
    found = faults_of(invoice, generation_mode=mode, issued_at=issued_at)
    assert found == ([("issued_at", "note_before_original", "1702")] if is_before else [])


@pytest.mark.parametrize("mode", ["DGI", "PROFORM"])
def test_an_invoice_whose_void_is_under_way_is_referenced_by_none(mode: str) -> None:
    invoice = replace(INVOICE, is_being_voided=True)
    # The DGI's code for it is that of a void invoice, which this may never be.
    assert faults_of(invoice, generation_mode=mode) == [("invoice", "original_void", None)]
    void = replace(invoice, is_void=True)
    assert faults_of(void, generation_mode=mode) == [("invoice", "original_void", "1718")]
