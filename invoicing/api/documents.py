"""What every kind of document can do. Thin: read the request, call the service, show it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import FileResponse
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from invoicing.api.bodies import patched_body
from invoicing.api.errors import PacAway, as_validation_error
from invoicing.api.filters import DocumentFilter
from invoicing.api.inputs import (
    EmailInput,
    InvoiceInput,
    PaymentInput,
    ReceiverPatch,
    VoidInput,
    to_draft,
    to_receiver,
)
from invoicing.api.once import (
    IDEMPOTENCY_KEY,
    REPLAYED,
    Awaited,
    once_in_one_commit,
    once_under_a_lease,
)
from invoicing.api.outputs import (
    DocumentOutput,
    EmailOutput,
    EventOutput,
    PaymentOutput,
    shown,
)
from invoicing.api.thorough import ThoroughSerializer, read
from invoicing.api.waiting import wait_for_verdict, wait_for_void, wait_seconds
from invoicing.errors import Immutable, InvalidDocument, PacUnavailable
from invoicing.fiscal.draft import Fault
from invoicing.models import Document, FileKind
from invoicing.pdf.cafe import CafeFormat
from invoicing.services import deliver, edit, payments, queue, refresh, void
from invoicing.services.idempotency import IdempotencyKey
from invoicing.services.issue import Issued
from invoicing.services.printing import our_cafe
from invoicing.services.xml import xml_of
from tenants.api.authentication import key_of
from tenants.api.pagination import OldestFirstPage
from tenants.api.throttling import ApiKeyRate, EmailRate
from tenants.models import Tenant

WAIT = OpenApiParameter(
    "wait", OpenApiTypes.INT, description="Seconds (0 to 30) to wait for the verdict."
)
RENDER = OpenApiParameter(
    "render", enum=["pac", "cifras"], description="`cifras`: the CAFE as Cifras draws it."
)
PAPER = OpenApiParameter(
    "paper", enum=[paper.value for paper in CafeFormat], description="Of our own CAFE."
)


class DocumentViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Document]
):
    """The verbs of a document; a kind says which documents and how one is issued."""

    kind: ClassVar[type[Document]]
    serializer_class = DocumentOutput
    filterset_class = DocumentFilter
    lookup_value_converter = "uuid"

    @property
    def tenant(self) -> Tenant:
        return key_of(self.request).tenant

    def get_queryset(self) -> QuerySet[Document]:
        if getattr(self, "swagger_fake_view", False):
            return self.kind.unscoped.none()
        found: QuerySet[Document] = (
            self.kind.objects.for_tenant(self.tenant)
            .select_related("office", "tenant", "invoice")
            .prefetch_related("lines", "files", "voids")
        )
        return found

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, InvalidDocument):
            exc = as_validation_error(exc.faults)
        elif isinstance(exc, PacUnavailable):
            exc = PacAway(exc.message)
        elif isinstance(exc, Document.DoesNotExist):  # deleted since it was looked up
            exc = NotFound()
        return super().handle_exception(exc)

    def show(self, document: Document) -> Any:
        return shown(document)

    def answer(self, document: Document, code: int = status.HTTP_200_OK) -> Response:
        """The document as it is now."""
        return Response(self.show(self.get_queryset().get(pk=document.pk)), status=code)

    def answer_issued(self, issued: Issued, seconds: int, key: IdempotencyKey | None) -> Response:
        """201 with the new document, once it is judged where the client waits for that."""
        if issued.document is None:
            return Response(issued.answer, status=issued.status_code, headers=REPLAYED)
        if not seconds or issued.document.is_proforma:
            return Response(issued.answer, status=status.HTTP_201_CREATED)
        wait_for_verdict(issued.document, seconds)
        answer = self.answer(issued.document, status.HTTP_201_CREATED)
        if key:
            key.amend(self.tenant, answer.data)
        return answer

    def accepted(
        self, document: Document, wait: Callable[[int], None], seconds: int
    ) -> Response | Awaited:
        """202 with the document, after `wait` where the client has `seconds` for that."""
        answer = partial(self.answer, document, status.HTTP_202_ACCEPTED)
        return Awaited(answer, wait, seconds) if seconds else answer()

    @extend_schema(
        summary="Change a proforma, or the receiver of what never reached the PAC",
        request=InvoiceInput,
        responses={200: DocumentOutput},
    )
    def partial_update(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        if document.is_proforma:
            found, faults = read(InvoiceInput(), patched_body(document, request.data))
            faults += self.fixed(request.data)
            changed = edit.edit_proforma(document, to_draft(found, faults), faults)
        elif document.submission_state == "FAILED" and not document.was_sent:
            found, faults = read(ReceiverPatch(), request.data)
            receiver = to_receiver(found.get("receiver") or {})
            changed = edit.correct_receiver(document, receiver, faults)
        else:
            raise Immutable("An issued document does not change; issue a credit note instead.")
        return self.answer(changed)

    def fixed(self, changes: Any) -> list[Fault]:
        """The faults of a PATCH that wants to change what a proforma of this kind keeps."""
        return []

    @extend_schema(
        summary="Delete a proforma, or an import nothing refers to", responses={204: None}
    )
    def destroy(self, request: Request, pk: Any = None) -> Response:
        edit.delete(self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Turn a proforma into a fiscal document",
        request=None,
        responses={202: DocumentOutput},
        parameters=[WAIT, IDEMPOTENCY_KEY],
    )
    @action(detail=True, methods=["post"])
    @once_in_one_commit
    def submit(self, request: Request, pk: Any = None) -> Response | Awaited:
        seconds = wait_seconds(request)
        document = queue.submit_proforma(self.get_object())
        return self.accepted(document, partial(wait_for_verdict, document), seconds)

    @extend_schema(
        summary="Send again what failed before the PAC judged it",
        request=None,
        responses={202: DocumentOutput},
        parameters=[WAIT, IDEMPOTENCY_KEY],
    )
    @action(detail=True, methods=["post"])
    @once_in_one_commit
    def retry(self, request: Request, pk: Any = None) -> Response | Awaited:
        seconds = wait_seconds(request)
        document = queue.retry(self.get_object())
        return self.accepted(document, partial(wait_for_verdict, document), seconds)

    @extend_schema(
        summary="Ask the PAC now",
        request=None,
        responses={200: DocumentOutput},
        parameters=[IDEMPOTENCY_KEY],
    )
    @action(detail=True, methods=["post"])
    @once_under_a_lease
    def refresh(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        refresh.refresh(document)
        return self.answer(document)

    @extend_schema(
        summary="Mail the document again",
        request=EmailInput,
        responses={202: EmailOutput},
        parameters=[IDEMPOTENCY_KEY],
    )
    @action(detail=True, methods=["post"], throttle_classes=[ApiKeyRate, EmailRate])
    @once_in_one_commit
    def email(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        wanted = sound(EmailInput(), request.data or {})
        delivery = deliver.send_again(
            document, to=wanted.get("to", []), message=wanted.get("message", "")
        )
        return Response(EmailOutput(delivery).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Its PDF: the PAC's, and ours as long as that is late",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
        parameters=[RENDER, PAPER],
    )
    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: Any = None) -> FileResponse:
        ours, paper = chosen(request, "render", ["pac", "cifras"]), paper_of(request)
        document = self.get_object()
        stored = [file for file in document.files.all() if file.kind == FileKind.PDF]
        wants_ours = ours == "cifras" and not document.is_proforma
        if stored and not wants_ours:
            return FileResponse(
                stored[-1].content.open(), filename=stored[-1].name, content_type="application/pdf"
            )
        if not document.invoice_number:
            raise NotFound("The document has no PDF yet.", code="no_file")
        page = BytesIO(our_cafe(document, paper))
        name = f"{document.invoice_number}.pdf"
        return FileResponse(page, filename=name, content_type="application/pdf")

    @extend_schema(
        summary="Its signed XML", responses={(200, "application/xml"): OpenApiTypes.BINARY}
    )
    @action(detail=True, methods=["get"])
    def xml(self, request: Request, pk: Any = None) -> FileResponse:
        file = xml_of(self.get_object())
        if file is None:
            raise NotFound("The document has no XML yet.", code="no_file")
        return FileResponse(file.content.open(), filename=file.name, content_type="application/xml")

    @extend_schema(summary="Its history", responses={200: EventOutput(many=True)})
    @action(detail=True, methods=["get"], filterset_class=None, pagination_class=OldestFirstPage)
    def events(self, request: Request, pk: Any = None) -> Response:
        history: Any = self.get_object().history.all()
        page: Any = self.paginate_queryset(history)
        return self.get_paginated_response(EventOutput(page, many=True).data)

    @extend_schema(
        summary="Void it at the PAC, or cancel a proforma",
        request=VoidInput,
        responses={200: DocumentOutput, 202: DocumentOutput},
        parameters=[WAIT, IDEMPOTENCY_KEY],
    )
    @action(detail=True, methods=["post"])
    @once_in_one_commit
    def void(self, request: Request, pk: Any = None) -> Response | Awaited:
        seconds = wait_seconds(request)
        document = self.get_object()
        wanted = sound(VoidInput(), request.data)
        event = void.request_void(document, reason=wanted["reason"])
        if event is None:
            return self.answer(document)
        return self.accepted(document, partial(wait_for_void, event), seconds)

    @extend_schema(
        methods=["GET"], summary="Money received", responses={200: PaymentOutput(many=True)}
    )
    @extend_schema(
        methods=["POST"],
        summary="Record money received",
        request=PaymentInput,
        responses={201: PaymentOutput},
        parameters=[IDEMPOTENCY_KEY],
    )
    @action(
        detail=True,
        methods=["get", "post"],
        filterset_class=None,
        pagination_class=OldestFirstPage,
    )
    @once_in_one_commit
    def payments(self, request: Request, pk: Any = None) -> Response:
        document = self.get_object()
        if request.method == "POST":
            payment = payments.receive(document, **sound(PaymentInput(), request.data))
            return Response(PaymentOutput(payment).data, status=status.HTTP_201_CREATED)
        received: Any = document.payments.all()
        page: Any = self.paginate_queryset(received)
        return self.get_paginated_response(PaymentOutput(page, many=True).data)

    @extend_schema(summary="Take back a payment recorded by mistake", responses={204: None})
    @action(detail=True, methods=["delete"], url_path="payments/<uuid:payment>", url_name="payment")
    def remove_payment(self, request: Request, payment: UUID, pk: Any = None) -> Response:
        if not payments.remove(self.get_object(), payment):
            raise NotFound("The document has no such payment.")
        return Response(status=status.HTTP_204_NO_CONTENT)


def chosen(request: Request, name: str, values: list[str]) -> str:
    """The query parameter `name`, which is one of `values`; the first where it is left out."""
    value = request.query_params.get(name, values[0])
    if value not in values:
        raise ValidationError({name: f"One of {', '.join(values)}."}, code="invalid_choice")
    return value


def paper_of(request: Request) -> CafeFormat:
    return CafeFormat(chosen(request, "paper", [paper.value for paper in CafeFormat]))


def sound(serializer: ThoroughSerializer, data: Any) -> dict[str, Any]:
    """The body, all of it understood; raises the validation error with every fault."""
    found, faults = read(serializer, data)
    if faults:
        raise as_validation_error(faults)
    return found
