"""A document as the PAC wants it (pure): the body of `POST /pan/v1/invoices` and its sisters.

Amounts that Alanube computes itself (nets, ITBMS, totals) are not sent. Decimals go out as JSON
numbers, digit by digit. What is empty is left out, since the PAC refuses empty values.
"""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pac.dgi.calendar import noon_panama, panama_isoformat
from pac.dgi.codes import METHOD_OTHER, PaymentTime, ReceiverType
from pac.dgi.ruc import RucType

if TYPE_CHECKING:
    from invoicing.models import Document, DocumentLine

ORDINARY_OPERATION = 1
CONTAINER_DELIVERED = 1
CAFE = {"format": 3, "delivery": 3}  # letter size; sent to the receiver electronically
ADDRESSES_AT_MOST = 3
DESTINATION_PANAMA = 1
IMPORTED = "DGI_IMPORT"


def build_payload(document: "Document", lines: Iterable["DocumentLine"]) -> dict[str, Any]:
    """The whole body. A document that was issued always gives the same one."""
    payload = {
        "idOffice": document.office.pac_office_id,
        "information": _information(document),
        "receiver": _receiver(document),
        "items": [_item(line) for line in lines],
        "totals": _totals(document),
    }
    if document.invoice:
        payload["referencedDocuments"] = [_reference(document.invoice)]
    if document.exportation:
        payload["exportation"] = _exportation(document.exportation)
    return payload


def _information(document: "Document") -> dict[str, Any]:
    information: dict[str, Any] = {
        "issueType": document.issue_type,
        "documentType": document.dgi_document_type,
        "numeration": document.number,
        "billingPoint": document.billing_point,
        "securityCode": document.security_code,
        "issueDate": panama_isoformat(document.issued_at),
        "nature": document.nature,
        "operationType": ORDINARY_OPERATION,
        "destination": document.destination,
        "receiverContainer": CONTAINER_DELIVERED,
        "saleType": document.sale_type,
        "cafe": CAFE,
    }
    if document.modification_code is not None:
        information["modificationCode"] = document.modification_code
    if document.contingency:
        started_at = datetime.fromisoformat(str(document.contingency["started_at"]))
        information["contingencyDate"] = panama_isoformat(started_at)
        information["contingencyReason"] = document.contingency["reason"]
    if document.notes:
        information["information"] = document.notes
    return information


def _reference(invoice: "Document") -> dict[str, Any]:
    """The invoice that a note corrects: by the PAC's id, an import by the CUFE it was told with."""
    issued_at = panama_isoformat(invoice.issued_at)
    if invoice.document_id and invoice.generation_mode != IMPORTED:
        return {
            "emissionType": "ID",
            "apiIdentification": invoice.document_id,
            "issueDate": issued_at,
        }
    return {
        "emissionType": "CUFE",
        "cufeIdentification": invoice.invoice_number,
        "issueDate": issued_at,
    }


def _receiver(document: "Document") -> dict[str, Any]:
    receiver = document.receiver
    kind = ReceiverType[receiver.type or ""]
    # Inside Panama the DGI wants PA, whatever the receiver's own country is (code 1611).
    country = "PA" if document.destination == DESTINATION_PANAMA else receiver.country
    body: dict[str, Any] = {"type": kind.code, "country": country}
    if receiver.ruc and receiver.ruc_type and kind != ReceiverType.EXTRANJERO:
        body["ruc"] = {"type": RucType(receiver.ruc_type).code, "ruc": receiver.ruc}
    if kind == ReceiverType.EXTRANJERO:
        body["foreign"] = {"number": receiver.foreign_number, "country": receiver.foreign_country}
    elif receiver.location:
        body["location"] = {"code": receiver.location}
    if country == "ZZ":
        body["otherCountry"] = receiver.other_country
    optional = {
        "name": receiver.name,
        "address": receiver.address,
        "telephones": receiver.phones[:ADDRESSES_AT_MOST],
        "emails": receiver.emails[:ADDRESSES_AT_MOST],
    }
    return body | {key: value for key, value in optional.items() if value}


def _item(line: "DocumentLine") -> dict[str, Any]:
    item: dict[str, Any] = {
        "number": f"{line.number:04d}",
        "description": line.description,
        "unit": line.unit,
        "quantity": _plain(line.quantity),
        "prices": {"transfer": _plain(line.unit_price)},
        "itbms": {"rate": line.itbms_rate},
    }
    if line.code:
        item["code"] = line.code
    if line.cpbs_code:
        item["cpbs"] = {"code": line.cpbs_code, "unit": line.unit}
    if line.unit_discount:
        item["prices"]["discount"] = _plain(line.unit_discount)
    if line.isc_amount:
        item["isc"] = {"amount": line.isc_amount}
        if line.isc_rate is not None:
            item["isc"]["rate"] = _plain(line.isc_rate)
    if line.other_taxes:
        item["otherTaxes"] = [
            {"code": tax["code"], "amount": Decimal(tax["amount"])} for tax in line.other_taxes
        ]
    return item


def _totals(document: "Document") -> dict[str, Any]:
    totals: dict[str, Any] = {
        "paymentTime": PaymentTime[document.payment_time].code,
        "paymentMethods": [_payment_method(method) for method in document.payment_methods],
    }
    if document.installments:
        totals["installmentPayment"] = [
            {
                "sequence": sequence,
                "dueDate": panama_isoformat(noon_panama(date.fromisoformat(str(part["due_date"])))),
                "amount": Decimal(part["amount"]),
            }
            for sequence, part in enumerate(document.installments, start=1)
        ]
    if document.retention_code:
        totals["retention"] = {"code": document.retention_code, "amount": document.retention}
    if document.discounts:
        totals["discounts"] = [
            {"description": discount["description"], "amount": Decimal(discount["amount"])}
            for discount in document.discounts
        ]
    expenses = {
        "transport": document.freight,
        "insurance": document.insurance,
        "otherExpenses": document.other_expenses,
    }
    return totals | {name: amount for name, amount in expenses.items() if amount}


def _payment_method(method: dict[str, Any]) -> dict[str, Any]:
    body = {"type": method["method"], "amount": Decimal(method["amount"])}
    if method["method"] == METHOD_OTHER:
        body["otherType"] = method["description"]
    return body


def _exportation(exportation: dict[str, Any]) -> dict[str, Any]:
    body = {
        "incoterm": exportation["incoterm"],
        "currency": exportation["currency"],
        "exchangeRate": Decimal(exportation["exchange_rate"]),
        "amount": Decimal(exportation["amount"]),
    }
    return body | ({"port": exportation["port"]} if exportation["port"] else {})


def _plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros: 2.000000 is 2, 0.385000 is 0.385."""
    return Decimal(f"{value:f}".rstrip("0").rstrip(".")) if "." in f"{value:f}" else value
