"""Rows as they stand after a life of their own, without living it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.utils import timezone

from invoicing.models import Document, PacExchange
from tenants.models import Tenant

AUTHORIZED = ("PAC_AUTHORIZED", "DGI_AUTHORIZED")


def document_row(tenant: Tenant, **changes: Any) -> Document:
    """A document that was handed to the PAC just now; numbered in the order of making."""
    count = Document.unscoped.count() + 1
    now = timezone.now()
    columns = {
        "document_type": "01",
        "dgi_document_type": "01",
        "generation_mode": "DGI",
        "office": tenant.main_office,
        "billing_point": "001",
        "number": f"{count:010d}",
        "issued_at": now,
        "queued_at": now,
        "nature": "01",
        "destination": 1,
        "sale_type": 1,
        "receiver_type": "CONTRIBUYENTE",
        "receiver_name": "Cliente Prueba, S.A.",
        "receiver_country": "PA",
        "payment_time": "immediate",
        "submission_state": "DONE",
        "total": "203.30",
    }
    if changes.get("legal_status") in AUTHORIZED:
        columns |= {"document_id": f"{count:026d}", "invoice_number": f"FE{count:064d}"}
    row: Document = Document.unscoped.create(tenant=tenant, **columns | changes)
    return row


def call_row(tenant: Tenant, *, ms: int, status: int | None = 200, minutes: float = 1) -> None:
    """A call to the PAC that ended so many minutes ago."""
    PacExchange.unscoped.create(
        tenant=tenant,
        method="GET",
        path="/x",
        status=status,
        elapsed_ms=ms,
        created_at=timezone.now() - timedelta(minutes=minutes),
    )
