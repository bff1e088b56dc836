"""Is what the PAC shows ours?

The CUFE says it: number, date, branch and nine random digits are in it, and it was computed before
the first send. What carries our CUFE and yet another receiver or total is never adopted, nor what
carries our digits in another CUFE: a person decides, with both sides shown.
"""

import re
from typing import Any

from invoicing.models import Document
from pac.answers import DocumentAnswer
from pac.dgi import cufe
from pac.dgi.cufe import Cufe

PAC_ID = re.compile(r"[0-9A-Za-z_-]{1,26}")  # a ULID, or whatever the PAC may take for one


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


def has_our_code(document: Document, answer: DocumentAnswer) -> bool:
    """Whether it has our number and our nine random digits: nobody else's has, and yet its CUFE may
    be another, where the PAC knows the issuer's DV or the environment otherwise than we do."""
    theirs = _parsed(answer)
    return is_ours(document, answer) or (
        theirs is not None
        and is_numbered_alike(document, answer)
        and theirs.security_code == document.security_code
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
    return {
        name: {"ours": str(ours), "pac": str(theirs)}
        for name, (ours, theirs) in _sides(document, answer).items()
        if theirs is not None and ours != theirs
    }


def _sides(document: Document, answer: DocumentAnswer) -> dict[str, tuple[Any, Any]]:
    """What the two are compared by: ours, and the PAC's, None where its answer does not say."""
    return {
        "cufe": (document.computed_cufe, answer.cufe),
        "receiver_ruc": (document.receiver_ruc, answer.receiver_ruc),
        "receiver_name": (document.receiver_name, answer.receiver_name),
        "total": (document.total, answer.total),
    }


def match_doubted(
    document: Document, answer: DocumentAnswer, doubts: dict[str, dict[str, str]]
) -> dict[str, Any]:
    """The `submission_error` of a document that waits for a person's decision.

    `ours` and `pac` are the two contents side by side, `differences` the fields that disagree; a
    value is None where the PAC's answer does not tell it.
    """
    sides = _sides(document, answer)
    return {
        "code": "match_doubted",
        "message": "What the PAC has under our number is not what was sent; it was not adopted. "
        "Compare both sides and decide.",
        "differences": doubts,
        "document_id": answer.id,
        "ours": {"document_id": document.document_id}
        | {name: str(ours) for name, (ours, _) in sides.items()},
        "pac": {"document_id": answer.id}
        | {name: None if theirs is None else str(theirs) for name, (_, theirs) in sides.items()},
    }


def was_disowned(document: Document, answer: DocumentAnswer) -> bool:
    """Whether a person has decided that this document of the PAC is not ours."""
    error = document.submission_error or {}
    return error.get("code") == "number_taken" and error.get("document_id") == answer.id
