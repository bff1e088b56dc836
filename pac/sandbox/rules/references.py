"""Rules about what a note refers to; they need the documents that the PAC already holds."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

from pac.dgi.calendar import panama_date
from pac.sandbox.kinds import Kind
from pac.sandbox.records import DGI_AUTHORIZED, Document
from pac.sandbox.state import State
from pac.sandbox.wire import Problem

PATH = "instance.referencedDocuments"

NOTE_OF_A_NOTE = {
    (Kind.CREDIT_NOTE, Kind.CREDIT_NOTE): "1712",
    (Kind.DEBIT_NOTE, Kind.DEBIT_NOTE): "1713",
    (Kind.CREDIT_NOTE, Kind.DEBIT_NOTE): "1715",
    (Kind.DEBIT_NOTE, Kind.CREDIT_NOTE): "1716",
}


def find_originals(state: State, company_id: str, payload: dict[str, Any]) -> dict[str, Document]:
    """The e-invoices that a well-formed note refers to, by the path of the reference.

    A reference to another company's document, or to none, is left out: `check_references` says
    so. Printed documents (PAPER, PRINTER) are nobody's to look up.
    """
    found: dict[str, Document] = {}
    for position, reference in enumerate(payload.get("referencedDocuments", [])):
        original = _find(state, reference)
        if original is not None and original.company_id == company_id:
            found[f"{PATH}[{position}]"] = original
    return found


def _find(state: State, reference: dict[str, Any]) -> Document | None:
    if reference["emissionType"] == "ID":
        return state.documents.get(reference["apiIdentification"])
    if reference["emissionType"] == "CUFE":
        return state.by_cufe(reference["cufeIdentification"])
    return None


def check_references(
    state: State,
    kind: Kind,
    payload: dict[str, Any],
    total: Decimal,
    originals: dict[str, Document],
) -> Iterator[Problem]:
    """Everything that is wrong with a well-formed document's references."""
    references = payload.get("referencedDocuments")
    if references is None:
        return
    for position, reference in enumerate(references):
        path = f"{PATH}[{position}]"
        if path in originals:
            yield from _one(kind, payload, reference, originals[path], path)
        elif reference["emissionType"] in ("ID", "CUFE"):
            yield Problem("1707", "No existe FE correspondiente a la FE referenciada", path)
    if all(reference["emissionType"] in ("PAPER", "PRINTER") for reference in references):
        message = "Nota de débito o de crédito que no referencia ninguna FE"
        yield Problem("1705", message, PATH)
    distinct = {original.id: original for original in originals.values()}
    if len(distinct) < len(originals):
        message = "CUFE referenciado duplicado en la nota de crédito/débito"
        yield Problem("1709", message, PATH)
    if kind is Kind.CREDIT_NOTE and distinct:
        yield from _credit(state, total, list(distinct.values()))


def _one(
    kind: Kind, payload: dict[str, Any], reference: dict[str, Any], original: Document, path: str
) -> Iterator[Problem]:
    if code := NOTE_OF_A_NOTE.get((kind, original.kind)):
        yield Problem(code, "Nota de crédito o de débito que referencia una nota", path)
    if original.legal_status != DGI_AUTHORIZED:
        message = f"La FE referenciada no está autorizada por la DGI: {original.legal_status}"
        yield Problem("1707", message, path)
    if original.is_voided:
        message = "No se permite realizar notas a una FE con un evento de anulación"
        yield Problem("1718", message, path)
    if _identity(payload) != _identity(original.payload):
        message = "Los documentos referenciados no concuerdan con el mismo receptor en la nota"
        yield Problem("1710", message, path)
    said = panama_date(datetime.fromisoformat(reference["issueDate"]))
    if said != panama_date(original.issue_date):
        message = "Fecha del documento referenciado no concuerda con la fecha en que se emitió"
        yield Problem("1720", message, f"{path}.issueDate")
    if datetime.fromisoformat(payload["information"]["issueDate"]) < original.issue_date:
        message = "Fecha de emisión del documento referenciado posterior a la de este documento"
        yield Problem("1702", message, "instance.information.issueDate")


def _identity(payload: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """Who receives a document, whatever name and address were written this time."""
    receiver = payload["receiver"]
    ruc = receiver.get("ruc", {}).get("ruc")
    return receiver["type"], ruc, receiver.get("foreign", {}).get("number")


def _credit(state: State, total: Decimal, originals: list[Document]) -> Iterator[Problem]:
    limit = sum((original.total for original in originals), Decimal(0))
    credited = sum((note.total for note in state.credits_of(originals)), Decimal(0))
    if total > limit:
        message = f"Monto de la nota superior al de la Factura referenciada: {total} de {limit}"
        yield Problem("1711", message, "instance.totals")
    elif total + credited > limit:
        message = f"Notas de crédito por {total + credited} sobre una FE de {limit}"
        yield Problem("1717", message, "instance.totals")
