"""A stored proforma as the body that would make it: what a PATCH starts from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from invoicing.api.outputs import shown
from invoicing.fiscal.originals import LINE_AS_STORED
from invoicing.models import Document
from pac.dgi.codes import METHOD_CASH, METHOD_CREDIT

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
    "customer",
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
LINE_FIELDS = (*LINE_AS_STORED, "other_taxes")
# What a document comes to, and on which terms: the payment follows from these.
TERMS = {
    "lines",
    "discounts",
    "freight",
    "insurance",
    "other_expenses",
    "due_date",
    "payment_time",
    "payment_methods",
}


def patched_body(document: Document, changes: Any) -> Any:
    """The whole body of a proforma with `changes` over it: fields that are left out stay.

    A payment that was worked out from what is changed is worked out anew; one that says more than
    that (a transfer, two installments) is the client's own and stays, right or wrong.
    """
    if not isinstance(changes, dict):
        return changes
    body = _body(document)
    if "receiver" in changes:
        body.pop("customer", None)
    if changes.get("customer") is not None:
        body.pop("receiver")
    if not {"receiver", "customer"} <= body.keys() and _withholds_by_default(document):
        body.pop("retention_code")
        body.pop("retention_amount", None)
    if changes.keys() & TERMS:
        if _pays_in_one(document):
            body.pop("payment_methods")
        if _falls_due_in_one(document):
            body.pop("installments")
    if changes.keys() & {"due_date", "payment_methods"}:
        body.pop("payment_time")
    return body | changes


def _withholds_by_default(document: Document) -> bool:
    """Whether the retention code is the one that the customer brought with it."""
    code = document.retention_code
    return bool(code and document.customer and document.customer.retention_code == code)


def _pays_in_one(document: Document) -> bool:
    """Whether the forms of payment are those that `complete_payment` works out."""
    methods = [(item["method"], Decimal(item["amount"])) for item in document.payment_methods]
    return methods in ([(METHOD_CASH, document.total)], [(METHOD_CREDIT, document.total)])


def _falls_due_in_one(document: Document) -> bool:
    """Whether the installments are those that `complete_payment` works out."""
    return not document.installments or [
        str(part["due_date"]) for part in document.installments
    ] == [str(document.due_date)]


def _body(document: Document) -> dict[str, Any]:
    answer = shown(document)
    body = {name: answer[name] for name in TAKEN_OVER if answer[name] is not None}
    body |= {name: answer["totals"][name] for name in EXPENSES}
    if document.retention_code == "8":
        body["retention_amount"] = answer["totals"]["retention"]
    receiver = {name: value for name, value in answer["receiver"].items() if value}
    lines = [{name: line[name] for name in LINE_FIELDS} for line in answer["lines"]]
    return body | {"receiver": receiver, "lines": lines}
