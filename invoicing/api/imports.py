"""`POST /invoices/import`: an invoice issued elsewhere, told as JSON or shown as a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import DataAndFiles, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from invoicing.api.errors import as_validation_error
from invoicing.api.inputs import LINES_AT_MOST, IdField, InvoiceInput, LineInput, to_draft
from invoicing.api.once import IDEMPOTENCY_KEY, REPLAYED, idempotency_key
from invoicing.api.outputs import DocumentOutput, shown
from invoicing.api.thorough import AmountField, TextField, ThoroughList, WholeNumberField, read
from invoicing.errors import InvalidDocument
from invoicing.fiscal.draft import Fault
from invoicing.fiscal.imports import SAID_BY_THE_CUFE, ImportDraft
from invoicing.models import GenerationMode
from invoicing.models.documents import PacDocumentType
from invoicing.services.import_documents import import_invoice
from invoicing.services.qr_file import dgi_link
from pac.dgi.qr import cufe_in
from tenants.api.authentication import key_of
from tenants.api.parsers import StrictJSONParser

MODES_TO_IMPORT = [(GenerationMode.DGI_IMPORT.value, GenerationMode.DGI_IMPORT.label)]


class ImportInput(InvoiceInput):
    """The body of `POST /invoices/import`: `cufe`, `receiver`, and `lines` or a `total`.

    With a file its QR tells the `cufe`, and what is left out of the others stays unknown.
    """

    receiver_or_customer = False  # that depends: the rules of an import say when

    generation_mode = serializers.ChoiceField(choices=MODES_TO_IMPORT, required=False)
    cufe = TextField()
    number = TextField(required=False)
    total = AmountField(required=False)
    document_id = TextField(required=False, allow_blank=True, allow_null=True)
    qr_code_url = TextField(required=False, allow_blank=True, allow_null=True, max_length=4000)
    lines = ThoroughList(child=LineInput(), required=False, max_length=LINES_AT_MOST)


class NoteImportInput(ImportInput):
    """The body of `POST /credit-notes/import` and `/debit-notes/import`."""

    invoice = IdField(required=False, allow_null=True)
    modification_code = WholeNumberField(required=False, allow_null=True)


class ImportForm(serializers.Serializer[Any]):
    """A PDF, PNG, JPEG or WEBP with the DGI's QR on it, and what the QR does not tell."""

    file = serializers.FileField()
    total = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)
    document_id = serializers.CharField(required=False)
    due_date = serializers.DateField(required=False)
    notes = serializers.CharField(required=False)


class FormParser(MultiPartParser):
    """A form with files, in UTF-8. What Django finds suspicious (a thousand fields) is a 400."""

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> DataAndFiles:
        try:
            return super().parse(
                stream, media_type, dict(parser_context or {}) | {"encoding": "utf-8"}
            )
        except SuspiciousOperation as error:
            raise ParseError("The form has too many fields or files.") from error


class ImportReader:
    """Reads bodies, many with one serializer: making it costs more than reading with it."""

    def __init__(self, kind: PacDocumentType = PacDocumentType.INVOICE) -> None:
        self._kind = kind
        self._serializer = ImportInput() if kind == PacDocumentType.INVOICE else NoteImportInput()

    def read(self, data: Any) -> tuple[ImportDraft, list[Fault]]:
        """What a body tells of an import, and every fault of the rest. Raises `ValidationError`
        for what is no object at all."""
        found, faults = read(self._serializer, data)
        wanted = to_import(found, faults)
        wanted.draft.document_type = self._kind
        return wanted, faults


def read_form(form: QueryDict, reader: ImportReader) -> tuple[ImportDraft, list[Fault], bytes]:
    """The same of a form, and the content of its file. Raises `InvalidDocument` for a file without
    the DGI's QR."""
    content = _file_of(form)
    link = dgi_link(content)
    told: dict[str, Any] = {name: form[name] for name in form if name != "file"}
    cufe = cufe_in(link)
    wanted, faults = reader.read({"cufe": cufe, "qr_code_url": link} | told)
    faults += [
        Fault(name, "given_twice", "Give each field once.")
        for name in told
        if len(form.getlist(name)) > 1
    ]
    if wanted.cufe and wanted.cufe != cufe:
        faults.append(Fault("cufe", "cufe_mismatch", f"The QR says {cufe}."))
    wanted.from_file = True
    return wanted, faults, content


def _file_of(form: QueryDict) -> bytes:
    files = form.getlist("file")
    if len(files) != 1 or not isinstance(files[0], UploadedFile):
        raise InvalidDocument([Fault("file", "required", "Send one file, as `file`.")])
    content: bytes = files[0].read()
    return content


def to_import(found: dict[str, Any], faults: list[Fault]) -> ImportDraft:
    values = {name: value for name, value in found.items() if value is not None}
    own: dict[str, Any] = {
        name: values.pop(name)
        for name in ("cufe", "total", "document_id", "qr_code_url")
        if name in values
    }
    own["invoice_id"] = values.pop("invoice", None)
    told = {name: values.pop(name) for name in SAID_BY_THE_CUFE if name in values}
    draft = to_draft(values | {"generation_mode": GenerationMode.DGI_IMPORT}, faults)
    return ImportDraft(draft, told=told, **own)


class InvoiceImportView(APIView):
    """Records an invoice that was issued elsewhere. It is never submitted."""

    kind = PacDocumentType.INVOICE
    parser_classes = [StrictJSONParser, FormParser]

    @extend_schema(
        summary="Record an invoice issued elsewhere",
        description="As JSON, or as a form with a `file` whose QR tells CUFE, number and date. "
        "What a form leaves out of `total` and `receiver` stays unknown; the PDF is stored.",
        request={"application/json": ImportInput, "multipart/form-data": ImportForm},
        responses={201: DocumentOutput},
        parameters=[IDEMPOTENCY_KEY],
    )
    def post(self, request: Request) -> Response:
        content = b""
        try:
            if isinstance(request.data, QueryDict):
                wanted, faults, content = read_form(request.data, ImportReader(self.kind))
            else:
                wanted, faults = ImportReader(self.kind).read(request.data)
            issued = import_invoice(
                tenant=key_of(request).tenant,
                wanted=wanted,
                render=shown,
                faults=faults,
                idempotency=idempotency_key(request, said=_said(request.data, content)),
                content=content,
            )
        except InvalidDocument as error:
            raise as_validation_error(error.faults) from error
        headers = REPLAYED if issued.replayed else {}
        return Response(issued.answer, status=issued.status_code, headers=headers)


_NOTE = extend_schema(
    summary="Record a note issued elsewhere",
    request={"application/json": NoteImportInput, "multipart/form-data": ImportForm},
    responses={201: DocumentOutput},
    parameters=[IDEMPOTENCY_KEY],
)


@extend_schema_view(post=_NOTE)
class CreditNoteImportView(InvoiceImportView):
    """Records a credit note that was issued elsewhere; with an `invoice` it counts against it."""

    kind = PacDocumentType.CREDIT_NOTE


@extend_schema_view(post=_NOTE)
class DebitNoteImportView(InvoiceImportView):
    """Records a debit note that was issued elsewhere."""

    kind = PacDocumentType.DEBIT_NOTE


def _said(data: Any, content: bytes) -> Any:
    """The request as the idempotency key knows it: a file by what is in it, not by its name."""
    if not isinstance(data, QueryDict):
        return data
    texts = {name: data.getlist(name) for name in data if name != "file"}
    return texts | {"file": hashlib.sha256(content).hexdigest()}
