"""Credit notes and debit notes: the same verbs as an invoice's, and applying a generic credit."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.documents import WAIT, DocumentViewSet, sound
from invoicing.api.inputs import ApplyInput, NoteInput, to_draft
from invoicing.api.once import IDEMPOTENCY_KEY, idempotency_key, once_in_one_commit
from invoicing.api.outputs import ApplicationOutput, DocumentOutput
from invoicing.api.thorough import read, shared
from invoicing.api.waiting import wait_seconds
from invoicing.fiscal.draft import Fault
from invoicing.models import CreditNote, DebitNote
from invoicing.models.documents import PacDocumentType
from invoicing.services.notes import apply_credit, issue_note

DEFAULTED = ("receiver", "lines", "dgi_document_type")


class NoteViewSet(DocumentViewSet):
    document_type: PacDocumentType

    @extend_schema(
        summary="Issue a note",
        request=NoteInput,
        responses={201: DocumentOutput},
        parameters=[WAIT, IDEMPOTENCY_KEY],
    )
    def create(self, request: Request) -> Response:
        seconds, key = wait_seconds(request), idempotency_key(request)
        found, faults = read(shared(NoteInput), request.data)
        invoice_id = found.pop("invoice", None)
        left_out = frozenset(name for name in DEFAULTED if name not in request.data)
        if found.get("customer"):
            left_out -= {"receiver"}
        faults += self.missing(left_out, names_invoice="invoice" in request.data)
        draft = to_draft(found, faults)
        draft.document_type = self.document_type
        issued = issue_note(
            tenant=self.tenant,
            draft=draft,
            invoice_id=invoice_id,
            left_out=left_out,
            render=self.show,
            faults=faults,
            idempotency=key,
        )
        return self.answer_issued(issued, seconds, key)

    def fixed(self, changes: Any) -> list[Fault]:
        if "invoice" not in changes:
            return []
        message = "A note keeps its invoice; delete the proforma and make another."
        return [Fault("invoice", "invoice_is_fixed", message)]

    @staticmethod
    def missing(left_out: frozenset[str], *, names_invoice: bool) -> list[Fault]:
        """What only a note that names its invoice may leave out."""
        if names_invoice:
            return []
        return [
            Fault(name, "required", "A note without an invoice needs this.")
            for name in ("receiver", "lines")
            if name in left_out
        ]


@extend_schema_view(
    list=extend_schema(summary="List credit notes, newest first"),
    retrieve=extend_schema(summary="One credit note"),
)
class CreditNoteViewSet(NoteViewSet):
    """Credit notes (notas de crédito)."""

    kind = CreditNote
    document_type = PacDocumentType.CREDIT_NOTE

    @extend_schema(
        summary="Set a generic credit against an invoice",
        request=ApplyInput,
        responses={201: ApplicationOutput},
        parameters=[IDEMPOTENCY_KEY],
    )
    @action(detail=True, methods=["post"])
    @once_in_one_commit
    def apply(self, request: Request, pk: Any = None) -> Response:
        note = self.get_object()
        wanted = sound(ApplyInput(), request.data)
        application = apply_credit(note, invoice_id=wanted["invoice"], amount=wanted["amount"])
        return Response(ApplicationOutput(application).data, status=status.HTTP_201_CREATED)


@extend_schema_view(
    list=extend_schema(summary="List debit notes, newest first"),
    retrieve=extend_schema(summary="One debit note"),
)
class DebitNoteViewSet(NoteViewSet):
    """Debit notes (notas de débito)."""

    kind = DebitNote
    document_type = PacDocumentType.DEBIT_NOTE
