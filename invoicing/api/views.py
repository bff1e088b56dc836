"""Invoices: issuing, and changing what may still change."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.bodies import patched_body
from invoicing.api.documents import IDEMPOTENCY_KEY, WAIT, DocumentViewSet, idempotency_key
from invoicing.api.inputs import InvoiceInput, ReceiverPatch, to_draft, to_receiver
from invoicing.api.outputs import DocumentOutput
from invoicing.api.thorough import read
from invoicing.api.waiting import wait_seconds
from invoicing.errors import Immutable
from invoicing.models import Invoice
from invoicing.services import edit
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

    @extend_schema(
        summary="Change a proforma, or the receiver of what never reached the PAC",
        request=InvoiceInput,
        responses={200: DocumentOutput},
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        if document.is_proforma:
            found, faults = read(InvoiceInput(), patched_body(document, request.data))
            changed = edit.edit_proforma(document, to_draft(found, faults), faults)
        elif document.submission_state == "FAILED" and not document.was_sent:
            found, faults = read(ReceiverPatch(), request.data)
            receiver = to_receiver(found.get("receiver") or {})
            changed = edit.correct_receiver(document, receiver, faults)
        else:
            raise Immutable("An issued document does not change; issue a credit note instead.")
        return self.answer(changed)
