"""The life of one invoice, told by a client, the PAC's webhooks and time; and how it ended."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core import mail
from django.test import Client
from rest_framework.response import Response
from rest_framework.test import APIClient

from conftest import LONG_AGO, WEBHOOK_SECRET, body
from invoicing import pump
from invoicing.models import (
    Breaker,
    Document,
    EmailDelivery,
    File,
    FiscalEvent,
    HistoryEntry,
    IdempotencyRecord,
    PacExchange,
)
from invoicing.models.history import Event
from invoicing.tests.crashes.mortal import Mortal
from pac.sandbox import Sandbox
from pac.sandbox.records import Document as Accepted
from tenants.models import NumberSeries, RucVerification, Tenant

REASON = {"reason": "El cliente devolvió el pedido"}
PATIENCE = 12  # sweeps, each after every pause and lease has passed

# The floor of the webhooks is above this one: no import of it, only its name.
PacDelivery: Any = apps.get_model("webhooks", "PacDelivery")

# Every moment that somebody waits for.
MOMENTS: dict[Any, list[str]] = {
    Document: ["next_attempt_at", "next_poll_at", "lease_expires_at"],
    FiscalEvent: ["next_attempt_at", "lease_expires_at"],
    EmailDelivery: ["next_attempt_at", "lease_expires_at"],
    PacDelivery: ["next_try_at"],
    IdempotencyRecord: ["lease_expires_at"],
}

# What trouble adds to a history; "found at the PAC" stands for "sent".
TROUBLE = {Event.UNCERTAIN, Event.DELAYED, Event.VOID_DELAYED}


@dataclass
class Life:
    """One tenant, its client and its one invoice, in a process that may die on the way."""

    process: Mortal
    box: Sandbox
    tenant: Tenant
    client: APIClient
    invoice: dict[str, Any] = field(default_factory=dict)

    def issue(self) -> None:
        self.invoice = self.answered(lambda: self.post("", body(), key="issue"), 201)

    def void(self) -> None:
        path = f"/{self.invoice['id']}/void"
        self.answered(lambda: self.post(path, REASON, key="void"), 202)

    def post(self, path: str, said: dict[str, Any], *, key: str) -> Response:
        answer: Response = self.client.post(
            f"/api/v1/invoices{path}", said, headers={"Idempotency-Key": key}
        )
        return answer

    def answered(self, request: Callable[[], Response], status: int) -> dict[str, Any]:
        """The client repeats what got no answer, later, with the same Idempotency-Key."""
        for _ in range(3):
            answer = self.process.run(request)
            if answer is not None:
                assert answer.status_code == status, answer.data
                return dict(answer.data)
            time_passes(self.tenant)
        raise AssertionError("The client got no answer at all.")

    def work(self) -> None:
        """The worker does what is due now."""
        self.process.run(pump.drain)

    def hear(self) -> None:
        """The PAC tells, once, what it has of the tenant; a delivery that fails is lost."""
        for there in self.at_the_pac():
            said = {"id": there.id, "legalStatus": there.legal_status, "cufe": there.cufe}
            self.process.run(lambda said=said: self._deliver(said))

    def _deliver(self, said: dict[str, Any]) -> None:
        answer = Client().post(
            f"/webhooks/pac/{self.tenant.pac_company_id}",
            json.dumps(said),
            "application/json",
            headers={"X-Pac-Signature": WEBHOOK_SECRET},
        )
        assert answer.status_code == 200

    def come_to_rest(self) -> None:
        """Workers come and go, and time passes, until there is nothing to do any longer."""
        for _ in range(PATIENCE):
            if not time_passes(self.tenant):
                return
            self.work()
        raise AssertionError(f"Still at work after {PATIENCE} sweeps.")

    def at_the_pac(self) -> list[Accepted]:
        company = self.tenant.pac_company_id
        return [each for each in self.box.documents if each.company_id == company]


def time_passes(tenant: Tenant) -> int:
    """Every pause is over and every lease has expired. How many moments were waited for, and events
    for their place in the feed."""
    Breaker.objects.filter(retry_at__isnull=False).update(retry_at=LONG_AGO)
    waiting = HistoryEntry.unscoped.filter(tenant=tenant, place=None).count()
    return waiting + sum(
        model.unscoped.filter(tenant=tenant, **{f"{column}__isnull": False}).update(
            **{column: LONG_AGO}
        )
        for model, columns in MOMENTS.items()
        for column in columns
    )


def by_polling(life: Life) -> None:
    """Issued, sent, polled until authorised, mailed; then voided."""
    life.issue()
    life.come_to_rest()
    life.void()
    life.come_to_rest()


def by_webhook(life: Life) -> None:
    """Issued and sent to a PAC without a list; its webhook brings the verdict, with no poll due."""
    life.box.options.list_missing = True
    life.issue()
    life.work()
    life.hear()
    life.work()
    life.come_to_rest()


def end_of(life: Life) -> dict[str, Any]:
    """Everything that must be the same however often the process died, keyed by what it is."""
    tenant = life.tenant
    document = Document.unscoped.get(tenant=tenant)
    there = life.at_the_pac()
    moments = {
        f"{model.__name__}.{column}": model.unscoped.filter(
            tenant=tenant, **{f"{column}__isnull": False}
        ).count()
        for model, columns in MOMENTS.items()
        for column in columns
    }
    files = File.unscoped.filter(tenant=tenant)
    return {
        "at the PAC": [
            (
                each.numeration,
                each.legal_status,
                each.is_voided,
                each.cufe == document.computed_cufe,
            )
            for each in there
        ],
        "the PAC's id": [document.document_id] == [each.id for each in there],
        "answered": life.invoice["id"] == str(document.pk),
        "number": document.number,
        "last number of the series": list(
            NumberSeries.unscoped.filter(tenant=tenant).values_list("last_number", flat=True)
        ),
        "legal status": document.legal_status,
        "status": document.status,
        "money": (document.total, document.paid, document.credited),
        "submission": document.submission_state,
        "error": document.submission_error,
        "doubt": (document.doubtful_since, document.setbacks),
        "CUFE": document.invoice_number == document.computed_cufe,
        "valid": document.is_fiscally_valid(),
        "void": list(FiscalEvent.unscoped.filter(tenant=tenant).values_list("state", "error")),
        "what was sent": document.pac_input == there[0].payload,
        "what was said": PacExchange.unscoped.filter(owner=document, status=200).exists(),
        "files": [file.name == f"{document.invoice_number}.pdf" for file in files],
        "files are whole": all(_is_whole(file) for file in files),
        "e-mails": list(
            EmailDelivery.unscoped.filter(tenant=tenant).values_list("occasion", "state")
        ),
        "one Message-ID however often in the post": {
            message.extra_headers["Message-ID"] for message in mail.outbox
        }
        == set(EmailDelivery.unscoped.filter(tenant=tenant).values_list("message_id", flat=True)),
        "waited for": {name: count for name, count in moments.items() if count},
        "history": _tale(document),
        "feed": _is_complete_feed(tenant),
        "webhooks in vain": PacDelivery.unscoped.filter(tenant=tenant)
        .exclude(state="MATCHED")
        .count(),
    }


def _is_whole(file: File) -> bool:
    with file.content.open() as content:
        return hashlib.sha256(content.read()).hexdigest() == file.sha256


def _tale(document: Document) -> dict[str, Any]:
    """What the history tells when its troubles are left out: each thing once, and in order."""
    told = HistoryEntry.unscoped.filter(owner=document).values_list("event", "data__legal_status")
    names = [
        status or ("sent" if event == Event.RECOVERED else event)
        for event, status in told
        if event not in TROUBLE
    ]
    # A document that was found again may have been judged by the DGI meanwhile.
    counted = Counter(name for name in names if name != "PAC_AUTHORIZED")
    assert names.count("PAC_AUTHORIZED") <= 1
    return {"first": names[0], "last": names[-1], "counted": counted}


def _is_complete_feed(tenant: Tenant) -> bool:
    """Every event once, none left out, and each document's in the order of its history."""
    history = HistoryEntry.unscoped.filter(tenant=tenant)
    places = list(history.order_by("id").values_list("place", flat=True))
    return places == list(range(1, len(places) + 1))


def forget(tenant: Tenant) -> None:
    """Leaves nothing of this life that the next one could notice."""
    for model, columns in MOMENTS.items():
        model.unscoped.filter(tenant=tenant).update(**dict.fromkeys(columns))
    RucVerification.objects.all().delete()
    Breaker.objects.all().delete()
    mail.outbox.clear()
