"""Is what the PAC shows ours?

The CUFE says it: number, date, branch and nine random digits are in it, and it was computed before
the first send. What carries our CUFE and yet another receiver or total is never adopted: a person
decides, with both sides shown.
"""

from typing import Any

from invoicing.models import Document
from pac.answers import DocumentAnswer
from pac.dgi import cufe


def is_ours(document: Document, answer: DocumentAnswer) -> bool:
    return answer.cufe is not None and answer.cufe == document.computed_cufe


def has_our_number(document: Document, answer: DocumentAnswer) -> bool:
    """Whether another document stands under our number: same series and number, another CUFE."""
    if answer.cufe is None or document.computed_cufe is None or is_ours(document, answer):
        return False
    try:
        theirs, ours = cufe.parse(answer.cufe), cufe.parse(document.computed_cufe)
    except cufe.MalformedCufe:
        return False
    return (theirs.document_type, theirs.branch, theirs.billing_point, theirs.number) == (
        ours.document_type,
        ours.branch,
        ours.billing_point,
        ours.number,
    )


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
