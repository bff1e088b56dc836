"""What invoicing gives to the wizard of new taxpayers: a trial invoice, and the corregimientos."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from django.urls import reverse

from invoicing.fiscal.draft import Draft, Line, Receiver
from invoicing.models import Document, HistoryEntry, Invoice, LegalStatus, SubmissionState
from invoicing.models.documents import REJECTED
from invoicing.models.history import Event
from invoicing.services.catalogs import Catalog, search
from invoicing.services.issue import issue
from pac.dgi.codes import Environment
from tenants.admin.onboarding.extras import Happening, Place, TrialInvoice, extras
from tenants.errors import Conflict
from tenants.models import Tenant

EXTERNAL_ID = "factura-de-prueba"  # unique among a tenant's invoices that are not rejected


class TrialInvoices:
    """One invoice of B/. 1.07 to a final consumer, by the same door as any other."""

    def issue(self, tenant: Tenant) -> None:
        """Queues it. Raises `Conflict`: `production`, `external_id_taken` where there is one."""
        if tenant.environment == Environment.PRODUCTION:
            raise Conflict("production", "No trial invoice is issued in production.")
        issue(tenant=tenant, draft=_draft(), render=lambda _: None)

    def look(self, tenant: Tenant) -> TrialInvoice | None:
        document = (
            Invoice.objects.for_tenant(tenant)
            .filter(external_id=EXTERNAL_ID)
            .order_by("-pk")
            .first()
        )
        if document is None:
            return None
        is_authorized = document.legal_status == LegalStatus.DGI_AUTHORIZED
        is_rejected = document.legal_status in REJECTED
        return TrialInvoice(
            number=document.number,
            state=str(
                document.get_legal_status_display() or document.get_submission_state_display()
            ),
            is_over=(
                is_authorized or is_rejected or document.submission_state == SubmissionState.FAILED
            ),
            is_authorized=is_authorized,
            may_be_repeated=is_rejected,
            url=reverse("admin:invoicing_invoice_change", args=[document.pk]),
            way=_way(document),
        )


def find_places(words: str) -> Sequence[Place]:
    """Corregimientos that have every word, with their district and province."""
    return [Place(entry.code, entry.name) for entry in search(Catalog.LOCATIONS, words)]


def fill_in_the_wizard() -> None:
    extras.trial = TrialInvoices()
    extras.find_places = find_places


def _draft() -> Draft:
    line = Line(
        code="PRUEBA",
        description="Factura de prueba",
        quantity=Decimal(1),
        unit_price=Decimal("1.00"),
        itbms_rate="01",
    )
    return Draft(external_id=EXTERNAL_ID, receiver=Receiver(type="CONSUMIDOR_FINAL"), lines=[line])


def _way(document: Document) -> list[Happening]:
    entries = HistoryEntry.objects.for_tenant(document.tenant).filter(owner=document)
    return [Happening(entry.created_at, _words(entry)) for entry in entries.order_by("pk")]


def _words(entry: HistoryEntry) -> str:
    if entry.event == Event.LEGAL_STATUS and entry.data.get("legal_status") in LegalStatus.values:
        return f"{entry.get_event_display()}: {LegalStatus(entry.data['legal_status']).label}"
    return str(entry.get_event_display())
