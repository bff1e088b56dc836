"""Invoices: issuing, and changing what may still change."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.documents import WAIT, DocumentViewSet
from invoicing.api.inputs import InvoiceInput, to_draft
from invoicing.api.once import IDEMPOTENCY_KEY, idempotency_key
from invoicing.api.outputs import DocumentOutput
from invoicing.api.thorough import read, shared
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
        seconds, key = wait_seconds(request), idempotency_key(request)
        found, faults = read(shared(InvoiceInput), request.data)
        issued = issue(
            tenant=self.tenant,
            draft=to_draft(found, faults),
            faults=faults,
            render=self.show,
            idempotency=key,
        )
        return self.answer_issued(issued, seconds, key)
