"""Our own CAFE over the API: while the PAC's is late, and on request."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pypdf import PdfReader
from rest_framework.test import APIClient

from conftest import body, work
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(response: Any) -> str:
    assert response.status_code == 200, response
    page = PdfReader(BytesIO(b"".join(response.streaming_content))).pages[0]
    return " ".join(page.extract_text().split())


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> dict[str, Any]:
    posted: dict[str, Any] = api.post("/api/v1/invoices", body()).data
    return posted


def test_it_stands_in_while_the_pacs_is_late(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    path = f"/api/v1/invoices/{invoice['id']}/pdf"
    assert api.get(path).status_code == 404
    box.options.update({"withhold_pdf": True})
    work()
    page = page_of(api.get(path))
    assert "COMPROBANTE AUXILIAR DE FACTURA ELECTRONICA" in page
    assert "Consultas/FacturasPorCUFE" in page
    box.options.update({"withhold_pdf": False})
    work()
    shown = api.get(f"/api/v1/invoices/{invoice['id']}").data
    stored = b"".join(api.get(path).streaming_content)
    assert len(stored) == shown["files"][0]["size"]


@pytest.mark.parametrize("paper", ["letter", "tape"])
def test_it_is_drawn_on_request(
    api: APIClient, invoice: dict[str, Any], box: Sandbox, paper: str
) -> None:
    work()
    path = f"/api/v1/invoices/{invoice['id']}/pdf?render=cifras&paper={paper}"
    page = page_of(api.get(path))
    assert "sin valor comercial ni fiscal" in page
    assert invoice["number"] in page


def test_a_notes_cafe_names_its_invoice(
    api: APIClient, invoice: dict[str, Any], box: Sandbox
) -> None:
    work()
    cufe = api.get(f"/api/v1/invoices/{invoice['id']}").data["cufe"]
    note = api.post("/api/v1/credit-notes", {"invoice": invoice["id"]}).data
    work()
    page = page_of(api.get(f"/api/v1/credit-notes/{note['id']}/pdf?render=cifras"))
    assert cufe in page.replace(" ", "")


@pytest.mark.parametrize("query", ["render=x", "paper=a4"])
def test_what_cannot_be_drawn_is_refused(
    api: APIClient, invoice: dict[str, Any], query: str
) -> None:
    refused = api.get(f"/api/v1/invoices/{invoice['id']}/pdf?{query}")
    assert refused.status_code == 400
    assert refused.data["errors"][0]["attr"] == query.partition("=")[0]
