"""What the tests of the documents' pages share: somebody at the desk, and an invoice."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from conftest import body, sign_in, work
from invoicing.models import Document
from pac.sandbox import Sandbox
from tenants.models import User

LIST = "/admin/invoicing/invoice/"
DOUBT = {
    "code": "match_doubted",
    "message": "?",
    "document_id": "01J0AAAAAAAAAAAAAAAAAAAAAA",
    "differences": {"total": {"ours": "203.30", "pac": "999.00"}},
    "pac": {"receiver_name": "Otro Receptor, S.A.", "total": "999.00"},
}


@pytest.fixture
def desk(client: Client, db: None) -> Client:
    """A superuser's browser: whoever may do everything, and still changes nothing by hand."""
    return sign_in(client, User.objects.create_superuser("rosa", "rosa@cifras.test", "x"))


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    """An invoice that the DGI has authorised, with its PDF."""
    return issued(api)


def issued(api: APIClient, *, done: bool = True, **changes: object) -> Document:
    """An invoice issued over REST, and worked on until nothing is left to do."""
    pk = api.post("/api/v1/invoices", body(**changes)).data["id"]
    if done:
        work()
    document: Document = Document.unscoped.get(pk=pk)
    return document


def rejected(api: APIClient, by: str = "DGI", **changes: object) -> Document:
    """An invoice that was refused."""
    lines = [body()["lines"][0] | {"description": f"REJECT-{by}"}]
    return issued(api, lines=lines, **changes)


def page_of(document: Document) -> str:
    return f"{LIST}{document.pk}/change/"


def act_on(document: Document, action: str) -> str:
    return f"{LIST}{document.pk}/do/{action}/"
