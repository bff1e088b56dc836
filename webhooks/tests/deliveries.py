"""What the PAC delivers, and the documents that it speaks of."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from django.utils import timezone
from rest_framework.test import APIClient

from conftest import LONG_AGO, body
from invoicing import pump
from invoicing.models import Document
from pac.sandbox import Sandbox
from tenants.models import Tenant
from webhooks import inbox
from webhooks.models import PacDelivery

ULID = "01HZZZZZZZZZZZZZZZZZZZZZZZ"


def told(document_id: Any, **more: Any) -> dict[str, Any]:
    return {"id": document_id, "legalStatus": "DGI_AUTHORIZED"} | more


def receive(tenant: Tenant, said: Any) -> PacDelivery:
    text = json.dumps(said)
    inbox.store(tenant, text.encode())
    return PacDelivery.unscoped.get(tenant=tenant, body=text)


def attend_all() -> None:
    PacDelivery.unscoped.filter(next_try_at__isnull=False).update(next_try_at=LONG_AGO)
    inbox.attend()


def issued(api: APIClient, **changes: Any) -> Document:
    answer = api.post("/api/v1/invoices", body(**changes))
    assert answer.status_code == 201, answer.data
    return Document.unscoped.get(pk=answer.data["id"])


def accepted(api: APIClient, box: Sandbox) -> Document:
    """An invoice that the PAC has and the DGI has not judged; no poll of it is due."""
    box.options.dgi_delay = 3600
    document = issued(api)
    pump.drain("pac")
    document.refresh_from_db()
    assert document.document_id
    assert document.legal_status in (None, "PAC_AUTHORIZED")
    assert document.next_poll_at > timezone.now()
    return document


def lost(api: APIClient, box: Sandbox) -> Document:
    """An invoice that the PAC has, whose answer was lost on the way; no next attempt is due."""
    box.options.dgi_delay = 3600
    box.options.drop_next = 1
    document = issued(api)
    pump.drain("pac")
    document.refresh_from_db()
    assert (document.submission_state, document.document_id) == ("UNCERTAIN", None)
    assert box.documents[-1].cufe == document.computed_cufe
    return document


class Legal(NamedTuple):
    """What of a document only the PAC's word may move."""

    legal_status: str | None
    document_id: str | None
    invoice_number: str | None
    hinted: str
    next_poll_at: Any
    submission_state: str

    @classmethod
    def of(cls, document: Document) -> Legal:
        document.refresh_from_db()
        return cls(
            document.legal_status,
            document.document_id,
            document.invoice_number,
            document.hinted_document_id,
            document.next_poll_at,
            document.submission_state,
        )
