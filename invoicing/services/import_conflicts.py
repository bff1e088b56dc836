"""What is recorded already and forbids an import: its CUFE, its number or its `external_id`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.db.models import Q

from invoicing.models import Document, GenerationMode
from invoicing.models.documents import REJECTED
from tenants.errors import Conflict
from tenants.models import NumberSeries, Office, Tenant
from tenants.models.offices import SeriesKind

Number = tuple[object, ...]
Taken = dict[object, object]  # what is taken -> the id of the document that has it


def hold_series(tenant: Tenant, documents: Sequence[Document]) -> None:
    """Lets nobody issue or import a number of these series until the caller's transaction ends.

    On PostgreSQL: issuing updates the series' row, imports lock their office's. SQLite has one
    writer at a time anyway. The lock on the office lets documents that refer to it be written.
    """
    offices = {document.office_id for document in documents}
    list(
        Office.objects.for_tenant(tenant)
        .filter(pk__in=offices)
        .order_by("pk")
        .select_for_update(no_key=True)
    )
    list(
        NumberSeries.objects.for_tenant(tenant)
        .filter(
            office__in=offices,
            kind=SeriesKind.DGI,
            billing_point__in={document.billing_point for document in documents},
            dgi_document_type__in={document.dgi_document_type for document in documents},
        )
        .order_by("pk")
        .select_for_update()
    )


def conflicts(tenant: Tenant, documents: Sequence[Document]) -> Iterator[Conflict | None]:
    """For each import, in order, why it cannot be recorded; None where it can.

    One that can be takes its CUFE, number and `external_id` from those that come after it.
    """
    cufes = _taken_cufes(documents)
    ours = _cufes_of(tenant, cufes)
    numbers = _taken_numbers(tenant, documents)
    external_ids = _taken_external_ids(tenant, documents)
    for document in documents:
        conflict = (
            _cufe_taken(document, cufes, ours)
            or _number_taken(document, numbers)
            or _external_id_taken(document, external_ids)
        )
        if conflict is None:
            cufes[document.computed_cufe] = ours[document.computed_cufe] = document.pk
            numbers[_number(document)] = document.pk
            if document.external_id:
                external_ids[_external_id(document)] = document.pk
        yield conflict


def _taken_cufes(documents: Sequence[Document]) -> Taken:
    """A CUFE is unique in the whole world, so every tenant's are looked at."""
    wanted = [document.computed_cufe for document in documents]
    found: Taken = {}
    for column in ("computed_cufe", "invoice_number"):
        rows = Document.unscoped.filter(**{f"{column}__in": wanted})
        found |= dict(rows.values_list(column, "pk"))
    return found


def _cufes_of(tenant: Tenant, cufes: Taken) -> Taken:
    """Those that the tenant may be told the holder of."""
    own = Document.objects.for_tenant(tenant).filter(pk__in=cufes.values())
    keys = set(own.values_list("pk", flat=True))
    return {cufe: key for cufe, key in cufes.items() if key in keys}


def _cufe_taken(document: Document, cufes: Taken, ours: Taken) -> Conflict | None:
    cufe = document.computed_cufe
    if cufe not in cufes:
        return None
    return cufe_taken(ours.get(cufe))


def cufe_taken(holder: object | None) -> Conflict:
    """`holder` is the id of the document that has it, None where that is nobody's business."""
    named = f": it is document {holder}" if holder else ""
    return Conflict("cufe_taken", f"This CUFE is recorded already{named}.")


def _number(document: Document) -> Number:
    return (
        document.office_id,
        document.billing_point,
        document.dgi_document_type,
        document.number,
    )


def _taken_numbers(tenant: Tenant, documents: Sequence[Document]) -> Taken:
    found: Taken = {}
    # Mode by mode: the unique index of the series is a partial one.
    for mode in (GenerationMode.DGI, GenerationMode.DGI_IMPORT):
        rows = Document.objects.for_tenant(tenant).filter(
            generation_mode=mode,
            office__in={document.office_id for document in documents},
            billing_point__in={document.billing_point for document in documents},
            dgi_document_type__in={document.dgi_document_type for document in documents},
            number__in={document.number for document in documents},
        )
        found |= {
            tuple(series): pk
            for pk, *series in rows.values_list(
                "pk", "office_id", "billing_point", "dgi_document_type", "number"
            )
        }
    return found


def _number_taken(document: Document, numbers: Taken) -> Conflict | None:
    holder = numbers.get(_number(document))
    if holder is None:
        return None
    return Conflict(
        "number_taken",
        f"The number {document.number} of {document.office.code}-{document.billing_point} is that "
        f"of document {holder}, which has another CUFE: one of the two is a mistake. If that one "
        "was issued here and FAILED, retry it first: it takes a new number.",
    )


def _external_id(document: Document) -> tuple[str, str | None]:
    """It is unique among documents of its kind."""
    return document.document_type, document.external_id


def _taken_external_ids(tenant: Tenant, documents: Sequence[Document]) -> Taken:
    rows = Document.objects.for_tenant(tenant).filter(
        Q(legal_status__isnull=True) | ~Q(legal_status__in=REJECTED),
        document_type__in={document.document_type for document in documents},
        external_id__in=[each.external_id for each in documents if each.external_id],
    )
    return {
        (kind, name): pk
        for pk, kind, name in rows.values_list("pk", "document_type", "external_id")
    }


def _external_id_taken(document: Document, external_ids: Taken) -> Conflict | None:
    holder = external_ids.get(_external_id(document))
    if holder is None:
        return None
    return Conflict(
        "external_id_taken",
        f"The external_id {document.external_id!r} belongs to document {holder}.",
    )
