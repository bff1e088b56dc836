"""From a stored document back to a draft: what a note starts from, and what is judged again."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from invoicing.fiscal import draft as fiscal
from invoicing.fiscal.draft import Draft, Original
from invoicing.fiscal.note_rules import IMPORTED
from pac.dgi.calendar import PANAMA, noon_panama, panama_date

if TYPE_CHECKING:
    from invoicing.models import Document, DocumentLine

AS_STORED = (
    "document_type",
    "generation_mode",
    "dgi_document_type",
    "billing_point",
    "external_id",
    "issued_at",
    "due_date",
    "nature",
    "destination",
    "sale_type",
    "issue_type",
    "freight",
    "insurance",
    "other_expenses",
    "payment_time",
    "modification_code",
    "emails",
    "notes",
    "metadata",
)
LINE_AS_STORED = (
    "description",
    "code",
    "quantity",
    "unit",
    "unit_price",
    "unit_discount",
    "itbms_rate",
    "cpbs_code",
    "isc_rate",
    "isc_amount",
)


def draft_of(document: Document) -> Draft:
    """The draft that would make this very document."""
    return Draft(
        **{name: getattr(document, name) for name in AS_STORED},
        office=document.office.code,
        receiver=document.receiver,
        lines=[line_of(line) for line in document.lines.all()],
        discounts=discounts_of(document),
        contingency=_contingency(document.contingency),
        exportation=_exportation(document.exportation),
        payment_methods=[
            fiscal.PaymentMethod(item["method"], _decimal(item["amount"]), item["description"])
            for item in document.payment_methods
        ],
        installments=[
            fiscal.Installment(date.fromisoformat(str(item["due_date"])), _decimal(item["amount"]))
            for item in document.installments
        ],
        retention_code=document.retention_code or None,
        retention_amount=document.retention if document.retention_code == "8" else None,
        original=original_of(document.invoice) if document.invoice else None,
    )


def line_of(line: DocumentLine) -> fiscal.Line:
    taxes = [fiscal.OtherTax(tax["code"], _decimal(tax["amount"])) for tax in line.other_taxes]
    return fiscal.Line(**{name: getattr(line, name) for name in LINE_AS_STORED}, other_taxes=taxes)


def discounts_of(document: Document) -> list[fiscal.Discount]:
    return [
        fiscal.Discount(item["description"], _decimal(item["amount"]))
        for item in document.discounts
    ]


def original_of(document: Document) -> Original:
    """What the rules have to know of the invoice that a note corrects.

    Who issues a note holds the invoice's row, as who asks for a void does: neither misses the
    other.
    """
    return Original(
        issued_at=_earliest_issue(document),
        total=document.total,
        credited=document.credited,
        is_authorized=document.legal_status == "DGI_AUTHORIZED",
        is_void=document.voided_at is not None,
        is_being_voided=any(void.state == "REQUESTED" for void in document.voids.all()),
        receiver_identity=(
            document.receiver_type,
            document.receiver_ruc,
            document.receiver_foreign_number,
        ),
    )


def _earliest_issue(document: Document) -> datetime:
    """When it was issued. Of an import whose hour nobody told, and which stands at noon, the moment
    at which its day began: no note of that day is before it for certain."""
    issued_at = document.issued_at
    day = panama_date(issued_at)
    if document.generation_mode == IMPORTED and issued_at == noon_panama(day):
        return datetime.combine(day, time(), PANAMA)
    return issued_at


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value))


def _contingency(stored: dict[str, Any] | None) -> fiscal.Contingency | None:
    if not stored:
        return None
    started_at = datetime.fromisoformat(str(stored["started_at"]))
    return fiscal.Contingency(started_at, stored["reason"])


def _exportation(stored: dict[str, Any] | None) -> fiscal.Exportation | None:
    if not stored:
        return None
    return fiscal.Exportation(
        stored["incoterm"],
        stored["currency"],
        _decimal(stored["exchange_rate"]),
        _decimal(stored["amount"]),
        stored["port"],
    )
