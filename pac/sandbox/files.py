"""Signed links to a document's PDF and XML, and the files behind them."""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime
from xml.etree import ElementTree as ET

from pac.sandbox.options import Options
from pac.sandbox.printed import printed
from pac.sandbox.records import Company, Document
from pac.sandbox.state import State
from pac.sandbox.wire import ApiError, Request, Response

NAMESPACE = "http://dgi-fep.mef.gob.pa"


class SignedLinks:
    """Links that anybody may follow for some minutes, and nobody may make.

    The key lives as long as the process: links do not survive a restart.
    """

    def __init__(self, state: State, options: Options, clock: Callable[[], datetime]) -> None:
        self._state = state
        self._options = options
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def link(self, origin: str, document: Document, form: str) -> str:
        """`form` is pdf or xml; `origin` is where the caller reaches the sandbox."""
        expires = int(self._clock().timestamp() + self._options.link_seconds)
        token = self._token(document.id, form, str(expires))
        return f"{origin}/files/{document.id}.{form}?expires={expires}&token={token}"

    def download(self, request: Request, document: str, form: str) -> Response:
        """403 for a wrong or an expired link.

        400 where the call also carries credentials: the stores behind such links refuse two
        ways of authentication at once, and a client that sends its token there leaks it.
        """
        if "authorization" in request.headers:
            raise ApiError.because(400, "Only one auth mechanism allowed")
        expires = request.query.get("expires", "")
        right = self._token(document, form, expires)
        if not hmac.compare_digest(right.encode(), request.query.get("token", "").encode()):
            raise ApiError.because(403, "Invalid signature")
        if self._clock().timestamp() >= int(expires):
            raise ApiError.because(403, "Request has expired")
        found = self._state.documents.get(document)
        if found is None:
            raise ApiError.because(404, "Not found")
        company = self._state.companies[found.company_id]
        if form == "xml":
            return Response(200, xml_of(company, found), "application/xml")
        return Response(200, printed(company, found), "application/pdf")

    def _token(self, document_id: str, form: str, expires: str) -> str:
        text = f"{document_id}.{form}?{expires}"
        return hmac.new(self._key, text.encode(), "sha256").hexdigest()


def xml_of(company: Company, document: Document) -> bytes:
    """A stub of the signed XML: enough to recognise the document by."""
    header = document.payload["information"]
    root = ET.Element("rFE", xmlns=NAMESPACE)
    ET.SubElement(root, "dVerForm").text = "1.00"
    ET.SubElement(root, "dId").text = document.cufe
    general = ET.SubElement(root, "gDGen")
    ET.SubElement(general, "iDoc").text = document.number.document_type
    ET.SubElement(general, "dNroDF").text = document.numeration
    ET.SubElement(general, "dPtoFacDF").text = document.number.billing_point
    ET.SubElement(general, "dFechaEm").text = header["issueDate"]
    issuer = ET.SubElement(ET.SubElement(general, "gEmis"), "gRucEmi")
    ET.SubElement(issuer, "dTipoRuc").text = str(company.ruc_type)
    ET.SubElement(issuer, "dRuc").text = company.ruc
    ET.SubElement(issuer, "dDV").text = company.details["checkDigit"]
    totals = ET.SubElement(root, "gTot")
    ET.SubElement(totals, "dVTot").text = f"{document.total:.2f}"
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)
