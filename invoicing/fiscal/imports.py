"""An invoice issued elsewhere, as somebody tells it: what its CUFE says, and what is wrong (pure).

The DGI judged the document already. What a person repeats of it must agree with its CUFE; what is
left out is taken from there. The arithmetic and the rules for lines, receiver and payment are those
of issuing; what only the DGI had to be told (the data of an export, the reason of a contingency)
need not be told again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from invoicing.fiscal import line_rules, note_rules, payment_rules, receiver_rules, rules
from invoicing.fiscal.complete import Reckoning, complete, complete_payment, reckon
from invoicing.fiscal.draft import ZERO, Draft, Fault, Receiver
from pac.dgi import amounts, cufe, qr
from pac.dgi.amounts import Totals
from pac.dgi.calendar import noon_panama, panama_date
from pac.dgi.codes import Environment
from pac.dgi.cufe import Cufe, MalformedCufe
from pac.dgi.ruc import RucType

# The fields of a request that the CUFE knows, by its own names for them.
SAID_BY_THE_CUFE = {
    "office": "branch",
    "billing_point": "billing_point",
    "number": "number",
    "dgi_document_type": "document_type",
    "issue_type": "issue_type",
    "issued_at": "issued_on",
}
# What only the DGI had to be told; and a note that it let pass is older than its invoice's void.
LET_PASS = {"exportation_required", "contingency_required", "original_void"}
OF_THE_LINES = ("discounts", "freight", "insurance", "other_expenses")
WITHHELD_AS_GIVEN = "8"
# By Cifras's document type: what it is called, the fault of another, and the DGI's types of it.
KINDS = {
    "01": ("an invoice", "not_an_invoice", rules.INVOICE_TYPES),
    "02": ("a credit note", "not_a_credit_note", frozenset({"04", "06"})),
    "03": ("a debit note", "not_a_debit_note", frozenset({"05", "07"})),
}
PAC_ID = re.compile("[0-9A-Za-z_-]{1,26}")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who the tenant is before the DGI."""

    ruc: str
    ruc_type: RucType
    dv: str
    environment: Environment


@dataclass(slots=True)
class ImportDraft:
    """What is known of an invoice or a note issued elsewhere.

    `told` holds what was said of things that the CUFE knows. `total` (B/.) stands in for lines that
    are left out. `from_file`: read from its QR, so that receiver and total may be unknown.
    """

    draft: Draft
    cufe: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    total: Decimal | None = None
    document_id: str = ""
    qr_code_url: str = ""
    from_file: bool = False
    invoice_id: UUID | None = None  # of a note: the invoice that it corrects, if we have it
    parsed: Cufe | None = None

    @property
    def is_total_known(self) -> bool:
        return self.total is not None or bool(self.draft.lines)

    @property
    def is_receiver_told(self) -> bool:
        return self.draft.receiver != Receiver() or not self.draft.sound("receiver")


def check(
    wanted: ImportDraft, issuer: Issuer, *, now: datetime
) -> tuple[list[Fault], Reckoning | None]:
    """Every fault of an import, and what it comes to (None where that cannot be known).

    Fills in, in place, what the CUFE says and what follows from the rest.
    """
    draft = wanted.draft
    found = [*_cufe(wanted, issuer), *_references(wanted), *_total(wanted)]
    if not (wanted.is_receiver_told or wanted.from_file):
        found.append(Fault("receiver", "required", "Say who received it, or name a customer."))
    complete(draft, now=now, billing_point=draft.billing_point)
    for rule in _rules(wanted, now):
        found += [fault for fault in rule(draft) if fault.code not in LET_PASS]
    found = [_at_its_source(fault, wanted) for fault in found]
    reckoning = _reckoning(wanted, found)
    if reckoning is None:
        return found, None
    found += rules.amounts_too_large(reckoning)
    if wanted.is_total_known:
        found += _paid(draft, reckoning, found)
        found += beside_its_invoice(wanted, reckoning)
        if wanted.total not in {None, reckoning.totals.total}:
            message = f"The lines come to {reckoning.totals.total}, not {wanted.total}."
            found.append(Fault("total", "total_mismatch", message))
    return found, reckoning


def beside_its_invoice(wanted: ImportDraft, reckoning: Reckoning) -> Iterator[Fault]:
    """What is wrong with what a note of a known total takes from its invoice, where we have that.

    Part of `check`; asked again where the invoice may have less left by now.
    """
    if not wanted.is_total_known:
        return
    for fault in note_rules.amounts(wanted.draft, reckoning):
        path = "total" if fault.path == "lines" and not wanted.draft.lines else fault.path
        yield Fault(path, fault.code, fault.message, fault.dgi)


def warnings(wanted: ImportDraft, issuer: Issuer) -> list[dict[str, str]]:
    """What is not wrong and yet worth knowing, for the document's `warnings`."""
    found = []
    if wanted.parsed and wanted.parsed.environment != issuer.environment:
        found.append(
            (
                "other_environment",
                f"The CUFE is of environment {int(wanted.parsed.environment)}; "
                f"this tenant issues in {int(issuer.environment)} (1 production, 2 test).",
            )
        )
    if not wanted.is_total_known:
        found.append(
            (
                "total_unknown",
                "The QR does not tell the total, which stands as 0.00. To give it, delete this "
                "import and send it again with `total` or `lines`.",
            )
        )
    return [{"code": code, "message": message} for code, message in found]


def _cufe(wanted: ImportDraft, issuer: Issuer) -> Iterator[Fault]:
    """What is wrong with the CUFE, or with what was told beside it. Takes from it what it says."""
    draft = wanted.draft
    if not draft.sound("cufe"):
        return
    try:
        parsed = wanted.parsed = cufe.parse(wanted.cufe)
    except MalformedCufe as error:
        yield Fault("cufe", "cufe_malformed", f"This is no CUFE: {error}.")
        return
    draft.office = parsed.branch
    draft.billing_point = parsed.billing_point
    draft.dgi_document_type = parsed.document_type
    draft.issue_type = parsed.issue_type
    draft.issued_at = wanted.told.get("issued_at") or noon_panama(parsed.issued_on)
    if (parsed.ruc, parsed.ruc_type, parsed.dv) != (issuer.ruc, issuer.ruc_type, issuer.dv):
        yield Fault(
            "cufe",
            "cufe_of_another_issuer",
            f"{parsed.ruc} DV {parsed.dv} ({parsed.ruc_type}) issued this, not "
            f"{issuer.ruc} DV {issuer.dv} ({issuer.ruc_type}).",
        )
    what, code, types = KINDS[draft.document_type]
    if parsed.document_type not in types:
        yield Fault(
            "cufe",
            code,
            f"The CUFE is of a document of type {parsed.document_type}; {what} is one of "
            f"{', '.join(sorted(types))}.",
        )
    for name, value in wanted.told.items():
        said = getattr(parsed, SAID_BY_THE_CUFE[name])
        if (panama_date(value) if name == "issued_at" else value) != said:
            yield Fault(name, "cufe_mismatch", f"The CUFE says {said}.")


def _references(wanted: ImportDraft) -> Iterator[Fault]:
    """The PAC's id and the QR's link belong to this CUFE, as far as can be seen."""
    if wanted.document_id and not PAC_ID.fullmatch(wanted.document_id):
        yield Fault(
            "document_id", "document_id_malformed", "An id of the PAC has 26 digits and letters."
        )
    if wanted.qr_code_url:
        named = qr.cufe_in(wanted.qr_code_url)
        if named is None:
            yield Fault("qr_code_url", "qr_not_dgi", "The link of a QR leads to the DGI.")
        elif named != wanted.cufe:
            yield Fault("qr_code_url", "cufe_mismatch", "The link is of another CUFE.")


def _total(wanted: ImportDraft) -> Iterator[Fault]:
    """A total without lines: what follows from lines cannot be told beside it."""
    draft = wanted.draft
    if not draft.sound("total", "lines"):
        return
    if wanted.total is None:
        if not (draft.lines or wanted.from_file):
            yield Fault("total", "required", "Give the lines, or the total without them.")
        return
    if wanted.total < ZERO:
        yield Fault("total", "negative", "A total is not negative.")
    if draft.lines:
        return
    for name in OF_THE_LINES:
        if draft.sound(name) and getattr(draft, name):
            yield Fault(name, "lines_required", "This goes with lines; the total includes it.")
    if draft.retention_code not in {None, WITHHELD_AS_GIVEN}:
        yield Fault(
            "retention_code",
            "lines_required",
            "What is withheld follows from the lines. Give them, or code 8 with its amount.",
        )


def _rules(wanted: ImportDraft, now: datetime) -> Iterator[rules.Rule]:
    if wanted.parsed and wanted.parsed.document_type in KINDS[wanted.draft.document_type][2]:
        yield rules.document_type
        yield rules.exportation
        if wanted.draft.original:  # a note may also be of an invoice that we do not have
            yield note_rules.note_type
    yield note_rules.original
    if wanted.parsed:
        yield rules.dates_of(now)
        yield rules.emission
    if wanted.is_receiver_told:
        yield from receiver_rules.RULES
    if wanted.draft.lines:
        yield from line_rules.RULES
    if wanted.is_total_known:
        yield from payment_rules.RULES_BEFORE_TOTAL


def _at_its_source(fault: Fault, wanted: ImportDraft) -> Fault:
    """What the CUFE says wrongly is a fault of the CUFE, unless it was told beside it."""
    if fault.path in SAID_BY_THE_CUFE and fault.path not in wanted.told:
        return Fault("cufe", fault.code, fault.message, fault.dgi)
    return fault


def _reckoning(wanted: ImportDraft, found: list[Fault]) -> Reckoning | None:
    draft = wanted.draft
    touched = _touched(draft, found)
    if touched & {"lines", "total", *OF_THE_LINES}:
        return None
    if touched & {"retention_code", "retention_amount"}:
        draft.retention_code = None
    if draft.lines:
        return reckon(draft)
    total = ZERO if wanted.total is None else amounts.cents(wanted.total)
    retention = draft.retention_amount if draft.retention_code else None
    totals = Totals(
        net=ZERO, itbms=ZERO, isc=ZERO, other_taxes=ZERO, taxes=ZERO, discount=ZERO, total=total
    )
    return Reckoning([], totals, retention or ZERO)


def _paid(draft: Draft, reckoning: Reckoning, found: list[Fault]) -> Iterator[Fault]:
    how = {"payment_time", "payment_methods", "installments", "due_date"}
    if not _touched(draft, found) & how:
        complete_payment(draft, reckoning.totals.total)
    yield from payment_rules.check_money(draft, reckoning)


def _touched(draft: Draft, found: list[Fault]) -> set[str]:
    """The fields of the request in which something is wrong."""
    return {path.partition(".")[0] for path in (*draft.broken, *(fault.path for fault in found))}
