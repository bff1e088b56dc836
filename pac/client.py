"""The PAC (Alanube, Panama) over HTTP: one method per call, errors by meaning, nothing repeated.

A call is sent once. Whether it may be sent again is the caller's to decide, from the class of the
error (`pac.errors`). No call is made inside a database transaction: the answer must be committed
by itself, and a slow PAC must not hold locks.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar
from urllib.parse import quote

import requests
from django.db import connections

from pac import transport, wire
from pac.answers import (
    Affiliation,
    CatalogueEntry,
    CheckDigit,
    Company,
    DocumentAnswer,
    PacOffice,
    parse_list,
)
from pac.download import PDF, Downloader
from pac.errors import (
    Ambiguous,
    InsideTransaction,
    NotFound,
    PacError,
    Unauthorized,
    Unavailable,
    from_answer,
    from_response,
)

log = logging.getLogger(__name__)

T = TypeVar("T")
Json = Mapping[str, Any]

API = "/pan/v1"
MASK = "***"
MAX_TEXT = 2000  # characters kept of an answer that is not JSON
_SECRET_KEYS = frozenset({"certificates", "password", "x-pac-signature", "webhooksecret"})


class Kind(StrEnum):
    """The collections of documents at the PAC."""

    INVOICE = "invoices"
    CREDIT_NOTE = "credit-notes"
    DEBIT_NOTE = "debit-notes"


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call as it happened, to be kept: no token, no secret, no body of a /companies call.

    `path` has the query and no host; `status` is `None` where no complete answer came; `response`
    is parsed JSON (decimals as `Decimal`) or text; `error` is empty where the call did its work.
    """

    method: str
    path: str
    status: int | None
    request: dict[str, Any] | None
    response: Any
    elapsed_ms: int
    error: str


class PacClient:
    """Calls to the PAC with one token. Threads may share it; `close()` it at the end.

    Time-outs are in seconds. Every method raises `PacError` in one of its meanings, and
    `InsideTransaction` while this thread has a transaction open. `record` receives an `Exchange`
    after each call, also after one that failed; `session` and `downloader` share their pools
    between clients.
    """

    def __init__(
        self,
        *,
        base_url: str,
        token: str,
        connect_timeout: float = 5.0,
        read_timeout: float = 30.0,
        duplicate_codes: frozenset[str] = frozenset({"1002", "1513"}),
        session: requests.Session | None = None,
        downloader: Downloader | None = None,
        record: Callable[[Exchange], object] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeouts = {"connect_timeout": connect_timeout, "read_timeout": read_timeout}
        self._duplicate_codes = duplicate_codes
        self._session = session or transport.open_session()
        self._owns_session = session is None
        self._downloader = downloader or Downloader(self._base_url, **self._timeouts)
        self._owns_downloader = downloader is None
        self._record = record

    @property
    def total_deadline(self) -> float:
        """Seconds that one call may take altogether; leases are sized by it."""
        return sum(self._timeouts.values())

    def close(self) -> None:
        """Close the connections; what was handed in stays open."""
        if self._owns_downloader:
            self._downloader.close()
        if self._owns_session:
            self._session.close()

    # Onboarding

    def create_company(self, company: Json) -> Company:
        return self._call("POST", _path("companies"), Company.parse, body=company)

    def update_company(self, company_id: str, changes: Json) -> None:
        self._call("PATCH", _path("companies", company_id), _anything, body=changes)

    def get_company(self, company_id: str) -> Company:
        return self._call("GET", _path("companies", company_id), Company.parse)

    def list_companies(self) -> list[Company]:
        return self._call("GET", _path("companies"), parse_list(Company.parse))

    def affiliate(self, company_id: str, affiliation_type: int) -> Affiliation:
        """Type 3 asks for the QR that the taxpayer scans, type 1 finishes the affiliation."""
        query = {**_company(company_id), "affiliationType": str(affiliation_type)}
        return self._call("GET", _path("company-affiliate"), Affiliation.parse, query=query)

    def create_office(self, company_id: str, office: Json) -> PacOffice:
        path = _path("companies", company_id, "offices")
        return self._call("POST", path, PacOffice.parse, body=office)

    def list_offices(self, company_id: str) -> list[PacOffice]:
        path = _path("companies", company_id, "offices")
        return self._call("GET", path, parse_list(PacOffice.parse))

    def get_office(self, company_id: str, office_id: str) -> PacOffice:
        return self._call(
            "GET", _path("companies", company_id, "offices", office_id), PacOffice.parse
        )

    def update_office(self, company_id: str, office_id: str, changes: Json) -> None:
        path = _path("companies", company_id, "offices", office_id)
        self._call("PATCH", path, _anything, body=changes)

    # Look-ups

    def check_digit(self, ruc: str, ruc_type: str) -> CheckDigit:
        """`ruc_type` is `NATURAL` or `JURIDICO`; `Rejected` means that there is no such RUC."""
        query = {"ruc": ruc, "type": ruc_type}
        return self._call("GET", _path("check-digit"), CheckDigit.parse, query=query)

    def catalogue(self, name: str) -> list[CatalogueEntry]:
        return self._call("GET", _path("dgi", name), parse_list(CatalogueEntry.parse))

    # Documents

    def issue(self, kind: Kind, company_id: str, payload: Json) -> DocumentAnswer:
        """Post a document. Raises `Duplicate` where its numbering is used already, `Rejected` for
        every other refusal, be it a status of 4xx or a `PAC_REJECTED` inside a 2xx."""
        query = _company(company_id)
        return self._call("POST", _path(kind), self._taken, query=query, body=payload)

    def _taken(self, body: Any) -> DocumentAnswer:
        answer = DocumentAnswer.parse(body)
        if answer.legal_status == "PAC_REJECTED":
            raise from_answer(answer, duplicate_codes=self._duplicate_codes)
        return answer

    def read(
        self, kind: Kind, company_id: str, document_id: str, documents: str = "pdf"
    ) -> DocumentAnswer:
        """One document; `documents` names the file links wanted: `pdf`, `xml,pdf`."""
        query = {**_company(company_id), "documents": documents}
        return self._call("GET", _path(kind, document_id), DocumentAnswer.parse, query=query)

    def find(
        self, kind: Kind, company_id: str, numeration: str, billing_point: str
    ) -> list[DocumentAnswer] | None:
        """Documents with this number, or `None` where the PAC does not have this call.

        The PAC may ignore the filter: compare the CUFE of what comes.
        """
        query = {
            **_company(company_id),
            "numeration": numeration,
            "billingPoint": billing_point,
        }
        try:
            return self._call("GET", _path(kind), parse_list(DocumentAnswer.parse), query=query)
        except NotFound:
            return None

    def void(self, kind: Kind, company_id: str, document_id: str, reason: str) -> None:
        """Ask to void a document; `reason` has 15 to 1000 characters.

        Raises `AlreadyVoid` where it is void already: after a lost answer, that is a success.
        """
        query = _company(company_id)
        path = _path(kind, document_id)
        self._call("DELETE", path, _anything, query=query, body={"reason": reason})

    def notify_email(
        self, kind: Kind, company_id: str, document_id: str, mail: str, message: str = ""
    ) -> None:
        """Let the PAC mail a document."""
        body = {
            "documentId": document_id,
            "mail": mail,
            "message": message,
            "documentType": kind.value.removesuffix("s"),
        }
        path = _path("documents", "notify-email")
        self._call("POST", path, _anything, query=_company(company_id), body=body)

    def notify_webhook(
        self, company_id: str, document_id: str, webhook_url: str, user_id: str, secret: str
    ) -> None:
        """Let the PAC send a document's webhook again."""
        body = {
            "documentId": document_id,
            "webhookUrl": webhook_url,
            "userId": user_id,
            "webhookSecret": secret,
        }
        path = _path("documents", "notify-webhook")
        self._call("POST", path, _anything, query=_company(company_id), body=body)

    def download(self, url: str, expect: bytes = PDF) -> bytes:
        """The file behind a link, which begins with `expect`; see `Downloader.fetch`."""
        refuse_inside_transaction()
        return self._downloader.fetch(url, expect)

    def _call(
        self,
        method: str,
        path: str,
        parse: Callable[[Any], T],
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
    ) -> T:
        refuse_inside_transaction()
        request = self._prepare(method, path, query, body)
        started = time.monotonic()
        status: int | None = None
        answer: Any = None
        error = "Interrupted"  # what stays when the worker is killed in the middle
        try:
            reply = transport.send(self._session, request, **self._timeouts)
            status, answer = reply.status, _read(reply.content)
            if not 200 <= status < 300:
                raise from_response(
                    status,
                    answer,
                    retry_after=reply.headers.get("Retry-After"),
                    duplicate_codes=self._duplicate_codes,
                    voiding=method == "DELETE",
                )
            result = parse(answer)
            error = ""
        except transport.TooLarge as too_large:
            error = "The answer is larger than 10 MiB."
            raise Ambiguous(error) from too_large
        except PacError as failure:
            failure.status = failure.status or status
            error = f"{type(failure).__name__}: {failure.message}"
            raise
        finally:
            elapsed_ms = round((time.monotonic() - started) * 1000)
            self._keep(method, request.path_url, status, body, answer, elapsed_ms, error)
        return result

    def _prepare(
        self, method: str, path: str, query: Mapping[str, str] | None, body: Json | None
    ) -> requests.PreparedRequest:
        if not (self._token.isascii() and self._token.isprintable()):
            raise Unauthorized("The PAC token has characters that no HTTP header can carry.")
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = wire.encode(body).encode()
        request = requests.Request(
            method, self._base_url + path, params=query, headers=headers, data=data
        )
        try:
            return self._session.prepare_request(request)
        except requests.RequestException as error:
            raise Unavailable("The PAC's address is not a URL.") from error

    def _keep(
        self,
        method: str,
        path: str,
        status: int | None,
        request: Json | None,
        response: Any,
        elapsed_ms: int,
        error: str,
    ) -> None:
        if path.startswith(f"{API}/companies"):  # certificates go in, echoes may come out
            request = response = None
            error = error.partition(":")[0]
        log.info("PAC %s %s: %s in %d ms %s", method, path, status, elapsed_ms, error)
        if self._record is None:
            return
        try:
            self._record(
                Exchange(method, path, status, mask(request), mask(response), elapsed_ms, error)
            )
        except Exception:  # an answer must not be lost because it could not be noted down
            log.exception("A PAC exchange could not be recorded")


def refuse_inside_transaction() -> None:
    """Raise `InsideTransaction` while a database connection of this thread is in a transaction."""
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block:
            raise InsideTransaction(
                f"The PAC is called inside a transaction on {connection.alias!r}: commit first."
            )


def mask(value: Any) -> Any:
    """A copy of JSON-like `value` with every secret replaced by `***`."""
    if isinstance(value, Mapping):
        return {
            key: MASK if str(key).lower() in _SECRET_KEYS else mask(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask(item) for item in value]
    return value


def _read(content: bytes) -> Any:
    """JSON where it is JSON, else the beginning of the text, else `None`."""
    try:
        return wire.decode(content)
    except ValueError:
        text = content[: 4 * MAX_TEXT].decode("utf-8", "replace")
        return wire.storable_text(text).strip()[:MAX_TEXT] or None


def _path(*parts: str) -> str:
    """A path of the API; an empty part would name another thing, so it is refused."""
    if not all(parts):
        raise ValueError(f"An id is missing in {'/'.join(parts)}")
    return "/".join((API, *(quote(part, safe="") for part in parts)))


def _company(company_id: str) -> dict[str, str]:
    """Without it the PAC takes the token's main company: somebody else's document."""
    if not company_id:
        raise ValueError("A document call names its company")
    return {"idCompany": company_id}


def _anything(answer: Any) -> None:
    """Any 2xx will do."""
