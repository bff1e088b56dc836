"""The resources of documents. Thin: read the request, call the service, show the document."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.bodies import patched_body
from invoicing.api.errors import PacAway, as_validation_error
from invoicing.api.filters import InvoiceFilter
from invoicing.api.inputs import EmailInput, InvoiceInput, ReceiverPatch, to_draft, to_receiver
from invoicing.api.outputs import EmailOutput, EventOutput, InvoiceOutput
from invoicing.api.thorough import ThoroughSerializer, read
from invoicing.api.waiting import wait_for_verdict, wait_seconds
from invoicing.errors import Immutable, InvalidDocument, PacUnavailable
from invoicing.models import Document, FileKind, Invoice
from invoicing.services import deliver, edit, queue, refresh
from invoicing.services.idempotency import IdempotencyKey
from invoicing.services.issue import issue
from tenants.api.authentication import key_of
from tenants.api.pagination import OldestFirstPage
from tenants.api.throttling import ApiKeyRate, EmailRate
from tenants.models import Tenant

WAIT = OpenApiParameter(
    "wait", OpenApiTypes.INT, description="Seconds (0 to 30) to wait for the verdict."
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    OpenApiTypes.STR,
    location=OpenApiParameter.HEADER,
    description="Your name for this request. Sent again, it gets the same answer for 24 hours.",
)
KEY_LENGTH = 255


@extend_schema_view(
    list=extend_schema(summary="List invoices, newest first"),
    retrieve=extend_schema(summary="One invoice"),
)
class InvoiceViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Document]
):
    """Invoices (facturas), in the modes DGI and PROFORM."""

    serializer_class = InvoiceOutput
    filterset_class = InvoiceFilter
    lookup_value_converter = "uuid"

    @property
    def tenant(self) -> Tenant:
        return key_of(self.request).tenant

    def get_queryset(self) -> QuerySet[Document]:
        if getattr(self, "swagger_fake_view", False):
            return Invoice.unscoped.none()
        return (
            Invoice.objects.for_tenant(self.tenant)
            .select_related("office", "tenant")
            .prefetch_related("lines", "files")
        )

    def show(self, document: Document) -> Any:
        return InvoiceOutput(document).data

    def answer(self, document: Document, code: int = status.HTTP_200_OK) -> Response:
        """The document as it is now."""
        return Response(self.show(self.get_queryset().get(pk=document.pk)), status=code)

    @extend_schema(
        summary="Issue an invoice or a proforma",
        request=InvoiceInput,
        responses={201: InvoiceOutput},
        parameters=[WAIT, IDEMPOTENCY_KEY],
    )
    def create(self, request: Request) -> Response:
        seconds = wait_seconds(request)
        found, faults = read(InvoiceInput(), request.data)
        try:
            issued = issue(
                tenant=self.tenant,
                draft=to_draft(found, faults),
                faults=faults,
                render=self.show,
                idempotency=idempotency_key(request),
            )
        except InvalidDocument as error:
            raise as_validation_error(error.faults) from error
        if issued.document is None:
            return Response(
                issued.answer, status=issued.status_code, headers={"Idempotency-Replayed": "true"}
            )
        if not seconds or issued.document.is_proforma:
            return Response(issued.answer, status=status.HTTP_201_CREATED)
        wait_for_verdict(issued.document, seconds)
        return self.answer(issued.document, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a proforma, or the receiver of what never reached the PAC",
        request=InvoiceInput,
        responses={200: InvoiceOutput},
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        try:
            if document.is_proforma:
                found, faults = read(InvoiceInput(), patched_body(document, request.data))
                changed = edit.edit_proforma(document, to_draft(found, faults), faults)
            elif document.submission_state == "FAILED" and not document.was_sent:
                found, faults = read(ReceiverPatch(), request.data)
                receiver = to_receiver(found.get("receiver") or {})
                changed = edit.correct_receiver(document, receiver, faults)
            else:
                raise Immutable("An issued document does not change; issue a credit note instead.")
        except InvalidDocument as error:
            raise as_validation_error(error.faults) from error
        return self.answer(changed)

    @extend_schema(summary="Delete a proforma", responses={204: None})
    def destroy(self, request: Request, pk: Any = None) -> Response:
        edit.delete_proforma(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Turn a proforma into a fiscal invoice",
        request=None,
        responses={202: InvoiceOutput},
        parameters=[WAIT],
    )
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: Any = None) -> Response:
        seconds = wait_seconds(request)
        document = queue.submit_proforma(self.get_object())
        wait_for_verdict(document, seconds)
        return self.answer(document, status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Send again what failed before the PAC judged it",
        request=None,
        responses={202: InvoiceOutput},
        parameters=[WAIT],
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: Any = None) -> Response:
        seconds = wait_seconds(request)
        document = queue.retry(self.get_object())
        wait_for_verdict(document, seconds)
        return self.answer(document, status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Ask the PAC now", request=None, responses={200: InvoiceOutput})
    @action(detail=True, methods=["post"])
    def refresh(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        try:
            refresh.refresh(document)
        except PacUnavailable as error:
            raise PacAway(error.message) from error
        return self.answer(document)

    @extend_schema(
        summary="Mail the document again", request=EmailInput, responses={202: EmailOutput}
    )
    @action(detail=True, methods=["post"], throttle_classes=[ApiKeyRate, EmailRate])
    def email(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        wanted = sound(EmailInput(), request.data or {})
        delivery = deliver.send_again(
            document, to=wanted.get("to", []), message=wanted.get("message", "")
        )
        return Response(EmailOutput(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(summary="Its PDF", responses={(200, "application/pdf"): OpenApiTypes.BINARY})
    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: Any = None) -> FileResponse:
        return self.file(FileKind.PDF, "application/pdf")

    def file(self, kind: FileKind, content_type: str) -> FileResponse:
        files = [file for file in self.get_object().files.all() if file.kind == kind]
        if not files:
            raise NotFound(f"The document has no {kind} yet.", code="no_file")
        return FileResponse(
            files[-1].content.open(), filename=files[-1].name, content_type=content_type
        )

    @extend_schema(summary="Its history", responses={200: EventOutput(many=True)})
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=OldestFirstPage)
    def events(self, request: Request, pk: Any = None) -> Response:
        history: Any = self.get_object().history.all()
        page: Any = self.paginate_queryset(history)
        return self.get_paginated_response(EventOutput(page, many=True).data)


def idempotency_key(request: Request) -> IdempotencyKey | None:
    """What the `Idempotency-Key` header and the request say; None without the header."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not key.strip() or len(key) > KEY_LENGTH or not key.isprintable():
        raise ValidationError(
            {"Idempotency-Key": f"1 to {KEY_LENGTH} printable characters."}, code="invalid"
        )
    return IdempotencyKey.of(key, request.method or "", request.path, request.data)


def sound(serializer: ThoroughSerializer, data: Any) -> dict[str, Any]:
    """The body, all of it understood; raises the validation error with every fault."""
    found, faults = read(serializer, data)
    if faults:
        raise as_validation_error(faults)
    return found
