"""Issuing: the PAC judges a document at once and takes its number for good."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from ulid import ULID

from pac.dgi import cufe as cufe_of
from pac.dgi.calendar import panama_date
from pac.sandbox.access import company_named
from pac.sandbox.kinds import Kind
from pac.sandbox.lookups import Lookups
from pac.sandbox.onboarding import NOT_AFFILIATED
from pac.sandbox.options import Options
from pac.sandbox.records import PAC_REJECTED, SUBSCRIBED, Company, Document, Number, Office
from pac.sandbox.rules import check_document
from pac.sandbox.rules.money import amounts_of
from pac.sandbox.rules.receiver import RUC_TYPES
from pac.sandbox.rules.references import check_references, find_originals
from pac.sandbox.state import IssuePost, State
from pac.sandbox.verdicts import Verdicts
from pac.sandbox.webhooks import Webhooks
from pac.sandbox.wire import ApiError, Problem, Request, Response, dumps

REJECT_WORD = "REJECT-PAC"
REJECTION = Problem("2056", "Valor total del ítem inválido", "instance.items[0]")
NUMBER_USED = Problem("1513", "numeration already used", "instance.information.numeration")


class Issuing:
    """POST of an invoice, a credit note or a debit note."""

    def __init__(
        self,
        state: State,
        options: Options,
        lookups: Lookups,
        verdicts: Verdicts,
        webhooks: Webhooks,
        clock: Callable[[], datetime],
    ) -> None:
        self._state = state
        self._options = options
        self._lookups = lookups
        self._verdicts = verdicts
        self._webhooks = webhooks
        self._clock = clock
        self._qr_key = secrets.token_bytes(32)

    def count(self, request: Request) -> None:
        """Note which number a POST asks for, whatever becomes of the call."""
        try:
            number = Number.of(request.query.get("idCompany", ""), request.json_object())
        except (ApiError, KeyError, TypeError):
            return
        post = IssuePost(
            number.company_id, number.document_type, number.billing_point, number.numeration
        )
        with self._state.lock:
            self._state.posts[post] += 1

    def issue(self, request: Request, kind: str) -> Response:
        """201 with the document, or 400 with every problem at once.

        A used number is refused before anything else is looked at. A document that is refused
        for its form leaves its number free; one that the PAC rejects (REJECT-PAC) does not.
        """
        try:
            return self._issue(request, kind)
        except ApiError as refusal:
            if self._options.reject_inside_2xx and refusal.problems:
                return _rejected(refusal.problems)
            raise

    def _issue(self, request: Request, kind: str) -> Response:
        family = Kind.of_path(kind)
        company = company_named(self._state, request)
        payload = request.json_object()
        if company.affiliated != SUBSCRIBED:
            message = "Company QR not requested or wrong"
            raise ApiError.refused(Problem(NOT_AFFILIATED, message, "idCompany"))
        # The pure rules take the longest and need no lock.
        checked = check_document(family, payload, self._clock())
        with self._state.lock:
            self._refuse_used_number(company, payload)
            if not checked.is_well_formed:
                raise ApiError.refused(*checked.problems)
            return self._judge(family, company, payload, checked.problems)

    def _refuse_used_number(self, company: Company, payload: dict[str, Any]) -> None:
        try:
            number = Number.of(company.id, payload)
        except (KeyError, TypeError):
            return
        if self._state.by_number(number) is not None:
            raise ApiError.refused(NUMBER_USED)

    def _judge(
        self, kind: Kind, company: Company, payload: dict[str, Any], problems: list[Problem]
    ) -> Response:
        """Check a well-formed document against what the PAC holds, then take it."""
        # A note may refer to an invoice whose verdict is due right now.
        self._verdicts.decide_due()
        originals = find_originals(self._state, company.id, payload)
        total = amounts_of(payload).total
        office = company.offices.get(payload["idOffice"])
        problems = [
            *problems,
            *self._record_problems(office, payload),
            *check_references(self._state, kind, payload, total, originals),
        ]
        if problems or office is None:
            raise ApiError.refused(*problems)
        cufe = self._cufe(company, office, payload["information"])
        document = Document(
            id=str(ULID()),
            kind=kind,
            number=Number.of(company.id, payload),
            cufe=cufe,
            qr=self._qr(cufe, payload),
            total=total,
            payload=payload,
            accepted_at=self._clock(),
            reference_ids=[original.id for original in originals.values()],
        )
        return self._take(company, document)

    def _take(self, company: Company, document: Document) -> Response:
        if document.mentions(REJECT_WORD):
            document.legal_status = PAC_REJECTED
            document.government_response = [{"code": REJECTION.code, "message": REJECTION.message}]
            self._state.add_document(document)
            raise ApiError.refused(REJECTION)
        self._state.add_document(document)
        self._webhooks.announce(company, document)
        self._verdicts.add(document)
        answer = {"message": "Document created successfully", "document": document.wire()}
        return Response(201, answer)

    def _record_problems(self, office: Office | None, payload: dict[str, Any]) -> list[Problem]:
        found = []
        if office is None:
            message = "instance.idOffice is not an office of the company"
            found.append(Problem("1566", message, "instance.idOffice"))
        ruc = payload["receiver"].get("ruc", {}).get("ruc")
        if ruc and not self._lookups.exists(ruc):
            message = "RUC inexistente en los registros de la DIRECCIÓN GENERAL DE INGRESOS"
            found.append(Problem("1602", message, "instance.receiver.ruc"))
        return found

    def _cufe(self, company: Company, office: Office, header: dict[str, Any]) -> str:
        return cufe_of.build(
            document_type=header["documentType"],
            ruc_type=RUC_TYPES[company.ruc_type],
            ruc=company.ruc,
            dv=company.details["checkDigit"],
            branch=office.code,
            issued_on=panama_date(datetime.fromisoformat(header["issueDate"])),
            number=header["numeration"],
            billing_point=header["billingPoint"],
            issue_type=header["issueType"],
            environment=self._options.environment,
            security_code=header["securityCode"],
        )

    def _qr(self, cufe: str, payload: dict[str, Any]) -> str:
        """The link that only a PAC can make: its token is signed with the PAC's own key."""
        environment = self._options.environment
        digest = base64.b64encode(hashlib.sha256(dumps(payload).encode()).digest()).decode()
        header = _segment(b'{"alg":"HS256","typ":"JWT"}')
        claims = _segment(dumps({"chFE": cufe, "iAmb": environment, "digest": digest}).encode())
        signed = f"{header}.{claims}"
        signature = _segment(hmac.digest(self._qr_key, signed.encode(), "sha256"))
        return (
            f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={cufe}&iAmb={environment}"
            f"&digestValue={digest.replace('+', '%2B')}&jwt={signed}.{signature}"
        )


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _rejected(problems: Sequence[Problem]) -> Response:
    """The refusal as an answer of 200: a document without an id that is `PAC_REJECTED`."""
    complaints = [each._asdict() for each in problems]
    document = {"legalStatus": PAC_REJECTED, "governmentResponse": complaints}
    return Response(200, {"message": "Document processed", "document": document})
