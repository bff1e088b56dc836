"""Is what the PAC shows ours?

The CUFE says it: number, date, branch and nine random digits are in it, and it was computed before
the first send. What carries our CUFE and yet another receiver or total is never adopted: a person
decides, with both sides shown.
"""

from typing import Any

from invoicing.models import Document
from pac.answers import DocumentAnswer
from pac.dgi import cufe
from pac.dgi.cufe import Cufe


def is_ours(document: Document, answer: DocumentAnswer) -> bool:
    return answer.cufe is not None and answer.cufe == document.computed_cufe


def has_our_number(document: Document, answer: DocumentAnswer) -> bool:
    """Whether another document stands under our number: same series and number, another CUFE."""
    theirs = _parsed(answer)
    if theirs is None or is_ours(document, answer):
        return False
    return is_numbered_alike(document, answer) and (theirs.document_type, theirs.branch) == (
        document.dgi_document_type,
        document.office.code,
    )


def is_numbered_alike(document: Document, answer: DocumentAnswer) -> bool:
    """Whether it has our billing point and number, in any series: what the list is asked for."""
    theirs = _parsed(answer)
    return theirs is not None and (theirs.billing_point, theirs.number) == (
        document.billing_point,
        document.number,
    )


def _parsed(answer: DocumentAnswer) -> Cufe | None:
    try:
        return cufe.parse(answer.cufe or "")
    except cufe.MalformedCufe:
        return None


def contradiction(document: Document, answer: DocumentAnswer) -> dict[str, dict[str, str]]:
    """What the PAC shows differently, field by field with both sides; empty where nothing is."""
    sides = {
        "receiver_ruc": (document.receiver_ruc, answer.receiver_ruc),
        "receiver_name": (document.receiver_name, answer.receiver_name),
        "total": (document.total, answer.total),
    }
    return {
        name: {"ours": str(ours), "pac": str(theirs)}
        for name, (ours, theirs) in sides.items()
        if theirs is not None and ours != theirs
    }


def match_doubted(answer: DocumentAnswer, doubts: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The `submission_error` of a document that waits for a person's decision."""
    return {
        "code": "match_doubted",
        "message": "The PAC has a document with our CUFE and another content; it was not adopted. "
        "Compare both sides and decide.",
        "differences": doubts,
        "document_id": answer.id,
    }
