"""Rules about credit and debit notes (pure).

Source: the DGI's ficha técnica, section 8.4, rules B601 to B606o.
"""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from invoicing.fiscal.complete import Reckoning
from invoicing.fiscal.draft import ZERO, Draft, Fault, Original
from pac.dgi.calendar import panama_date, panama_isoformat

REFERRING = {"02": "04", "03": "05"}  # by Cifras's document type: the DGI's type with an invoice
GENERIC = {"02": "06", "03": "07"}  # and without one
WHOLE, INTEREST, PARTIAL = 1, 2, 3
CREDIT = "02"
IMPORTED = "DGI_IMPORT"


def note_type(draft: Draft) -> Iterator[Fault]:
    """The DGI's type fits: 04 and 05 reference an invoice, 06 and 07 none."""
    if not draft.sound("dgi_document_type", "invoice"):
        return
    referring, generic = REFERRING[draft.document_type], GENERIC[draft.document_type]
    if draft.dgi_document_type not in {referring, generic}:
        yield Fault(
            "dgi_document_type",
            "document_type_unknown",
            f"This note is {referring} with an invoice, or {generic} without one.",
            "1510",
        )
    elif draft.dgi_document_type == referring and draft.original is None:
        yield Fault(
            "invoice", "invoice_required", f"A note of type {referring} names its invoice.", "1705"
        )
    elif draft.dgi_document_type == generic and draft.original is not None:
        yield Fault(
            "invoice", "invoice_not_allowed", f"A generic note ({generic}) names none.", "1706"
        )


def original(draft: Draft) -> Iterator[Fault]:
    """The invoice can be corrected, and by a note to this receiver."""
    invoice = draft.original
    if invoice is None:
        return
    if invoice.is_void:
        yield Fault("invoice", "original_void", "The invoice is void.", "1718")
    elif invoice.is_being_voided:
        yield Fault(
            "invoice",
            "original_void",
            "A void of the invoice is under way; a note can reference it if that is refused.",
        )
    elif not invoice.is_authorized and draft.generation_mode == "DGI":
        yield Fault(
            "invoice",
            "original_not_authorized",
            "The invoice is not DGI_AUTHORIZED (yet); a note can reference it once it is.",
            "1707",
        )
    if draft.sound("receiver") and _is_for_another(draft, invoice):
        yield Fault(
            "receiver", "receiver_differs", "A note goes to the receiver of its invoice.", "1710"
        )
    if draft.sound("issued_at") and _is_before(draft, invoice):
        yield Fault(
            "issued_at", "note_before_original", "A note is not dated before its invoice.", "1702"
        )


def _is_for_another(draft: Draft, invoice: Original) -> bool:
    """As the PAC compares them: type, RUC and foreign id. Of an import these may be known in part
    or not at all; then what is known of both is compared."""
    ours, theirs = _identity(draft), invoice.receiver_identity
    if ours[0] and theirs[0]:
        return ours != theirs
    return any(our and their and our != their for our, their in zip(ours, theirs, strict=True))


def _identity(draft: Draft) -> tuple[str | None, str, str]:
    receiver = draft.receiver
    return receiver.type, receiver.ruc, receiver.foreign_number


def _is_before(draft: Draft, invoice: Original) -> bool:
    """As the PAC compares them: moments, to the second. Of an import only the day is known."""
    if draft.issued_at is None:
        return False
    if draft.generation_mode == IMPORTED:
        return panama_date(draft.issued_at) < panama_date(invoice.issued_at)
    return panama_isoformat(draft.issued_at) < panama_isoformat(invoice.issued_at)


def amounts(draft: Draft, reckoning: Reckoning) -> Iterator[Fault]:
    """A note never takes more than its invoice has left, and says truly whether it takes all."""
    invoice, total = draft.original, reckoning.totals.total
    if invoice is None:
        return
    if draft.document_type == CREDIT and total > invoice.left:
        yield Fault(
            "lines",
            "note_exceeds_original",
            f"The note comes to {total}; the invoice of {invoice.total} has {invoice.left} left.",
            "1717" if invoice.credited else "1711",
        )
    elif total > invoice.total:
        yield Fault(
            "lines",
            "note_exceeds_original",
            f"The note comes to {total}, more than the invoice of {invoice.total}.",
            "1711",
        )
    elif total <= ZERO:
        yield Fault("lines", "note_of_nothing", "A note is above zero.", "2507")
    if draft.sound("modification_code"):
        yield from _modification(draft, invoice, total)


def _modification(draft: Draft, invoice: Original, total: Decimal) -> Iterator[Fault]:
    allowed = {WHOLE, PARTIAL} if draft.document_type == CREDIT else {INTEREST, PARTIAL}
    if draft.modification_code is not None and draft.modification_code not in allowed:
        yield Fault(
            "modification_code",
            "modification_code_unknown",
            "A credit note is 1 (whole) or 3 (partial); a debit note 2 (interest) or 3.",
        )
    elif draft.modification_code == WHOLE and total != invoice.total:
        yield Fault(
            "modification_code",
            "modification_code_mismatch",
            f"Code 1 takes the whole invoice of {invoice.total}; this note takes {total}.",
        )


def complete_note(draft: Draft, reckoning: Reckoning) -> None:
    """Works out, in place, how a note modifies its invoice, where the request does not say."""
    if draft.original is None or draft.modification_code is not None:
        return
    whole = draft.document_type == CREDIT and reckoning.totals.total == draft.original.total
    draft.modification_code = WHOLE if whole else PARTIAL


def is_late(draft: Draft, window: timedelta) -> bool:
    """Whether the note comes later after its invoice than the DGI likes (code 1714)."""
    return bool(
        draft.original and draft.issued_at and draft.issued_at - draft.original.issued_at > window
    )


RULES = (note_type, original)
