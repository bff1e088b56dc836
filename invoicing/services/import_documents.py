"""DGI_IMPORT: invoices and notes issued elsewhere, recorded with their CUFE and never submitted.

An import is a document like any other, but that its number, date, series and CUFE come from
outside: `invoice_number` holds its CUFE from the start, `legal_status` stays null until the PAC was
asked (`import_refresh`), and our number series never notice it. The PAC's id that a client names is
kept as a hint, which is believed once the PAC shows our CUFE under it.

One transaction writes an import, or a whole batch, or nothing: a kill leaves no half document, and
of a long list the batches that committed, which the next run passes over.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from invoicing.errors import InvalidDocument
from invoicing.fiscal import imports
from invoicing.fiscal.complete import Reckoning
from invoicing.fiscal.draft import ZERO, Fault
from invoicing.fiscal.imports import ImportDraft, Issuer
from invoicing.fiscal.originals import original_of
from invoicing.models import (
    Document,
    DocumentLine,
    File,
    FileKind,
    GenerationMode,
    Invoice,
    Payment,
)
from invoicing.models.documents import PacDocumentType
from invoicing.models.history import Event
from invoicing.qr_reader import is_pdf
from invoicing.services.customers import fill_in_customer, refuse_vanished_customer
from invoicing.services.files import new_file
from invoicing.services.history import note
from invoicing.services.idempotency import IdempotencyKey
from invoicing.services.import_conflicts import conflicts, cufe_taken, hold_series
from invoicing.services.issue import (
    Issued,
    Render,
    answered_once,
    content_columns,
    document_lines,
    payments_at_issue,
    refuse_taken_external_id,
)
from invoicing.services.settle import settle, status_of
from pac.dgi.calendar import panama_date
from tenants.errors import Conflict
from tenants.models import Office, Tenant

Offices = dict[str, Office]
Invoices = dict[UUID, Document]


class State(Enum):
    RECORDED = auto()
    KNOWN = auto()  # its CUFE is recorded for this tenant already
    REFUSED = auto()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one import of a batch; `faults` say why it was refused."""

    state: State
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class Record:
    """An import without fault, and the rows that belong to it."""

    document: Document
    lines: list[DocumentLine]
    payments: list[Payment]
    wanted: ImportDraft
    reckoning: Reckoning


def import_invoice(
    *,
    tenant: Tenant,
    wanted: ImportDraft,
    render: Render,
    faults: Sequence[Fault] = (),
    idempotency: IdempotencyKey | None = None,
    content: bytes = b"",
) -> Issued:
    """Records an invoice, or the note that `wanted.draft.document_type` says, issued elsewhere.

    `faults` are those that reading the request found already; `render` makes the answer that is
    kept for the idempotency key; `content` is the file it was read from, which is stored if it is a
    PDF. Raises `InvalidDocument` with every fault at once, `Conflict` (`cufe_taken`,
    `number_taken`, `external_id_taken`, `idempotency_conflict`, `idempotency_in_progress`) or
    `Busy`; each leaves nothing behind.
    """

    def work() -> Issued:
        _refuse_recorded(tenant, wanted.cufe)
        record = _judge(tenant, offices_of(tenant), wanted, faults, timezone.now())
        _refuse_conflict(tenant, record.document)
        # Stored before the transaction, so that a slow storage holds no lock.
        page = _page(record.document, content)
        try:
            with (
                refuse_taken_external_id(
                    tenant, wanted.draft.document_type, wanted.draft.external_id
                ),
                refuse_vanished_customer(tenant, wanted.draft.customer),
                transaction.atomic(),
            ):
                invoices = _hold_invoices([record])
                hold_series(tenant, [record.document])
                _refuse_conflict(tenant, record.document)
                _refuse(_take(record, invoices))
                _write([record], invoices)
                if page:
                    page.save(force_insert=True)
                answer = render(record.document)
                if idempotency:
                    idempotency.keep(tenant, 201, answer)
        except (Conflict, IntegrityError, InvalidDocument):
            if page:
                page.content.delete(save=False)
            raise
        return Issued(answer, record.document)

    return answered_once(tenant, idempotency, work)


def import_batch(
    *,
    tenant: Tenant,
    batch: Sequence[tuple[ImportDraft, Sequence[Fault]]],
    offices: Offices,
    dry_run: bool = False,
) -> list[Verdict]:
    """Records those imports of a batch that are sound, in one transaction; a verdict for each.

    Each is judged alone: what is wrong with one keeps back no other. `dry_run` judges and writes
    nothing. Raises `OperationalError` where the database is away or busy; nothing was written then.
    """
    try:
        return _import_batch(tenant, batch, offices, dry_run=dry_run)
    except IntegrityError:
        # Somebody wrote or deleted something between our look and our commit: find out what.
        return [_import_alone(tenant, each, offices) for each in batch]


def _import_alone(
    tenant: Tenant, each: tuple[ImportDraft, Sequence[Fault]], offices: Offices
) -> Verdict:
    try:
        (verdict,) = _import_batch(tenant, [each], offices, dry_run=False)
    except IntegrityError:
        message = "What this refers to was changed or deleted meanwhile; send it again."
        return Verdict(State.REFUSED, (Fault("", "changed_meanwhile", message),))
    return verdict


def offices_of(tenant: Tenant) -> Offices:
    """The tenant's offices by their code."""
    return {office.code: office for office in Office.objects.for_tenant(tenant)}


def _import_batch(
    tenant: Tenant,
    batch: Sequence[tuple[ImportDraft, Sequence[Fault]]],
    offices: Offices,
    *,
    dry_run: bool,
) -> list[Verdict]:
    now = timezone.now()
    verdicts: list[Verdict | None] = [None] * len(batch)
    sound: dict[int, Record] = {}
    known = _recorded(tenant, [wanted.cufe for wanted, _ in batch])
    for position, (wanted, faults) in enumerate(batch):
        if wanted.cufe in known:
            verdicts[position] = Verdict(State.KNOWN)
            continue
        try:
            sound[position] = _judge(tenant, offices, wanted, faults, now)
        except InvalidDocument as error:
            verdicts[position] = Verdict(State.REFUSED, error.faults)
    with transaction.atomic():
        documents = [record.document for record in sound.values()]
        invoices = _hold_invoices(list(sound.values()))
        if not dry_run:
            hold_series(tenant, documents)
        records = []
        for position, conflict in zip(sound, conflicts(tenant, documents), strict=True):
            cufe = batch[position][0].cufe
            found = [] if conflict else _take(sound[position], invoices)
            if found:  # what it held back from later rows of the batch, they get at the next run
                verdicts[position] = Verdict(State.REFUSED, tuple(found))
            elif conflict is None:
                records.append(sound[position])
                verdicts[position] = Verdict(State.RECORDED)
                known.add(cufe)
            elif cufe in known:
                verdicts[position] = Verdict(State.KNOWN)
            else:
                fault = Fault("", conflict.code, conflict.message)
                verdicts[position] = Verdict(State.REFUSED, (fault,))
        if not dry_run:
            _write(records, invoices)
    return [verdict for verdict in verdicts if verdict]


def _recorded(tenant: Tenant, cufes: Sequence[str]) -> set[str]:
    return set(
        Document.objects.for_tenant(tenant)
        .filter(computed_cufe__in=[cufe for cufe in cufes if cufe])
        .values_list("computed_cufe", flat=True)
    )


def _judge(
    tenant: Tenant,
    offices: Offices,
    wanted: ImportDraft,
    faults: Sequence[Fault],
    now: datetime,
) -> Record:
    """The rows of a sound import; raises `InvalidDocument` with every fault of another."""
    issuer = Issuer(tenant.ruc, tenant.issuer_ruc_type, tenant.dv, tenant.environment)
    found = [*faults, *_fill_in_customer(tenant, wanted)]
    invoice = _invoice_of(tenant, wanted)
    if wanted.invoice_id and invoice is None:
        found.append(_no_such_invoice())
    wanted.draft.original = original_of(invoice) if invoice else None
    broken_rules, reckoning = imports.check(wanted, issuer, now=now)
    found += broken_rules
    office = offices.get(wanted.parsed.branch) if wanted.parsed else None
    if wanted.parsed and office is None:
        found.append(_no_office(tenant, wanted.parsed.branch))
    if found or reckoning is None or wanted.parsed is None or office is None:
        raise InvalidDocument(found)
    draft = wanted.draft
    document = Document(
        tenant=tenant,
        document_type=draft.document_type,
        modification_code=draft.modification_code,
        invoice=invoice,
        generation_mode=GenerationMode.DGI_IMPORT,
        created_at=now,
        updated_at=now,
        number=wanted.parsed.number,
        security_code=wanted.parsed.security_code,
        computed_cufe=wanted.cufe,
        invoice_number=wanted.cufe,
        hinted_document_id=wanted.document_id,
        qr_code_url=wanted.qr_code_url,
        **content_columns(office, draft, reckoning, now)
        | {
            "external_id": draft.external_id or None,
            "payment_time": draft.payment_time or "",
            "receiver_type": draft.receiver.type or "",
            "warnings": imports.warnings(wanted, issuer),
        },
    )
    payments = payments_at_issue(document)
    document.paid = sum((payment.amount for payment in payments), ZERO)
    document.status = status_of(document, today=panama_date(now))
    lines = document_lines(document, draft, reckoning)
    return Record(document, lines, payments, wanted, reckoning)


def _invoice_of(tenant: Tenant, wanted: ImportDraft) -> Document | None:
    """The invoice that an imported note corrects, where it names one of ours."""
    if wanted.invoice_id is None:
        return None
    issued = Invoice.objects.for_tenant(tenant).exclude(generation_mode=GenerationMode.PROFORM)
    return issued.filter(pk=wanted.invoice_id).first()


def _no_such_invoice() -> Fault:
    return Fault("invoice", "invoice_unknown", "There is no such invoice.")


def _hold_invoices(records: Sequence[Record]) -> Invoices:
    """The invoices that the notes among them correct, as they are now, held until the caller's
    transaction ends. Before any series, as where a note is issued, and in the order of their keys:
    so that nobody waits for somebody who waits for him."""
    keys = {record.document.invoice_id for record in records if record.document.invoice_id}
    rows = Document.unscoped.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows}


def _take(record: Record, invoices: Invoices) -> list[Fault]:
    """Takes what a note is about from its held invoice, for those that come after it; what is wrong
    where the invoice has less left, by now, than when the note was judged."""
    document = record.document
    if document.invoice_id is None:
        return []
    invoice = invoices.get(document.invoice_id)
    if invoice is None:
        return [_no_such_invoice()]
    record.wanted.draft.original = original_of(invoice)
    found = list(imports.beside_its_invoice(record.wanted, record.reckoning))
    if not found and document.document_type == PacDocumentType.CREDIT_NOTE:
        invoice.credited += document.total
    return found


def _fill_in_customer(tenant: Tenant, wanted: ImportDraft) -> Iterator[Fault]:
    """`fill_in_customer`; but what a customer usually withholds says nothing of a bare total."""
    draft = wanted.draft
    code = draft.retention_code
    yield from fill_in_customer(tenant, draft)
    if not draft.lines:
        draft.retention_code, draft.receiver_withholds = code, False


def _no_office(tenant: Tenant, branch: str) -> Fault:
    return Fault(
        "cufe",
        "office_unknown",
        f"The CUFE's branch {branch} is no office of {tenant.name}: add it first "
        f"(onboard_tenant --office-code {branch}).",
    )


def _refuse_recorded(tenant: Tenant, cufe: str) -> None:
    """Before it is judged: what a note has taken already, it has not left for itself."""
    known = Document.objects.for_tenant(tenant).filter(computed_cufe=cufe).first() if cufe else None
    if known:
        raise cufe_taken(known.pk)


def _refuse_conflict(tenant: Tenant, document: Document) -> None:
    for conflict in conflicts(tenant, [document]):
        if conflict:
            raise conflict


def _refuse(found: list[Fault]) -> None:
    if found:
        raise InvalidDocument(found)


def _page(document: Document, content: bytes) -> File | None:
    """The uploaded PDF as the document's file, stored, its row not yet."""
    if not is_pdf(content):
        return None
    return new_file(document, FileKind.PDF, f"{document.invoice_number}.pdf", content)


def _write(records: Sequence[Record], invoices: Invoices) -> None:
    """Writes the rows, in the caller's transaction, which holds the invoices that the notes among
    them correct, and settles those. IntegrityError: somebody was first."""
    Document.unscoped.bulk_create([record.document for record in records])
    DocumentLine.unscoped.bulk_create([line for record in records for line in record.lines])
    Payment.unscoped.bulk_create([each for record in records for each in record.payments])
    for record in records:
        document = record.document
        note(document, Event.ISSUED, number=document.number, mode=document.generation_mode)
    for key in {record.document.invoice_id for record in records if record.document.invoice_id}:
        settle(invoices[key], today=panama_date(timezone.now()))
