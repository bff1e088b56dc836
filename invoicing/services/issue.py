"""Issuing: one short transaction makes number, document, lines, money and history, or nothing.

The row itself is the outbox: it is born `QUEUED` and due. A kill before the commit leaves nothing,
not even a used number; a kill after it leaves a document that the next sweep sends.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.utils import timezone

from invoicing import bell
from invoicing.errors import InvalidDocument
from invoicing.fiscal import rules
from invoicing.fiscal.complete import Reckoning, complete
from invoicing.fiscal.draft import ZERO, Draft, Fault
from invoicing.fiscal.originals import LINE_AS_STORED
from invoicing.models import Document, DocumentLine, File, GenerationMode, Payment, SubmissionState
from invoicing.models.documents import REJECTED, PacDocumentType
from invoicing.models.history import Event
from invoicing.models.receiver import receiver_columns
from invoicing.pdf.proforma import render_proforma
from invoicing.services import catalogs
from invoicing.services.customers import fill_in_customer, refuse_vanished_customer
from invoicing.services.files import new_file
from invoicing.services.history import note
from invoicing.services.idempotency import IdempotencyKey, release
from invoicing.services.settle import status_of
from pac.dgi import cufe
from pac.dgi.calendar import panama_date
from pac.dgi.codes import METHOD_CASH, METHOD_CREDIT
from tenants.db import is_lock_timeout
from tenants.errors import Busy, Conflict
from tenants.models import Office, Tenant
from tenants.models.offices import SeriesKind
from tenants.services.numbering import take_number

Render = Callable[[Document], Any]


@dataclass(frozen=True, slots=True)
class Issued:
    """A document and the answer for it; `replayed` where the answer is an earlier one's."""

    answer: Any
    document: Document | None
    status_code: int = 201
    replayed: bool = False


def issue(
    *,
    tenant: Tenant,
    draft: Draft,
    render: Render,
    faults: Sequence[Fault] = (),
    idempotency: IdempotencyKey | None = None,
) -> Issued:
    """Issues an invoice or a proforma and queues what has to be sent.

    `faults` are those that reading the request found already; `render` makes the answer that is
    kept for the idempotency key. Raises `InvalidDocument` with every fault at once, `Conflict`
    (`external_id_taken`, `tenant_not_ready`, `idempotency_conflict`, `idempotency_in_progress`,
    `number_series_exhausted`) or `Busy`; each leaves nothing behind and uses no number.
    """

    def work() -> Issued:
        now = timezone.now()
        office, reckoning = judge(tenant, draft, faults, now=now)
        with (
            refuse_taken_external_id(tenant, draft.document_type, draft.external_id),
            refuse_vanished_customer(tenant, draft.customer),
            transaction.atomic(),
        ):
            return record(tenant, office, draft, reckoning, render, idempotency, now=now)

    return answered_once(tenant, idempotency, work)


def answered_once(
    tenant: Tenant, idempotency: IdempotencyKey | None, work: Callable[[], Issued]
) -> Issued:
    """The answer of `work`, or the one that the same request got before."""
    try:
        return work()
    except (InvalidDocument, Conflict, IntegrityError):
        # A twin may have been first, or dates may have moved on since the first answer.
        record = idempotency.find(tenant) if idempotency else None
        if record is None:
            raise
        if record.status_code is None:  # the claim of a process that died: it stands for nothing
            release(record)
            return answered_once(tenant, idempotency, work)
        return Issued(json.loads(record.answer), None, record.status_code, replayed=True)
    except OperationalError as error:
        if not is_lock_timeout(error):
            raise
        if idempotency:
            raise idempotency.in_progress() from error
        raise Busy("This number series is busy; send the same request again.") from error


def record(
    tenant: Tenant,
    office: Office,
    draft: Draft,
    reckoning: Reckoning,
    render: Render,
    idempotency: IdempotencyKey | None,
    *,
    now: datetime,
    invoice: Document | None = None,
    actor: str = "",
    told: Mapping[str, str] | None = None,
) -> Issued:
    """Writes a judged draft: number, document, lines, money and history, in the caller's
    transaction. `invoice` is the one that a note corrects, `told` what else its history says."""
    document = _document(tenant, office, draft, reckoning, now)
    document.invoice = invoice
    if invoice and draft.customer is None:
        document.customer_id = invoice.customer_id
    lines = document_lines(document, draft, reckoning)
    assign_number(document, tenant, office)
    payments = payments_at_issue(document)
    document.paid = sum((payment.amount for payment in payments), ZERO)
    document.status = status_of(document, today=panama_date(now))
    files = [proforma_page(document, lines)] if document.is_proforma else []
    _remember(document, lines=lines, files=files, voids=[])
    answer = render(document)
    if idempotency:
        idempotency.keep(tenant, 201, answer)
    document.save(force_insert=True)
    DocumentLine.unscoped.bulk_create(lines)
    Payment.unscoped.bulk_create(payments)
    File.unscoped.bulk_create(files)
    note(
        document,
        Event.ISSUED,
        actor=actor,
        number=document.number,
        mode=document.generation_mode,
        **(told or {}),
    )
    if document.submission_state == SubmissionState.QUEUED:
        transaction.on_commit(bell.ring)
    return Issued(answer, document)


def judge(
    tenant: Tenant, draft: Draft, faults: Sequence[Fault], *, now: datetime
) -> tuple[Office, Reckoning]:
    """Completes the draft and applies the rule book; raises `InvalidDocument` with all faults."""
    found = [*faults, *fill_in_customer(tenant, draft)]
    office = choose_office(tenant, draft.office)
    if office is None:
        found.append(Fault("office", "office_unknown", _no_office(draft.office), "1566"))
    if draft.sound("external_id") and draft.external_id == "":
        draft.external_id = None
    complete(draft, now=now, billing_point=settings.PAC_BILLING_POINT)
    broken_rules, reckoning = rules.check(draft, now=now)
    found += broken_rules
    if found or office is None or reckoning is None:
        raise InvalidDocument(found)
    if draft.generation_mode == GenerationMode.DGI:
        require_onboarded(tenant, office)
    return office, reckoning


def require_onboarded(tenant: Tenant, office: Office) -> None:
    """Raises `Conflict` (`tenant_not_ready`) while the PAC does not know company and office."""
    if not (tenant.pac_company_id and office.pac_office_id):
        raise Conflict(
            "tenant_not_ready",
            f"{tenant.name} is not onboarded at the PAC yet (office {office.code}); "
            "only proformas can be issued.",
        )


def choose_office(tenant: Tenant, code: str | None) -> Office | None:
    """The office of that code; without a code, the tenant's main one."""
    main = tenant.main_office
    if code is None or (main and main.code == code):
        return main
    return Office.objects.for_tenant(tenant).filter(code=code).first()


def _no_office(code: str | None) -> str:
    return f"There is no office {code!r}." if code else "The tenant has no main office yet."


def _document(
    tenant: Tenant, office: Office, draft: Draft, reckoning: Reckoning, now: datetime
) -> Document:
    proforma = draft.generation_mode == GenerationMode.PROFORM
    return Document(
        tenant=tenant,
        document_type=draft.document_type,
        modification_code=draft.modification_code,
        generation_mode=draft.generation_mode,
        submission_state=SubmissionState.NONE if proforma else SubmissionState.QUEUED,
        queued_at=None if proforma else now,
        next_attempt_at=None if proforma else now,
        created_at=now,
        updated_at=now,
        **content_columns(office, draft, reckoning, now),
    )


def content_columns(
    office: Office, draft: Draft, reckoning: Reckoning, now: datetime
) -> dict[str, Any]:
    """The columns that say what the document is about, from a draft without fault."""
    totals = reckoning.totals
    return {
        "office": office,
        "dgi_document_type": draft.dgi_document_type,
        "billing_point": draft.billing_point,
        "external_id": draft.external_id,
        "issued_at": draft.issued_at,
        "due_date": draft.due_date,
        "nature": draft.nature,
        "destination": draft.destination,
        "sale_type": draft.sale_type,
        "issue_type": draft.issue_type,
        "contingency": asdict(draft.contingency) if draft.contingency else None,
        "discounts": [asdict(discount) for discount in draft.discounts],
        "exportation": asdict(draft.exportation) if draft.exportation else None,
        "payment_time": draft.payment_time,
        "payment_methods": [asdict(method) for method in draft.payment_methods or []],
        "installments": [asdict(part) for part in draft.installments or []],
        "retention_code": draft.retention_code or "",
        "emails": draft.emails,
        "notes": draft.notes,
        "metadata": draft.metadata,
        "net": totals.net,
        "itbms": totals.itbms,
        "isc": totals.isc,
        "other_taxes": totals.other_taxes,
        "taxes": totals.taxes,
        "discount": totals.discount,
        "freight": draft.freight,
        "insurance": draft.insurance,
        "other_expenses": draft.other_expenses,
        "total": totals.total,
        "retention": reckoning.retention,
        "warnings": rules.warnings(
            draft,
            reckoning,
            now=now,
            note_window=timedelta(days=settings.PAC_NOTE_WINDOW_DAYS),
            is_known=catalogs.is_known,
        ),
        "customer_id": draft.customer,
        **receiver_columns(draft.receiver),
    }


def document_lines(document: Document, draft: Draft, reckoning: Reckoning) -> list[DocumentLine]:
    return [
        DocumentLine(
            tenant_id=document.tenant_id,
            owner=document,
            number=number,
            net=amounts.net,
            itbms=amounts.itbms,
            total=amounts.total,
            other_taxes=[asdict(tax) for tax in line.other_taxes],
            **{name: getattr(line, name) for name in LINE_AS_STORED},
        )
        for number, (line, amounts) in enumerate(
            zip(draft.lines, reckoning.lines, strict=True), start=1
        )
    ]


def assign_number(document: Document, tenant: Tenant, office: Office) -> None:
    """Takes the next number of the series; for the DGI, the CUFE follows from it at once."""
    proforma = document.is_proforma
    document.number = take_number(
        office=office,
        billing_point=document.billing_point,
        kind=SeriesKind.PROFORM if proforma else SeriesKind.DGI,
        dgi_document_type=document.dgi_document_type,
    )
    if proforma:
        return
    document.security_code = _security_code(document.number)
    document.computed_cufe = cufe.build(
        document_type=document.dgi_document_type,
        ruc_type=tenant.issuer_ruc_type,
        ruc=tenant.ruc,
        dv=tenant.dv,
        branch=office.code,
        issued_on=panama_date(document.issued_at),
        number=document.number,
        billing_point=document.billing_point,
        issue_type=document.issue_type,
        environment=tenant.environment,
        security_code=document.security_code,
    )


def _security_code(number: str) -> str:
    """Nine random digits, not all zero and not the document's number."""
    while True:
        code = secrets.randbelow(999_999_999) + 1
        if code != int(number):
            return f"{code:09d}"


def payments_at_issue(document: Document) -> list[Payment]:
    """What is not on credit is money received at issue: without the change, and without what the
    receiver withholds, which the forms of payment include and nobody hands over.

    A proforma brings none yet, and a credit note brings none ever.
    """
    if document.is_proforma or document.document_type == PacDocumentType.CREDIT_NOTE:
        return []
    methods = [(item["method"], Decimal(item["amount"])) for item in document.payment_methods]
    excess = sum((amount for _, amount in methods), ZERO) - document.total
    on_credit = sum((amount for method, amount in methods if method == METHOD_CREDIT), ZERO)
    withheld = max(ZERO, document.retention - on_credit)
    payments = []
    # The change comes out of the cash, what is withheld out of whatever there is.
    for method, amount in sorted(methods, key=lambda item: item[0] != METHOD_CASH):
        if method == METHOD_CREDIT:
            continue
        if method == METHOD_CASH:
            amount, excess = amount - min(excess, amount), excess - min(excess, amount)
        received, withheld = amount - min(withheld, amount), withheld - min(withheld, amount)
        if received > ZERO:
            payments.append(
                Payment(
                    tenant_id=document.tenant_id,
                    owner=document,
                    amount=received,
                    method=method,
                    paid_at=document.issued_at,
                )
            )
    return payments


def proforma_page(document: Document, lines: list[DocumentLine]) -> File:
    return new_file(
        document, "PDF", f"proforma-{document.number}.pdf", render_proforma(document, lines)
    )


def _remember(document: Document, **related: list[Any]) -> None:
    """Lets `document` answer for its related rows without asking the database for them."""
    cache = document.__dict__.setdefault("_prefetched_objects_cache", {})
    for name, rows in related.items():
        queryset = getattr(document, name).all()
        queryset._result_cache = rows
        queryset._prefetch_done = True
        cache[name] = queryset


@contextmanager
def refuse_taken_external_id(
    tenant: Tenant, document_type: str, external_id: str | None
) -> Iterator[None]:
    """Turns the database's refusal of a second `external_id` into a `Conflict` naming the first."""
    try:
        yield
    except IntegrityError:
        holder = (
            Document.objects.for_tenant(tenant)
            .filter(document_type=document_type, external_id=external_id)
            .filter(external_id__isnull=False)
            .exclude(legal_status__in=REJECTED)
            .values_list("pk", flat=True)
            .first()
        )
        if holder is None:
            raise
        raise Conflict(
            "external_id_taken",
            f"The external_id {external_id!r} belongs to document {holder}.",
        ) from None
