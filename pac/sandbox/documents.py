"""What can be done with a document that the PAC holds: read, list, announce again, void."""

from collections.abc import Callable
from datetime import datetime, timedelta

from pac.sandbox.access import company_named, owned_document
from pac.sandbox.company_shape import NOTIFY_EMAIL, NOTIFY_WEBHOOK, VOID
from pac.sandbox.files import SignedLinks
from pac.sandbox.kinds import Kind
from pac.sandbox.options import Options
from pac.sandbox.records import DGI_AUTHORIZED, PAC_REJECTED, Document
from pac.sandbox.shape import problems_of
from pac.sandbox.state import State
from pac.sandbox.verdicts import Verdicts
from pac.sandbox.webhooks import Webhooks
from pac.sandbox.wire import ApiError, Request, Response

VOID_WINDOW = timedelta(hours=182)
LONGEST_LIST = 100

WORDS = {kind.word: kind for kind in Kind}


class Documents:
    """Calls about one document, or a list of them."""

    def __init__(
        self,
        state: State,
        options: Options,
        verdicts: Verdicts,
        webhooks: Webhooks,
        links: SignedLinks,
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._options = options
        self._verdicts = verdicts
        self._webhooks = webhooks
        self._links = links
        self._clock = clock

    def read(self, request: Request, kind: str, document: str) -> Response:
        """The document; `pdf` once authorised by the PAC, `xml` where `documents` asks for it."""
        self._verdicts.decide_due()
        company = company_named(self._state, request)
        with self._state.lock:
            found = owned_document(self._state, company, document, Kind.of_path(kind))
            return Response(200, {"message": "OK", "document": self._wire(request, found)})

    def _wire(self, request: Request, document: Document) -> dict[str, object]:
        wanted = request.query.get("documents", "pdf").split(",")
        has_files = document.legal_status != PAC_REJECTED and not self._options.withhold_pdf
        return document.wire(
            **{
                form: self._links.link(request.origin, document, form)
                for form in ("pdf", "xml")
                if form in wanted and has_files
            }
        )

    def find(self, request: Request, kind: str) -> Response:
        """A company's documents of a family, by `numeration`, `billingPoint`, `documentType`.

        At most the latest hundred, latest first.
        """
        self._verdicts.decide_due()
        company = company_named(self._state, request)
        if self._options.list_missing:
            raise ApiError.because(404, "Not found")
        numeration = request.query.get("numeration")
        billing_point = request.query.get("billingPoint")
        document_type = request.query.get("documentType")
        with self._state.lock:
            found = [
                each
                for each in self._state.listed(company.id, Kind.of_path(kind), numeration)
                if not self._options.list_behind
                and billing_point in (None, each.number.billing_point)
                and document_type in (None, each.number.document_type)
            ]
            page = [each.wire() for each in reversed(found[-LONGEST_LIST:])]
        return Response(200, {"metadata": {"total": len(found)}, "documents": page})

    def notify_email(self, request: Request) -> Response:
        """Takes the order; the sandbox sends no mail."""
        company = company_named(self._state, request)
        body = request.json_object()
        if problems := problems_of(body, NOTIFY_EMAIL):
            raise ApiError.refused(*problems)
        owned_document(self._state, company, body["documentId"], WORDS[body["documentType"]])
        return Response(200, {"message": "Email sent successfully"})

    def notify_webhook(self, request: Request) -> Response:
        """Sends a document's status again, to the URL that the caller names."""
        self._verdicts.decide_due()
        company = company_named(self._state, request)
        body = request.json_object()
        if problems := problems_of(body, NOTIFY_WEBHOOK):
            raise ApiError.refused(*problems)
        document = self._state.documents.get(body["documentId"])
        if document is None or document.company_id != company.id:
            raise ApiError.because(404, "Document not found")
        names = {"webhookSecret": "X-Pac-Signature", "userId": "X-User-Id"}
        headers = {header: body[name] for name, header in names.items() if body.get(name)}
        self._webhooks.send(body["webhookUrl"], headers, document)
        return Response(200, {"message": "Webhook sent successfully"})

    def void(self, request: Request, kind: str, document: str) -> Response:
        """File the event of anulación: the document's legal status stays what it is."""
        self._verdicts.decide_due()
        company = company_named(self._state, request)
        with self._state.lock:
            found = owned_document(self._state, company, document, Kind.of_path(kind))
            body = request.json_object()
            if problems := problems_of(body, VOID):
                raise ApiError.refused(*problems)
            self._refuse_void(found)
            found.void_reason = body["reason"]
            self._state.touch(found)
            return Response(200, {"message": "Document voided", "document": found.wire()})

    def _refuse_void(self, document: Document) -> None:
        if document.is_voided:
            raise ApiError.because(400, "The document is already voided (ya fue anulado)")
        if document.legal_status != DGI_AUTHORIZED:
            message = (
                f"Only a document authorized by the DGI can be voided: {document.legal_status}"
            )
            raise ApiError.because(400, message)
        if self._clock() - document.issue_date > VOID_WINDOW:
            raise ApiError.because(400, "The document is outside the 182 hours to void it")
