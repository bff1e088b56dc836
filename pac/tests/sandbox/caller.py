"""A client of the sandbox over real HTTP, and the bodies that it sends."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import requests

from pac.dgi.calendar import PANAMA
from pac.sandbox import Ids, Sandbox

TOKEN = "t0ken"
NOW = datetime(2026, 3, 2, 15, 30, tzinfo=UTC)
"""A Monday morning in Panama."""


class Clock:
    """A present that moves only when told to."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **span: float) -> None:
        self.now += timedelta(**span)


class Caller:
    """Calls with one token, for one company."""

    def __init__(self, box: Sandbox, token: str = TOKEN, ids: Ids | None = None) -> None:
        self.box = box
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["Authorization"] = f"Bearer {token}"
        self.token = token
        self.ids = ids or Ids("", "")

    def call(
        self, method: str, path: str, body: object = None, timeout: float = 5, **query: str
    ) -> requests.Response:
        given: dict[str, Any] = {} if body is None else {"json": body}
        url = f"{self.box.url}{path}"
        return self.session.request(method, url, params=query, timeout=timeout, **given)

    def about(self, method: str, path: str, body: object = None, **query: Any) -> requests.Response:
        """A call about documents of the caller's company."""
        return self.call(method, f"/pan/v1/{path}", body, idCompany=self.ids.company_id, **query)

    def issue(self, body: object, kind: str = "invoices", timeout: float = 5) -> requests.Response:
        return self.about("POST", kind, body, timeout=timeout)

    def issued(self, body: object, kind: str = "invoices") -> dict[str, Any]:
        answer = self.issue(body, kind)
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["document"])

    def authorized(self, body: object, kind: str = "invoices") -> dict[str, Any]:
        """Issue, and have the DGI decide."""
        document = self.issued(body, kind)
        self.box.settle()
        return self.read(document["id"], kind)

    def read(self, document_id: str, kind: str = "invoices", **query: str) -> dict[str, Any]:
        answer = self.about("GET", f"{kind}/{document_id}", **query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["document"])

    def invoice(self, number: int = 1, **header: Any) -> dict[str, Any]:
        """The document of the wire contract's example, for the caller's office."""
        body = deepcopy(EXAMPLE) | {"idOffice": self.ids.office_id}
        body["information"] |= {"numeration": f"{number:010}"} | header
        return body

    def note(
        self, number: int, original: dict[str, Any], document_type: str = "04", **header: Any
    ) -> dict[str, Any]:
        """A note on a document of ours, over the same lines."""
        code = {"modificationCode": 1 if document_type in ("04", "06") else 2}
        body = self.invoice(number, documentType=document_type, **code | header)
        reference = {"emissionType": "ID", "apiIdentification": original["id"]}
        reference["issueDate"] = original["documentIssueDate"]
        return body | {"referencedDocuments": [reference]}


def messages(answer: requests.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [each["message"] for each in answer.json()["errors"]]


def codes(answer: requests.Response) -> list[str]:
    assert answer.status_code == 400, answer.text
    return [each["code"] for each in answer.json()["errors"]]


def put(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    """Set one value of a body, like `put(body, "items.0.itbms.rate", "09")`."""
    *parents, last = path.split(".")
    target: Any = body
    for name in parents:
        target = target[int(name)] if isinstance(target, list) else target[name]
    if isinstance(target, list):
        target[int(last)] = value
    else:
        target[last] = value
    return body


EXAMPLE: dict[str, Any] = {
    "information": {
        "issueType": "01",
        "documentType": "01",
        "numeration": "0000000123",
        "billingPoint": "001",
        "securityCode": "481516234",
        "issueDate": NOW.astimezone(PANAMA).isoformat(),
        "nature": "01",
        "operationType": 1,
        "destination": 1,
        "receiverContainer": 1,
        "saleType": 1,
        "cafe": {"format": 3, "delivery": 3},
        "information": "free text",
    },
    "receiver": {
        "type": "01",
        "ruc": {"type": 2, "ruc": "155711111-2-2022"},
        "name": "Cliente Prueba, S.A.",
        "address": "Calle 50",
        "location": {"code": "8-8-7"},
        "country": "PA",
        "telephones": ["269-1234"],
        "emails": ["pagos@cliente.test"],
    },
    "items": [
        {
            "number": "0001",
            "description": "Soporte mensual",
            "code": "SRV-01",
            "unit": "und",
            "quantity": 2,
            "cpbs": {"code": "8111", "unit": "und"},
            "prices": {"transfer": 100.00, "discount": 5.00},
            "itbms": {"rate": "01"},
        },
        {
            "number": "0002",
            "description": "Libro",
            "code": "LIB-7",
            "unit": "und",
            "quantity": 1,
            "prices": {"transfer": 20.00},
            "itbms": {"rate": "00"},
        },
    ],
    "totals": {
        "paymentTime": 2,
        "paymentMethods": [{"type": "01", "amount": 223.30}],
        "installmentPayment": [
            {
                "sequence": 1,
                "dueDate": "2026-03-31T12:00:00-05:00",
                "amount": 223.30,
                "information": "Cuota unica",
            }
        ],
        "retention": {"code": "4", "amount": 6.65},
    },
}

CASH = {"paymentTime": 1, "paymentMethods": [{"type": "02", "amount": 223.30}]}


class Inbox:
    """An endpoint that takes webhooks; it answers the next calls with `answers`, then 200."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: list[int] = []
        self.received: list[tuple[dict[str, str], dict[str, Any]]] = []

    @property
    def statuses(self) -> list[str]:
        return [body["legalStatus"] for _, body in self.received]


@contextmanager
def open_inbox() -> Iterator[Inbox]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            status = inbox.answers.pop(0) if inbox.answers else 200
            if status == 200:
                body = json.loads(content)
                inbox.received.append((dict(self.headers.items()), body))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox = Inbox(f"http://127.0.0.1:{server.server_address[1]}/webhooks/pac/1")
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
