"""A stored proforma as the body that would make it: what a PATCH starts from."""

from __future__ import annotations

from typing import Any

from invoicing.api.outputs import InvoiceOutput
from invoicing.models import Document

TAKEN_OVER = [
    "generation_mode",
    "dgi_document_type",
    "billing_point",
    "office",
    "external_id",
    "issued_at",
    "due_date",
    "nature",
    "destination",
    "sale_type",
    "issue_type",
    "exportation",
    "contingency",
    "payment_time",
    "payment_methods",
    "installments",
    "retention_code",
    "emails",
    "notes",
    "metadata",
    "discounts",
]
EXPENSES = ("freight", "insurance", "other_expenses")
LINE_FIELDS = [
    "code",
    "description",
    "quantity",
    "unit",
    "unit_price",
    "unit_discount",
    "itbms_rate",
    "cpbs_code",
    "isc_rate",
    "isc_amount",
    "other_taxes",
]
# What follows from the rest is worked out anew when that changes.
DERIVED = {
    "lines": ("payment_methods", "installments"),
    "due_date": ("installments", "payment_time", "payment_methods"),
    "payment_time": ("payment_methods", "installments"),
    "payment_methods": ("installments", "payment_time"),
}


def patched_body(document: Document, changes: Any) -> Any:
    """The whole body of a proforma with `changes` over it: fields that are left out stay, but for
    those which follow from a changed one."""
    if not isinstance(changes, dict):
        return changes
    body = _body(document)
    for changed in changes:
        for derived in DERIVED.get(changed, ()):
            body.pop(derived, None)
    return body | changes


def _body(document: Document) -> dict[str, Any]:
    shown = InvoiceOutput(document).data
    body = {name: shown[name] for name in TAKEN_OVER if shown[name] is not None}
    body |= {name: shown["totals"][name] for name in EXPENSES}
    if document.retention_code == "8":
        body["retention_amount"] = shown["totals"]["retention"]
    receiver = {name: value for name, value in shown["receiver"].items() if value}
    lines = [{name: line[name] for name in LINE_FIELDS} for line in shown["lines"]]
    return body | {"receiver": receiver, "lines": lines}
