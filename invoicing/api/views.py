"""Invoices: issuing, and changing what may still change."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.documents import IDEMPOTENCY_KEY, WAIT, DocumentViewSet, idempotency_key
from invoicing.api.inputs import InvoiceInput, to_draft
from invoicing.api.outputs import DocumentOutput
from invoicing.api.thorough import read
from invoicing.api.waiting import wait_seconds
from invoicing.models import Invoice
from invoicing.services.issue import issue


@extend_schema_view(
    list=extend_schema(summary="List invoices, newest first"),
    retrieve=extend_schema(summary="One invoice"),
)
class InvoiceViewSet(DocumentViewSet):
    """Invoices (facturas), in the modes DGI and PROFORM."""

    kind = Invoice

    @extend_schema(
        summary="Issue an invoice or a proforma",
        request=InvoiceInput,
        responses={201: DocumentOutput},
        parameters=[WAIT, IDEMPOTENCY_KEY],
    )
    def create(self, request: Request) -> Response:
        seconds = wait_seconds(request)
        found, faults = read(InvoiceInput(), request.data)
        issued = issue(
            tenant=self.tenant,
            draft=to_draft(found, faults),
            faults=faults,
            render=self.show,
            idempotency=idempotency_key(request),
        )
        return self.answer_issued(issued, seconds)
