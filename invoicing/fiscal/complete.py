"""What was left out of a draft and follows from the rest of it (pure)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from invoicing.fiscal.draft import ZERO, Draft, Installment, PaymentMethod
from pac.dgi import amounts, ruc
from pac.dgi.amounts import LineAmounts, Totals
from pac.dgi.codes import METHOD_CASH, METHOD_CREDIT, PaymentTime

EXPORT = "03"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What a draft comes to, in B/.: its lines, the document, and what the receiver withholds."""

    lines: list[LineAmounts]
    totals: Totals
    retention: Decimal

    @property
    def due(self) -> Decimal:
        """What the receiver pays: the total less what is withheld."""
        return self.totals.total - self.retention


def reckon(draft: Draft) -> Reckoning:
    """The money of a draft whose lines and amounts were understood."""
    lines = [
        amounts.line_amounts(
            quantity=line.quantity,
            unit_price=line.unit_price,
            unit_discount=line.unit_discount,
            itbms_rate=line.itbms_rate,
            isc_amount=line.isc_amount,
            other_taxes=[tax.amount for tax in line.other_taxes],
        )
        for line in draft.lines
    ]
    totals = amounts.document_totals(
        lines,
        discounts=[discount.amount for discount in draft.discounts],
        freight=draft.freight,
        insurance=draft.insurance,
        other_expenses=draft.other_expenses,
    )
    retention = ZERO
    if draft.retention_code:
        retention = amounts.retention_amount(
            draft.retention_code, totals.itbms, draft.retention_amount
        )
    return Reckoning(lines, totals, retention)


def complete(draft: Draft, *, now: datetime, billing_point: str) -> None:
    """Fills, in place, what does not depend on the total. Idempotent."""
    draft.billing_point = draft.billing_point or billing_point
    draft.issued_at = draft.issued_at or now
    exporting = draft.dgi_document_type == EXPORT
    draft.nature = draft.nature or ("02" if exporting else "01")
    if draft.destination is None:
        draft.destination = 2 if exporting else 1
    complete_receiver(draft)


def complete_receiver(draft: Draft) -> None:
    """Writes the receiver's RUC as the DGI does and works out its DV, in place. Idempotent."""
    receiver = draft.receiver
    if receiver.ruc and receiver.ruc_type and draft.sound("receiver.ruc", "receiver.ruc_type"):
        try:
            parsed = ruc.parse(receiver.ruc, ruc.RucType(receiver.ruc_type))
        except ruc.MalformedRuc:
            return  # the rules say what is wrong with it
        receiver.ruc = parsed.text
        if draft.sound("receiver.dv"):
            receiver.dv = receiver.dv or parsed.dv


def complete_payment(draft: Draft, total: Decimal) -> None:
    """Fills, in place, how `total` (B/.) is paid, where the request does not say. Idempotent."""
    if draft.payment_methods is None:
        # Nothing to pay is nothing to owe, whenever it falls due.
        on_credit = total > ZERO and (
            draft.payment_time == PaymentTime.CREDIT
            or (draft.payment_time is None and draft.due_date is not None)
        )
        method = METHOD_CREDIT if on_credit else METHOD_CASH
        draft.payment_methods = [PaymentMethod(method, total)]
    credit = credit_amount(draft)
    if draft.payment_time is None:
        paid_at_once = any(method.method != METHOD_CREDIT for method in draft.payment_methods)
        if not credit:
            draft.payment_time = PaymentTime.IMMEDIATE
        else:
            draft.payment_time = PaymentTime.MIXED if paid_at_once else PaymentTime.CREDIT
    if draft.installments is None:
        draft.installments = (
            [Installment(draft.due_date, credit)] if credit and draft.due_date else []
        )


def credit_amount(draft: Draft) -> Decimal:
    """The part of the document that is sold on credit, in B/."""
    return sum(
        (method.amount for method in draft.payment_methods or [] if method.method == METHOD_CREDIT),
        ZERO,
    )
