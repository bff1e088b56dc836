"""The main job: from a posted body to an authorised invoice with its PDF and its e-mail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from rest_framework.test import APIClient

from invoicing import pump
from invoicing.models import Document
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

SAMPLES = Path(__file__).parent / "samples"
FISCAL = ["b2b-credit", "consumer-cash", "export-foreign", "government-retention"]


def sample(name: str) -> dict[str, Any]:
    return json.loads((SAMPLES / f"{name}.json").read_text())


def work() -> None:
    """Lets the worker do all it can, as if the time of every pause had passed."""
    for _ in range(6):
        for column in ("next_attempt_at", "next_poll_at"):
            Document.unscoped.filter(**{f"{column}__isnull": False}).update(
                **{column: "2000-01-01T00:00:00Z"}
            )
        if not pump.drain():
            return


@pytest.mark.parametrize("name", FISCAL)
def test_a_sample_is_authorised_by_polling_alone(name: str, api: APIClient, box: Sandbox) -> None:
    response = api.post("/api/v1/invoices", sample(name))
    assert response.status_code == 201, response.content
    assert response.data["submission"]["state"] == "QUEUED"
    work()
    invoice = api.get(f"/api/v1/invoices/{response.data['id']}").data
    assert invoice["legal_status"] == "DGI_AUTHORIZED"
    assert invoice["is_fiscally_valid"] is True
    assert invoice["cufe"] == invoice["invoice_number"] == box.documents[0].cufe
    assert invoice["authorization_protocol"]
    pdf = api.get(f"/api/v1/invoices/{invoice['id']}/pdf")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")
    assert len(box.documents) == 1
    if invoice["receiver"]["emails"]:
        assert [message.to for message in mail.outbox] == [invoice["receiver"]["emails"]]
