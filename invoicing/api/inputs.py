"""The bodies that the API takes: their fields and types. What they mean is for the fiscal rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import empty

from invoicing.api.thorough import (
    AmountField,
    StringMapField,
    TextField,
    ThoroughList,
    ThoroughSerializer,
    WholeNumberField,
)
from invoicing.fiscal import draft as fiscal
from invoicing.fiscal.draft import Draft
from invoicing.models import GenerationMode
from invoicing.services.customers import LONGEST_EMAIL
from pac.dgi.codes import METHOD_CREDIT, PAYMENT_METHODS, PaymentTime, ReceiverType
from pac.dgi.ruc import RucType

LINES_AT_MOST = 1000
MODES_TO_ISSUE = [(mode.value, mode.label) for mode in (GenerationMode.DGI, GenerationMode.PROFORM)]


class MomentField(serializers.DateTimeField):
    """RFC 3339 with its offset: without one, a moment could be meant in two ways."""

    default_error_messages = {"no_offset": "Give the offset, such as 2026-11-22T10:15:00-05:00."}

    def to_internal_value(self, value: Any) -> datetime:
        if not isinstance(value, str) or not value.isascii():
            self.fail("invalid", format="RFC 3339")
        return super().to_internal_value(value)

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            self.fail("no_offset")
        try:
            return value.astimezone(timezone.get_default_timezone())
        except OverflowError:
            self.fail("overflow")


class DayField(serializers.DateField):
    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or not value.isascii():
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class IdField(serializers.UUIDField):
    """An id as we gave it: a JSON string; a number is not taken for one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class ForeignIdInput(ThoroughSerializer):
    number = TextField(max_length=50)
    country = TextField(max_length=2)


class ReceiverEmailField(serializers.EmailField):
    """An address that the document carries to the PAC, which would reject the whole document for a
    longer one."""

    default_error_messages = {
        "max_length": "A receiver's address has at most {max_length} characters: the DGI's format "
        "holds no more. Cifras delivers to a longer one from the document's own `emails`, which "
        "are not sent to the PAC.",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=LONGEST_EMAIL, **options)


class ReceiverInput(ThoroughSerializer):
    # That there is a type is for the rules to say: it may come from the customer.
    type = TextField(required=False, help_text=f"One of {', '.join(ReceiverType)}.")
    ruc = TextField(required=False, allow_blank=True, max_length=20)
    ruc_type = serializers.ChoiceField(choices=[str(kind) for kind in RucType], required=False)
    dv = TextField(required=False, allow_blank=True, max_length=2)
    name = TextField(required=False, allow_blank=True, max_length=100)
    address = TextField(required=False, allow_blank=True, max_length=100)
    location = TextField(required=False, allow_blank=True, max_length=10)
    country = TextField(required=False, max_length=2)
    other_country = TextField(required=False, allow_blank=True, max_length=50)
    foreign_id = ForeignIdInput(required=False)
    emails = ThoroughList(child=ReceiverEmailField(), required=False)
    phones = ThoroughList(child=TextField(max_length=12), required=False)


class OtherTaxInput(ThoroughSerializer):
    code = TextField(max_length=2)
    amount = AmountField()


class LineInput(ThoroughSerializer):
    description = TextField()
    code = TextField(required=False, allow_blank=True)
    quantity = AmountField(decimal_places=6)
    unit = TextField(required=False, max_length=20)
    unit_price = AmountField(decimal_places=6)
    unit_discount = AmountField(decimal_places=6, required=False)
    itbms_rate = TextField()
    cpbs_code = TextField(required=False, allow_blank=True)
    isc_rate = AmountField(decimal_places=6, required=False, allow_null=True)
    isc_amount = AmountField(required=False)
    other_taxes = ThoroughList(child=OtherTaxInput(), required=False)


class DiscountInput(ThoroughSerializer):
    description = TextField(max_length=100)
    amount = AmountField()


class PaymentMethodInput(ThoroughSerializer):
    method = TextField(max_length=2)
    amount = AmountField()
    description = TextField(required=False, allow_blank=True)


class InstallmentInput(ThoroughSerializer):
    due_date = DayField()
    amount = AmountField()


class ExportationInput(ThoroughSerializer):
    incoterm = TextField(max_length=3)
    currency = TextField(max_length=3)
    exchange_rate = AmountField(decimal_places=6)
    amount = AmountField()
    port = TextField(required=False, allow_blank=True, max_length=50)


class ContingencyInput(ThoroughSerializer):
    started_at = MomentField()
    reason = TextField()


class InvoiceInput(ThoroughSerializer):
    """The body of `POST /invoices`: `lines` and one of `receiver`, `customer` are needed, the rest
    has defaults. With both, what `receiver` says comes before what is known of the customer."""

    receiver_or_customer = True  # whether one of them is needed

    generation_mode = serializers.ChoiceField(choices=MODES_TO_ISSUE, required=False)
    dgi_document_type = TextField(required=False, help_text="01, 02, 03, 08, 09 or 10.")
    office = TextField(required=False, max_length=4)
    billing_point = TextField(required=False)
    external_id = TextField(required=False, allow_null=True, allow_blank=True, max_length=100)
    issued_at = MomentField(required=False)
    due_date = DayField(required=False, allow_null=True)
    nature = TextField(required=False)
    destination = WholeNumberField(required=False)
    sale_type = WholeNumberField(required=False)
    issue_type = TextField(required=False)
    contingency = ContingencyInput(required=False, allow_null=True)
    customer = IdField(required=False, allow_null=True)
    receiver = ReceiverInput(required=False, help_text="Needed where no `customer` is named.")
    lines = ThoroughList(child=LineInput(), max_length=LINES_AT_MOST)
    discounts = ThoroughList(child=DiscountInput(), required=False)
    freight = AmountField(required=False)
    insurance = AmountField(required=False)
    other_expenses = AmountField(required=False)
    exportation = ExportationInput(required=False, allow_null=True)
    payment_time = TextField(required=False, help_text=f"One of {', '.join(PaymentTime)}.")
    payment_methods = ThoroughList(child=PaymentMethodInput(), required=False, allow_null=True)
    installments = ThoroughList(child=InstallmentInput(), required=False, allow_null=True)
    retention_code = TextField(required=False, allow_null=True)
    retention_amount = AmountField(required=False, allow_null=True)
    emails = ThoroughList(child=serializers.EmailField(max_length=100), required=False)
    notes = TextField(required=False, allow_blank=True, max_length=2000)
    metadata = StringMapField(required=False)

    def missing(self, data: Mapping[str, Any]) -> dict[str, Any]:
        if not self.receiver_or_customer or data.get("customer") is not None or "receiver" in data:
            return {}
        return {"receiver": [ErrorDetail("This field is required.", code="required")]}


class NoteInput(InvoiceInput):
    """The body of `POST /credit-notes` and `/debit-notes`: with an `invoice`, `receiver` and
    `lines` are that invoice's where they are left out."""

    receiver_or_customer = False

    invoice = serializers.UUIDField(required=False, allow_null=True)
    modification_code = WholeNumberField(required=False, allow_null=True)
    dgi_document_type = TextField(required=False, help_text="04, 05 with an invoice; 06, 07.")
    lines = ThoroughList(child=LineInput(), required=False, max_length=LINES_AT_MOST)


class EmailInput(ThoroughSerializer):
    """The body of `POST /invoices/{id}/email`."""

    to = serializers.ListField(
        child=serializers.EmailField(max_length=100), required=False, max_length=10
    )
    message = TextField(required=False, allow_blank=True, max_length=2000)


class ReasonField(TextField):
    """Why a document is voided (motivo)."""

    default_error_messages = {"reason_length": "The reason of a void has 15 to 1000 characters."}

    def run_validation(self, data: Any = empty) -> Any:
        text = super().run_validation(data)
        if not 15 <= len(text) <= 1000:
            self.fail("reason_length")
        return text


class VoidInput(ThoroughSerializer):
    """The body of `POST /invoices/{id}/void`."""

    reason = ReasonField(allow_blank=True)


class PaymentInput(ThoroughSerializer):
    """The body of `POST /invoices/{id}/payments`."""

    amount = AmountField(min_value=Decimal("0.01"))
    method = serializers.ChoiceField(
        choices=[code for code in PAYMENT_METHODS if code != METHOD_CREDIT]
    )
    paid_at = MomentField(required=False)
    reference = TextField(required=False, allow_blank=True, max_length=100)


class ApplyInput(ThoroughSerializer):
    """The body of `POST /credit-notes/{id}/apply`."""

    invoice = serializers.UUIDField()
    amount = AmountField(min_value=Decimal("0.01"))


class ReceiverPatch(ThoroughSerializer):
    """What a document that never reached the PAC may still change."""

    receiver = ReceiverInput()


NESTED = {
    "discounts": fiscal.Discount,
    "payment_methods": fiscal.PaymentMethod,
    "installments": fiscal.Installment,
}


def to_draft(found: dict[str, Any], faults: list[fiscal.Fault]) -> Draft:
    """The draft of what was understood; what was not stands in its `broken`."""
    values = {name: value for name, value in found.items() if value is not None}
    receiver = values.pop("receiver", {})
    lines = values.pop("lines", [])
    for name, kind in NESTED.items():
        if name in values:
            values[name] = [_made(kind, item) for item in values[name]]
    for name, single in (
        ("exportation", fiscal.Exportation),
        ("contingency", fiscal.Contingency),
    ):
        if name in values:
            values[name] = _made(single, values[name])
    return Draft(
        **values,
        receiver=to_receiver(receiver),
        receiver_fields=_receiver_fields(receiver),
        lines=[to_line(line or {}) for line in lines],
        broken=frozenset(fault.path for fault in faults),
    )


def to_receiver(found: dict[str, Any]) -> fiscal.Receiver:
    values = dict(found)
    foreign = values.pop("foreign_id", None) or {}
    phones, emails = values.pop("phones", []), values.pop("emails", [])
    return fiscal.Receiver(
        **values,
        foreign_number=foreign.get("number", ""),
        foreign_country=foreign.get("country", ""),
        phones=[phone for phone in phones if phone is not None],
        emails=[email for email in emails if email is not None],
    )


def _receiver_fields(found: dict[str, Any]) -> frozenset[str]:
    """Which fields of a `fiscal.Receiver` a body names."""
    foreign = {"foreign_number", "foreign_country"} if "foreign_id" in found else set()
    return frozenset(found.keys() - {"foreign_id"} | foreign)


def to_line(found: dict[str, Any]) -> fiscal.Line:
    values = dict(found)
    taxes = values.pop("other_taxes", [])
    return fiscal.Line(**values, other_taxes=[_made(fiscal.OtherTax, tax) for tax in taxes])


def _made(kind: type[Any], found: dict[str, Any] | None) -> Any:
    """An instance of `kind`; what was not understood of it is None, and so is the whole where none
    was: their paths are broken, and the rules pass over them."""
    if found is None:
        return None
    missing = [field.name for field in fields(kind) if field.default is MISSING]
    return kind(**(dict.fromkeys(missing) | found))
