"""Rules about how a document is paid (pure)."""

from collections.abc import Iterator

from invoicing.fiscal.complete import Reckoning, credit_amount
from invoicing.fiscal.draft import ZERO, Draft, Fault, PaymentMethod
from pac.dgi import codes
from pac.dgi.calendar import panama_date
from pac.dgi.codes import METHOD_CASH, METHOD_CREDIT, METHOD_OTHER, PaymentTime

MOST_METHODS = 10
RETENTION_OTHER = "8"


def payment_codes(draft: Draft) -> Iterator[Fault]:
    if draft.sound("payment_time") and draft.payment_time not in {None, *PaymentTime}:
        yield Fault(
            "payment_time",
            "payment_time_unknown",
            f"The payment time is one of {', '.join(PaymentTime)}.",
            "2512",
        )
    if "payment_methods" in draft.broken or draft.payment_methods is None:
        return
    if not 1 <= len(draft.payment_methods) <= MOST_METHODS:
        yield Fault("payment_methods", "count", "A document has 1 to 10 payment methods.")
    for index, method in enumerate(draft.payment_methods):
        path = f"payment_methods.{index}"
        if path in draft.broken:
            continue
        for fault in _payment_method(path, method):
            if draft.sound(fault.path):
                yield fault


def _payment_method(path: str, method: PaymentMethod) -> Iterator[Fault]:
    if method.method not in codes.PAYMENT_METHODS:
        yield Fault(
            f"{path}.method",
            "payment_method_unknown",
            f"The method is one of {', '.join(codes.PAYMENT_METHODS)}.",
            "2600",
        )
    if method.amount is not None and method.amount < ZERO:
        yield Fault(f"{path}.amount", "negative", "A payment is not negative.", "2510")
    if method.method == METHOD_OTHER and not 10 <= len(method.description) <= 100:
        yield Fault(
            f"{path}.description",
            "description_required",
            "Method 99 needs a description of 10 to 100 characters.",
            "2601",
        )
    elif method.method not in {None, METHOD_OTHER} and method.description:
        yield Fault(
            f"{path}.description",
            "description_not_allowed",
            "Only method 99 has a description.",
            "2602",
        )


def retention(draft: Draft) -> Iterator[Fault]:
    if not draft.sound("retention_code", "retention_amount"):
        return
    code, amount = draft.retention_code, draft.retention_amount
    if code is None:
        if amount is not None:
            yield Fault(
                "retention_code",
                "retention_code_required",
                "An amount is withheld under a code.",
                "2650",
            )
        elif draft.receiver_withholds:
            yield Fault(
                "retention_code",
                "retention_code_required",
                "This customer withholds ITBMS: give the code here, or a default to the customer.",
                "2650",
            )
    elif code not in codes.RETENTION_CODES:
        yield Fault(
            "retention_code",
            "retention_code_unknown",
            f"The code is one of {', '.join(codes.RETENTION_CODES)}.",
            "2650",
        )
    elif code == RETENTION_OTHER and amount is None:
        yield Fault(
            "retention_amount", "retention_amount_required", "Code 8 needs its amount.", "2651"
        )
    elif code != RETENTION_OTHER and amount is not None:
        yield Fault(
            "retention_amount",
            "retention_amount_not_allowed",
            "The amount follows from the code; only code 8 gives it.",
            "2651",
        )
    elif amount is not None and amount < ZERO:
        yield Fault("retention_amount", "negative", "What is withheld is not negative.", "2651")


RULES_BEFORE_TOTAL = (payment_codes, retention)


def check_money(draft: Draft, reckoning: Reckoning) -> Iterator[Fault]:
    """The rules that need the total. The draft's payment is complete where it was understood."""
    total = reckoning.totals.total
    if total < ZERO:
        yield Fault(
            "discounts", "discount_over_total", "The discounts are higher than the rest.", "2507"
        )
        return
    if reckoning.retention > total:
        yield Fault(
            "retention_amount",
            "retention_over_total",
            f"More is withheld ({reckoning.retention}) than the total of {total}.",
            "2651",
        )
    if draft.payment_methods is None or not draft.sound("payment_methods"):
        return
    yield from _received(draft, reckoning)
    if draft.payment_time in set(PaymentTime) and draft.sound("payment_time"):
        yield from _payment_time(draft)
    yield from _installments(draft)


def _received(draft: Draft, reckoning: Reckoning) -> Iterator[Fault]:
    methods = draft.payment_methods or []
    total = reckoning.totals.total
    received = sum((method.amount for method in methods), ZERO)
    cash = sum((method.amount for method in methods if method.method == METHOD_CASH), ZERO)
    if received < total:
        yield Fault(
            "payment_methods",
            "payments_do_not_add_up",
            f"The payment methods add up to {received}; the total is {total}.",
            "2510",
        )
    elif received - total > cash:
        yield Fault(
            "payment_methods",
            "change_exceeds_cash",
            f"The change would be {received - total}, but only {cash} is paid in cash.",
            "2511",
        )


def _payment_time(draft: Draft) -> Iterator[Fault]:
    kinds = {method.method == METHOD_CREDIT for method in draft.payment_methods or []}
    fits = {
        PaymentTime.IMMEDIATE: kinds == {False},
        PaymentTime.CREDIT: kinds == {True},
        PaymentTime.MIXED: kinds == {True, False},
    }
    if not fits[PaymentTime[draft.payment_time or ""]]:
        yield Fault(
            "payment_time",
            "payment_time_mismatch",
            "IMMEDIATE has no method 01 (credit), CREDIT has nothing else, MIXED has both.",
            "2512",
        )


def _installments(draft: Draft) -> Iterator[Fault]:
    if not draft.sound("installments", "due_date"):
        return
    credit, installments = credit_amount(draft), draft.installments or []
    if credit and not installments and draft.due_date is None:
        yield Fault(
            "due_date",
            "due_date_required",
            "What is sold on credit needs a due_date or installments.",
            "2508",
        )
        return
    if draft.installments is None:
        return  # left out, and another fault kept them from being worked out
    paid = sum((installment.amount for installment in installments), ZERO)
    if paid != credit:
        yield Fault(
            "installments",
            "installments_do_not_add_up",
            f"The installments add up to {paid}; {credit} is on credit.",
            "2508",
        )
    for index, installment in enumerate(installments):
        path = f"installments.{index}"
        if installment.amount <= ZERO:
            yield Fault(f"{path}.amount", "not_positive", "An installment is above zero.", "2508")
        if draft.issued_at and installment.due_date < panama_date(draft.issued_at):
            yield Fault(f"{path}.due_date", "due_before_issue", "It lies before the date of issue.")
