"""A doubtful match with both sides beside each other: ours, and what the PAC shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from invoicing.admin.timeline import newest
from invoicing.models import Document
from invoicing.pdf import formats
from pac.answers import DocumentAnswer
from pac.dgi import cufe
from pac.errors import Ambiguous


@dataclass(frozen=True, slots=True)
class Side:
    """One row of the comparison."""

    label: str
    ours: str
    theirs: str

    @property
    def differs(self) -> bool:
        """Whether the PAC tells of it, and something else."""
        return bool(self.theirs) and self.ours != self.theirs


def sides(document: Document) -> list[Side]:
    """CUFE, number, date, receiver and total of ours and of the PAC's.

    What the PAC showed is read from the answer that raised the doubt; where that is not there any
    more, from what was noted down then. What it did not tell is empty.
    """
    answer = _answer(document)
    noted = (document.submission_error or {}).get("pac") or {}
    theirs = dict(_theirs(answer)) if answer else {}
    told = {name: str(value) for name, value in noted.items() if value is not None}
    return [
        Side("CUFE", document.computed_cufe or "", theirs.get("cufe") or told.get("cufe", "")),
        Side(gettext("Número"), document.number, theirs.get("number", "")),
        Side(
            gettext("Punto de facturación"),
            document.billing_point,
            theirs.get("billing_point", ""),
        ),
        Side(
            gettext("Emitida"),
            formats.moment(document.issued_at),
            theirs.get("issued_at", ""),
        ),
        Side(
            gettext("RUC del receptor"),
            document.receiver_ruc,
            theirs.get("receiver_ruc") or told.get("receiver_ruc", ""),
        ),
        Side(
            gettext("Nombre del receptor"),
            document.receiver_name,
            theirs.get("receiver_name") or told.get("receiver_name", ""),
        ),
        Side(
            gettext("Total (B/.)"),
            str(document.total),
            theirs.get("total") or told.get("total", ""),
        ),
    ]


def _theirs(answer: DocumentAnswer) -> Iterable[tuple[str, str]]:
    yield "cufe", answer.cufe or ""
    number, point = answer.numeration, answer.billing_point
    if answer.cufe and not (number and point):
        try:
            parsed = cufe.parse(answer.cufe)
        except cufe.MalformedCufe:
            pass
        else:
            number, point = parsed.number, parsed.billing_point
    yield "number", number or ""
    yield "billing_point", point or ""
    if answer.issued_at:
        yield "issued_at", formats.moment(answer.issued_at)
    yield "receiver_ruc", answer.receiver_ruc or ""
    yield "receiver_name", answer.receiver_name or ""
    yield "total", "" if answer.total is None else str(answer.total)


def _document_id(document: Document) -> str:
    return str((document.submission_error or {}).get("document_id") or "")


def _answer(document: Document) -> DocumentAnswer | None:
    """The PAC's newest answer about the document that is in doubt."""
    wanted = _document_id(document)
    for exchange in newest(document.exchanges):
        answer = _parsed(exchange.response)
        if answer and answer.id and answer.id == wanted:
            return answer
    return None


def _parsed(response: Any) -> DocumentAnswer | None:
    try:
        return DocumentAnswer.parse(response)
    except Ambiguous:
        return None
