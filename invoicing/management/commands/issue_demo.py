"""`manage.py issue_demo`: an invoice through the REST API, followed to the end."""

from __future__ import annotations

import hashlib
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from invoicing.models import EmailDelivery, File
from pac.dgi.calendar import panama_date

PAUSE = 0.3  # seconds between two looks
LAST_EVENTS = ("email_sent", "email_failed")
HOPELESS = ("PAC_REJECTED", "DGI_REJECTED")


class Command(BaseCommand):
    """Speaks HTTP like any client; looks into the database only to say where the files lie."""

    help = (
        "Posts an invoice to the API of a running Cifras and prints its way to DGI_AUTHORIZED, "
        "with CUFE, PDF and e-mail. Exit code 0 when it got there, else 1."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--base-url", default="http://127.0.0.1:8000")
        add("--api-key", required=True, help="of the tenant that issues; needs read and write")
        add("--seconds", type=float, default=120, help="how long to follow it (default: 120)")

    def handle(self, *args: Any, **options: Any) -> None:
        self.base_url: str = options["base_url"].rstrip("/")
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {options['api_key']}"
        with self.session:
            invoice = self.post()
            invoice = self.follow(invoice["id"], seconds=options["seconds"])
            self.show(invoice)

    def post(self) -> dict[str, Any]:
        """Issues the invoice, under an `external_id` that no other run has."""
        body = demo_body(external_id=f"demo-{uuid4().hex[:12]}")
        invoice = self.call("POST", "/invoices", json=body).json()
        series = f"{invoice['office']}-{invoice['billing_point']}"
        self.say(f"POST /api/v1/invoices ({body['external_id']})")
        self.say(
            f"201: invoice {series}-{invoice['number']}, B/. {invoice['totals']['total']}, "
            f"{invoice['submission']['state']}"
        )
        return invoice

    def follow(self, pk: str, *, seconds: float) -> dict[str, Any]:
        """Prints what happens to the invoice until it is authorised, stored and mailed."""
        told: set[str] = set()
        end = time.monotonic() + seconds
        while True:
            for event in self.call("GET", f"/invoices/{pk}/events").json()["results"]:
                if event["id"] not in told:
                    told.add(event["id"])
                    self.tell(event)
                if event["event"] in LAST_EVENTS:
                    return self.read(pk)
            invoice = self.read(pk)
            if invoice["legal_status"] in HOPELESS:
                return invoice
            if time.monotonic() > end:
                error = invoice["submission"]["error"] or {}
                raise CommandError(
                    f"After {seconds:.0f} seconds the invoice is {invoice['legal_status']}, "
                    f"{invoice['submission']['state']}. {error.get('message', '')}".rstrip()
                )
            time.sleep(PAUSE)

    def read(self, pk: str) -> dict[str, Any]:
        invoice: dict[str, Any] = self.call("GET", f"/invoices/{pk}").json()
        return invoice

    def tell(self, event: dict[str, Any]) -> None:
        """One line: when, what, and the part of it that a person wants to see."""
        data = event["data"]
        told = data.get("legal_status") or data.get("name") or ", ".join(data.get("to", ()))
        told = told or (data.get("error") or {}).get("message", "")
        at = timezone.localtime(datetime.fromisoformat(event["at"]))
        self.say(f"{at:%H:%M:%S}  {event['event']:<13} {told}".rstrip())

    def show(self, invoice: dict[str, Any]) -> None:
        if not invoice["is_fiscally_valid"]:
            faults = "; ".join(fault["message"] for fault in invoice["pac_errors"])
            raise CommandError(f"The invoice ended as {invoice['legal_status']}. {faults}".rstrip())
        self.say(f"CUFE    {invoice['cufe']}")
        self.say(f"PDF     {self.pdf(invoice)}")
        self.say(f"E-mail  {email_place(invoice)}")
        self.say(f"Invoice {invoice['number']} is {invoice['legal_status']} and has fiscal force.")

    def pdf(self, invoice: dict[str, Any]) -> str:
        """Where the PDF lies, after fetching it as a client does: whole, and the one announced."""
        path = f"/invoices/{invoice['id']}/pdf"
        content = self.call("GET", path).content
        file = invoice["files"][-1]
        if hashlib.sha256(content).hexdigest() != file["sha256"]:
            raise CommandError(f"The PDF that {path} answers is not the one that was stored.")
        row = File.unscoped.filter(pk=file["id"]).first()
        return row.content.path if row else f"{self.base_url}/api/v1{path}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.base_url}/api/v1{path}"
        try:
            response = self.session.request(method, url, timeout=30, **options)
        except requests.RequestException:
            raise CommandError(
                f"Cifras does not answer at {self.base_url}. Is it running (`make run`)?"
            ) from None
        if not response.ok:
            raise CommandError(f"{method} {path}: {response.status_code} {response.text[:500]}")
        return response

    def say(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def demo_body(*, external_id: str) -> dict[str, Any]:
    """An invoice on credit, due in thirty days."""
    due_date = panama_date(timezone.now()) + timedelta(days=30)
    return {
        "external_id": external_id,
        "due_date": due_date.isoformat(),
        "receiver": {
            "type": "CONTRIBUYENTE",
            "ruc": "155646463-2-2017",
            "ruc_type": "JURIDICO",
            "name": "Cliente Prueba, S.A.",
            "address": "Calle 50",
            "location": "8-8-7",
            "emails": ["pagos@cliente.example"],
        },
        "lines": [
            {
                "code": "SRV-01",
                "description": "Soporte mensual",
                "quantity": "2",
                "unit_price": "100.00",
                "unit_discount": "5.00",
                "itbms_rate": "01",
            }
        ],
    }


def email_place(invoice: dict[str, Any]) -> str:
    """The file that the e-mail was written to, or the address that it was sent to."""
    deliveries = EmailDelivery.unscoped.filter(owner_id=invoice["id"], occasion="authorized")
    delivery = deliveries.first()
    folder = getattr(settings, "EMAIL_FILE_PATH", None)
    if delivery and folder:
        for file in Path(folder).glob("*.log"):
            if delivery.message_id in file.read_text("utf-8", errors="replace"):
                return str(file)
    return f"to {', '.join(invoice['receiver']['emails'])}"
