"""An invoice as a first tutorial would issue it: one nested ModelSerializer, and a row at a time.

It writes the rows that `POST /api/v1/invoices` writes, without judging one fiscal rule.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.db import transaction
from django.db.models import Max, Sum
from django.urls import path
from django.utils import timezone
from django_q.tasks import async_task
from rest_framework import serializers
from rest_framework.generics import CreateAPIView

from cifras.urls import urlpatterns as product_urls
from invoicing.models import Document, DocumentLine, File, HistoryEntry, IdempotencyRecord
from invoicing.services.issue import assign_number
from tenants.api.authentication import key_of
from tenants.models import NumberSeries, Office

RATES = {"00": Decimal(0), "01": Decimal("0.07"), "02": Decimal("0.10"), "03": Decimal("0.15")}


# What the client says; all the rest of the row is ours to say, and is shown.
GIVEN = {
    "office", "billing_point", "dgi_document_type", "document_type", "generation_mode",
    "external_id", "issued_at", "due_date", "nature", "destination", "sale_type", "payment_time",
    "payment_methods", "receiver_type", "receiver_ruc", "receiver_ruc_type", "receiver_dv",
    "receiver_name", "receiver_address", "receiver_location", "receiver_country",
    "receiver_emails",
}  # fmt: skip


class LineSerializer(serializers.ModelSerializer[DocumentLine]):
    class Meta:
        model = DocumentLine
        exclude = ["tenant", "owner"]
        read_only_fields = ["net", "itbms", "total"]


class FileSerializer(serializers.ModelSerializer[File]):
    class Meta:
        model = File
        fields = ["id", "kind", "name", "size", "sha256"]


class DocumentSerializer(serializers.ModelSerializer[Document]):
    office = serializers.SlugRelatedField(slug_field="code", queryset=Office.unscoped.all())
    lines = LineSerializer(many=True)
    files = FileSerializer(many=True, read_only=True)
    is_fiscally_valid = serializers.BooleanField(read_only=True)

    class Meta:
        model = Document
        fields = "__all__"
        read_only_fields = [
            field.name for field in Document._meta.concrete_fields if field.name not in GIVEN
        ]

    def create(self, validated_data: dict[str, Any]) -> Document:
        lines = validated_data.pop("lines")
        tenant = key_of(self.context["request"]).tenant
        now = timezone.now()
        document = Document(
            tenant=tenant, submission_state="QUEUED", queued_at=now, next_attempt_at=now,
            **validated_data,
        )  # fmt: skip
        NumberSeries.unscoped.select_for_update().filter(office=document.office).aggregate(
            Max("last_number")
        )
        assign_number(document, tenant, document.office)
        document.save()
        for line in lines:
            net = round_to_cent(line["quantity"] * (line["unit_price"] - line["unit_discount"]))
            itbms = round_to_cent(net * RATES[line["itbms_rate"]])
            DocumentLine.unscoped.create(
                tenant=tenant, owner=document, net=net, itbms=itbms, total=net + itbms, **line
            )
        sums = document.lines.aggregate(net=Sum("net"), itbms=Sum("itbms"), total=Sum("total"))
        document.net, document.itbms, document.total = sums["net"], sums["itbms"], sums["total"]
        document.taxes = document.itbms
        document.save()
        HistoryEntry.unscoped.create(
            tenant=tenant, owner=document, event="issued", data={"number": document.number}
        )
        return document


def round_to_cent(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


class NaiveInvoices(CreateAPIView[Document]):
    serializer_class = DocumentSerializer
    queryset = Document.unscoped.all()

    @transaction.atomic
    def create(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        key, tenant = request.headers["Idempotency-Key"], key_of(request).tenant
        IdempotencyRecord.unscoped.filter(tenant=tenant, key=key).exists()
        answer = super().create(request, *args, **kwargs)
        IdempotencyRecord.unscoped.create(
            tenant=tenant, key=key, fingerprint="-", status_code=201, answer=str(answer.data)
        )
        async_task("invoicing.tasks.pump", "pac")
        return answer


urlpatterns = [*product_urls, path("api/v1/naive/invoices", NaiveInvoices.as_view())]
