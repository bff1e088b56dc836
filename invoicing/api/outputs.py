"""The answers of the API: what outsiders see of a document."""

from __future__ import annotations

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from invoicing.api.thorough import shared
from invoicing.models import (
    CreditApplication,
    Document,
    DocumentLine,
    File,
    FiscalEvent,
    GenerationMode,
    HistoryEntry,
    Payment,
)


class CentsField(serializers.DecimalField):
    """An amount in B/. as a decimal string: "203.30"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=18, decimal_places=2, **options)


class PlainDecimalField(serializers.DecimalField):
    """A decimal string without trailing zeros: "2", "0.385"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=18, decimal_places=6, **options)

    def to_representation(self, value: Any) -> str:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text


class PriceField(PlainDecimalField):
    """A unit price as a decimal string, of two decimals at least: "100.00", "1.875"."""

    def to_representation(self, value: Any) -> str:
        whole, _, decimals = super().to_representation(value).partition(".")
        return f"{whole}.{decimals:0<2}"


class ForeignIdOutput(serializers.Serializer[Any]):
    number = serializers.CharField()
    country = serializers.CharField()


class ReceiverOutput(serializers.Serializer[Any]):
    type = serializers.CharField()
    ruc = serializers.CharField()
    ruc_type = serializers.CharField(allow_null=True)
    dv = serializers.CharField()
    name = serializers.CharField()
    address = serializers.CharField()
    location = serializers.CharField()
    country = serializers.CharField()
    other_country = serializers.CharField()
    foreign_id = serializers.SerializerMethodField()
    emails = serializers.ListField(child=serializers.EmailField())
    phones = serializers.ListField(child=serializers.CharField())

    @extend_schema_field(ForeignIdOutput(allow_null=True))
    def get_foreign_id(self, receiver: Any) -> dict[str, str] | None:
        if not receiver.foreign_number:
            return None
        return {"number": receiver.foreign_number, "country": receiver.foreign_country}


class OtherTaxOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    amount = serializers.CharField()


class LineOutput(serializers.ModelSerializer[DocumentLine]):
    quantity = PlainDecimalField()
    unit_price = PriceField()
    unit_discount = PriceField()
    isc_rate = PlainDecimalField(allow_null=True)
    other_taxes = OtherTaxOutput(many=True)

    class Meta:
        model = DocumentLine
        fields = [
            "number",
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
            "net",
            "itbms",
            "total",
        ]


class FileOutput(serializers.ModelSerializer[File]):
    class Meta:
        model = File
        fields = ("id", "kind", "name", "size", "sha256", "created_at")


class TotalsOutput(serializers.Serializer[Any]):
    """Amounts in B/. `taxes` is ITBMS + ISC + other taxes; `balance` what is still open."""

    net = CentsField()
    itbms = CentsField()
    isc = CentsField()
    other_taxes = CentsField()
    taxes = CentsField()
    discount = CentsField()
    freight = CentsField()
    insurance = CentsField()
    other_expenses = CentsField()
    total = CentsField()
    retention = CentsField()
    paid = CentsField()
    credited = CentsField()
    balance = CentsField()


class SubmissionErrorOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class SubmissionOutput(serializers.Serializer[Any]):
    """How far sending to the PAC got."""

    state = serializers.CharField(source="submission_state")
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    error = SubmissionErrorOutput(source="submission_error", allow_null=True)


class PaymentMethodOutput(serializers.Serializer[Any]):
    method = serializers.CharField()
    amount = serializers.CharField()
    description = serializers.CharField()


class InstallmentOutput(serializers.Serializer[Any]):
    due_date = serializers.DateField()
    amount = serializers.CharField()


class DiscountOutput(serializers.Serializer[Any]):
    description = serializers.CharField()
    amount = serializers.CharField()


class ExportationOutput(serializers.Serializer[Any]):
    incoterm = serializers.CharField()
    currency = serializers.CharField()
    exchange_rate = serializers.CharField()
    amount = serializers.CharField()
    port = serializers.CharField()


class StoredMomentField(serializers.DateTimeField):
    """A moment inside a JSON column: the same text before it is stored and after."""

    def to_representation(self, value: Any) -> str:
        text: str = value if isinstance(value, str) else DjangoJSONEncoder().default(value)
        return text


class ContingencyOutput(serializers.Serializer[Any]):
    started_at = StoredMomentField()
    reason = serializers.CharField()


class WarningOutput(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class PacErrorOutput(WarningOutput):
    field = serializers.CharField(allow_null=True)


class VoidOutput(serializers.ModelSerializer[FiscalEvent]):
    """The fiscal event (PacDocumentType 04) that voids a document."""

    error = SubmissionErrorOutput(allow_null=True)

    class Meta:
        model = FiscalEvent
        fields = ("state", "reason", "requested_at", "error")


class PaymentOutput(serializers.ModelSerializer[Payment]):
    amount = CentsField()

    class Meta:
        model = Payment
        fields = ("id", "amount", "method", "paid_at", "reference", "created_at")


class ApplicationOutput(serializers.ModelSerializer[CreditApplication]):
    amount = CentsField()

    class Meta:
        model = CreditApplication
        fields = ("id", "credit_note", "invoice", "amount", "created_at")


class DocumentOutput(serializers.ModelSerializer[Document]):
    customer = serializers.UUIDField(source="customer_id", allow_null=True)
    void = serializers.SerializerMethodField()
    office = serializers.CharField(source="office.code")
    document_id = serializers.SerializerMethodField()
    cufe = serializers.CharField(source="invoice_number", allow_null=True)
    is_fiscally_valid = serializers.BooleanField()
    submission = SubmissionOutput(source="*")
    receiver = ReceiverOutput()
    lines = LineOutput(many=True)
    discounts = DiscountOutput(many=True)
    payment_methods = PaymentMethodOutput(many=True)
    installments = InstallmentOutput(many=True)
    exportation = ExportationOutput(allow_null=True)
    contingency = ContingencyOutput(allow_null=True)
    totals = TotalsOutput(source="*")
    files = FileOutput(many=True)
    warnings = WarningOutput(many=True)
    pac_errors = PacErrorOutput(many=True)
    retention_code = serializers.SerializerMethodField()
    qr_code_url = serializers.SerializerMethodField()
    authorization_protocol = serializers.SerializerMethodField()
    metadata = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = Document
        fields = [
            "id",
            "document_type",
            "dgi_document_type",
            "generation_mode",
            "number",
            "billing_point",
            "office",
            "external_id",
            "issued_at",
            "due_date",
            "nature",
            "destination",
            "sale_type",
            "issue_type",
            "invoice",
            "modification_code",
            "legal_status",
            "status",
            "void",
            "is_fiscally_valid",
            "submission",
            "document_id",
            "invoice_number",
            "cufe",
            "qr_code_url",
            "authorization_protocol",
            "authorized_at",
            "customer",
            "receiver",
            "lines",
            "discounts",
            "exportation",
            "contingency",
            "payment_time",
            "payment_methods",
            "installments",
            "retention_code",
            "totals",
            "emails",
            "notes",
            "metadata",
            "files",
            "warnings",
            "pac_errors",
            "created_at",
            "updated_at",
        ]

    @extend_schema_field(VoidOutput(allow_null=True))
    def get_void(self, document: Document) -> Any:
        """The newest void that was asked for."""
        voids = sorted(document.voids.all(), key=lambda event: event.pk)
        return VoidOutput(voids[-1]).data if voids else None

    def get_document_id(self, document: Document) -> str | None:
        """The PAC's id; of an import, the one that was named until the PAC has confirmed it."""
        imported = document.generation_mode == GenerationMode.DGI_IMPORT
        return document.document_id or (document.hinted_document_id if imported else "") or None

    def get_retention_code(self, document: Document) -> str | None:
        return document.retention_code or None

    def get_qr_code_url(self, document: Document) -> str | None:
        return document.qr_code_url or None

    def get_authorization_protocol(self, document: Document) -> str | None:
        return document.authorization_protocol or None


def shown(document: Document) -> dict[str, Any]:
    """The document as the API shows it."""
    return shared(DocumentOutput).to_representation(document)


class EventOutput(serializers.ModelSerializer[HistoryEntry]):
    at = serializers.DateTimeField(source="created_at")

    class Meta:
        model = HistoryEntry
        fields: tuple[str, ...] = ("id", "event", "at", "data", "actor")


class EmailOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    occasion = serializers.CharField()
    to = serializers.ListField(child=serializers.EmailField())
    state = serializers.CharField()
