"""For every POST of the API a request that succeeds; the routes come from the URL resolver."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from rest_framework.test import APIClient

from conftest import LONG_AGO, body
from invoicing.models import Document, IdempotencyRecord
from invoicing.tests.elsewhere import a_cufe, told
from invoicing.tests.test_doors import DOORS, ROOT

KEY = {"HTTP_IDEMPOTENCY_KEY": "the client's own name for it"}
REASON = {"reason": "El cliente devolvió el pedido"}
KINDS = {"invoices": "01", "credit-notes": "06", "debit-notes": "07"}
WITHOUT_A_KEY = {
    "credit-notes/<uuid:pk>/payments": "nobody pays a credit note: every such POST is refused"
}


class Ask(NamedTuple):
    """A POST."""

    url: str
    body: Any


class Killed(BaseException):
    """The process dies here: nothing in it runs any more but what the database rolls back."""


def kill(*_: Any, **__: Any) -> None:
    raise Killed


def issued(api: APIClient, resource: str, **changes: Any) -> Document:
    posted = body(dgi_document_type=KINDS[resource], **changes)
    answer = api.post(f"/api/v1/{resource}", posted)
    assert answer.status_code == 201, answer.content
    return Document.unscoped.get(pk=answer.data["id"])


def authorised(api: APIClient, resource: str) -> Document:
    document = issued(api, resource)
    Document.unscoped.filter(pk=document.pk).update(
        legal_status="DGI_AUTHORIZED",
        submission_state="DONE",
        next_attempt_at=None,
        document_id=str(document.pk)[-26:],
        invoice_number=document.computed_cufe,
    )
    return document


def failed(api: APIClient, resource: str) -> Document:
    document = issued(api, resource)
    Document.unscoped.filter(pk=document.pk).update(submission_state="FAILED", next_attempt_at=None)
    return document


def proforma(api: APIClient, resource: str) -> Document:
    return issued(api, resource, generation_mode="PROFORM")


def to_create(api: APIClient, resource: str) -> Ask:
    if resource == "customers":
        return Ask("/api/v1/customers", {"type": "CONSUMIDOR_FINAL", "name": "Ana"})
    return Ask(f"/api/v1/{resource}", body(dgi_document_type=KINDS[resource]))


def to_import(api: APIClient, resource: str) -> Ask:
    wanted = told(cufe=a_cufe(document_type=KINDS[resource]))
    return Ask(f"/api/v1/{resource}/import", wanted)


def to_apply(api: APIClient, resource: str) -> Ask:
    invoice, note = authorised(api, "invoices"), authorised(api, resource)
    wanted = {"invoice": str(invoice.pk), "amount": "20.00"}
    return Ask(f"/api/v1/{resource}/{note.pk}/apply", wanted)


def to(verb: str, made: Callable[[APIClient, str], Document], said: Any = None) -> Any:
    def ask(api: APIClient, resource: str) -> Ask:
        return Ask(f"/api/v1/{resource}/{made(api, resource).pk}/{verb}", said)

    return ask


MADE: dict[str, Callable[[APIClient, str], Ask]] = {
    "": to_create,
    "import": to_import,
    "submit": to("submit", proforma),
    "retry": to("retry", failed),
    "refresh": to("refresh", issued),
    "email": to("email", proforma, {"to": ["x@y.test"], "message": "Adjunto"}),
    "void": to("void", authorised, REASON),
    "payments": to("payments", issued, {"amount": "20.00", "method": "02"}),
    "apply": to_apply,
}
POSTS = [
    door.route
    for door in DOORS
    if door.method == "post" and door.route.removeprefix(ROOT) not in WITHOUT_A_KEY
]
ISSUING = [route for route in POSTS if "<" not in route and not route.endswith("customers")]


def ask_of(route: str, api: APIClient) -> Ask:
    """A request to `route`; all that has to be there for it to succeed is there."""
    resource, _, rest = route.removeprefix(ROOT).partition("/")
    return MADE[rest.removeprefix("<uuid:pk>/")](api, resource)


def post(api: APIClient, ask: Ask, **headers: str) -> Any:
    return api.post(ask.url, ask.body, **(KEY | headers))


def expire() -> None:
    """The time of the one claim's lease passes."""
    assert IdempotencyRecord.unscoped.update(lease_expires_at=LONG_AGO) == 1


def is_new(answer: Any) -> bool:
    return 200 <= answer.status_code < 300 and not answer.has_header("Idempotency-Replayed")


def is_replay_of(first: Any, again: Any) -> bool:
    return (again.status_code, again.content, again.get("Idempotency-Replayed")) == (
        first.status_code,
        first.content,
        "true",
    )
