"""The rule book: everything the DGI would refuse that can be known before sending (pure).

Source of the codes: the DGI's ficha técnica, section 8.4. `check` answers with **every** fault of a
draft at once; parts that could not be understood (`Draft.broken`) are passed over, since somebody
has already said so.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from invoicing.fiscal import line_rules, note_rules, notices, payment_rules, receiver_rules
from invoicing.fiscal.complete import Reckoning, complete_payment, reckon
from invoicing.fiscal.draft import Draft, Exportation, Fault
from pac.dgi import codes, shapes
from pac.dgi.calendar import add_business_days, panama_date

Rule = Callable[[Draft], Iterator[Fault]]

INVOICE = "01"
INVOICE_TYPES = frozenset({"01", "02", "03", "08", "09", "10"})
EXPORT_TYPES = frozenset({"03"})
EXPORTATION_REQUIRED = frozenset({"02", "03"})
FIRST_DAY = date(2018, 1, 1)
MOST = Decimal("999999999999.99")  # B/.; the most that any amount of a request can be, too


def check(draft: Draft, *, now: datetime) -> tuple[list[Fault], Reckoning | None]:
    """Every fault of a completed draft, and what it comes to (None where that cannot be known).

    Fills in how the document is paid where the request left it out, since that follows from the
    total. A draft with no fault has a reckoning.
    """
    faults = [
        fault
        for rule in (
            document_type,
            dates_of(now),
            emission,
            exportation,
            *receiver_rules.RULES,
            *line_rules.RULES,
            *payment_rules.RULES_BEFORE_TOTAL,
            *(note_rules.RULES if draft.document_type != INVOICE else ()),
        )
        for fault in rule(draft)
    ]
    touched = {fault.path.partition(".")[0] for fault in faults} | {
        path.partition(".")[0] for path in draft.broken
    }
    if touched & {"lines", "discounts", "freight", "insurance", "other_expenses"}:
        return faults, None
    if touched & {"retention_code", "retention_amount"}:
        draft.retention_code = None
    reckoning = reckon(draft)
    faults += amounts_too_large(reckoning)
    if not touched & {"payment_time", "payment_methods", "installments", "due_date"}:
        complete_payment(draft, reckoning.totals.total)
    faults += payment_rules.check_money(draft, reckoning)
    if draft.document_type != INVOICE:
        note_rules.complete_note(draft, reckoning)
        faults += note_rules.amounts(draft, reckoning)
    return faults, reckoning


def document_type(draft: Draft) -> Iterator[Fault]:
    if not draft.sound("dgi_document_type"):
        return
    if draft.document_type == INVOICE and draft.dgi_document_type not in INVOICE_TYPES:
        yield Fault(
            "dgi_document_type",
            "document_type_unknown",
            f"An invoice is one of {', '.join(sorted(INVOICE_TYPES))}.",
            "1510",
        )
    if draft.sound("nature") and draft.nature not in codes.NATURES:
        yield Fault("nature", "nature_unknown", known("nature", codes.NATURES), "1524")
    if draft.sound("sale_type") and draft.sale_type not in codes.SALE_TYPES:
        yield Fault("sale_type", "sale_type_unknown", known("sale type", codes.SALE_TYPES), "1531")
    if draft.sound("destination"):
        yield from _destination(draft)


def _destination(draft: Draft) -> Iterator[Fault]:
    exporting = draft.dgi_document_type in EXPORT_TYPES
    if draft.destination not in codes.DESTINATIONS:
        yield Fault(
            "destination", "destination_unknown", known("destination", codes.DESTINATIONS), "1526"
        )
    elif exporting and draft.destination == 1:
        yield Fault(
            "destination",
            "export_needs_foreign_destination",
            "An export (03) goes abroad: destination 2.",
            "1533",
        )
    elif draft.dgi_document_type == "01" and draft.destination == 2:
        yield Fault(
            "destination",
            "internal_invoice_stays_in_panama",
            "An internal invoice (01) has destination 1; an export is document type 03.",
            "1534",
        )


def dates_of(now: datetime) -> Rule:
    def dates(draft: Draft) -> Iterator[Fault]:
        if not draft.sound("issued_at") or draft.issued_at is None:
            return
        issued_on = panama_date(draft.issued_at)
        if issued_on < FIRST_DAY:
            yield Fault(
                "issued_at",
                "issued_before_the_regime",
                "There were no electronic invoices in Panama before 2018.",
                "1519",
            )
        if issued_on > add_business_days(panama_date(now), 2):
            yield Fault(
                "issued_at",
                "issued_too_far_ahead",
                "A document may be dated at most two business days ahead.",
                "1520",
            )
        if draft.sound("due_date") and draft.due_date and draft.due_date < issued_on:
            yield Fault(
                "due_date", "due_before_issue", "The due date lies before the date of issue."
            )

    return dates


def emission(draft: Draft) -> Iterator[Fault]:
    """Issue type, contingency and billing point."""
    if draft.sound("billing_point") and not shapes.is_billing_point(draft.billing_point):
        yield Fault(
            "billing_point",
            "billing_point_malformed",
            "A billing point has three digits and is never 000.",
            "1515",
        )
    if not draft.sound("issue_type"):
        return
    if draft.issue_type not in codes.ISSUE_TYPES:
        yield Fault(
            "issue_type", "issue_type_unknown", known("issue type", codes.ISSUE_TYPES), "1503"
        )
    if "contingency" in draft.broken:
        return
    if draft.issue_type in {"02", "04"}:
        yield from _contingency(draft)
    elif draft.contingency:
        yield Fault(
            "contingency",
            "contingency_not_allowed",
            "Only issue types 02 and 04 are issued in contingency.",
        )


def _contingency(draft: Draft) -> Iterator[Fault]:
    contingency = draft.contingency
    if contingency is None:
        yield Fault(
            "contingency",
            "contingency_required",
            "Issue types 02 and 04 need the start of the contingency and its reason.",
            "1506",
        )
        return
    if (
        draft.sound("contingency.started_at", "issued_at")
        and draft.issued_at
        and contingency.started_at > draft.issued_at
    ):
        yield Fault(
            "contingency.started_at",
            "contingency_after_issue",
            "The contingency cannot start after the document is issued.",
            "1507",
        )
    if draft.sound("contingency.reason") and not 15 <= len(contingency.reason) <= 250:
        yield Fault(
            "contingency.reason",
            "reason_length",
            "The reason of a contingency has 15 to 250 characters.",
            "1509",
        )


def exportation(draft: Draft) -> Iterator[Fault]:
    if "exportation" in draft.broken or not draft.sound("dgi_document_type"):
        return
    needed = draft.dgi_document_type in EXPORTATION_REQUIRED
    if draft.exportation is None:
        if needed:
            yield Fault(
                "exportation",
                "exportation_required",
                "Document types 02 and 03 need incoterm, currency, exchange rate and amount.",
                "1651",
            )
        return
    if not needed:
        yield Fault(
            "exportation",
            "exportation_not_allowed",
            "Only document types 02 and 03 carry data of an export.",
            "1650",
        )
    if draft.sound("exportation.incoterm") and draft.exportation.incoterm not in codes.INCOTERMS:
        yield Fault(
            "exportation.incoterm",
            "incoterm_unknown",
            known("incoterm", codes.INCOTERMS),
            "1652",
        )
    yield from _currency(draft, draft.exportation)


def _currency(draft: Draft, export: Exportation) -> Iterator[Fault]:
    if draft.sound("exportation.currency") and not shapes.is_currency(export.currency):
        yield Fault(
            "exportation.currency",
            "currency_unknown",
            "Use an ISO 4217 code of three capital letters, such as USD.",
            "1653",
        )
    if draft.sound("exportation.exchange_rate") and export.exchange_rate <= 0:
        yield Fault(
            "exportation.exchange_rate", "not_positive", "An exchange rate is above zero.", "1656"
        )
    if draft.sound("exportation.amount") and export.amount < 0:
        yield Fault(
            "exportation.amount", "negative", "The amount of an export is not negative.", "1657"
        )


def amounts_too_large(reckoning: Reckoning) -> Iterator[Fault]:
    """Every amount fits its column, and what the PAC can be sent again as a payment."""
    large = [index for index, line in enumerate(reckoning.lines) if line.total > MOST]
    for index in large:
        yield Fault(f"lines.{index}", "amount_too_large", f"A line comes to at most B/.{MOST}.")
    totals = reckoning.totals
    # A discount may hide in the total how much the lines come to.
    if not large and max(totals.net + totals.taxes, totals.discount, totals.total) > MOST:
        yield Fault("lines", "amount_too_large", f"A document comes to at most B/.{MOST}.")


def warnings(
    draft: Draft,
    reckoning: Reckoning,
    *,
    now: datetime,
    note_window: timedelta,
    is_known: notices.IsKnown = notices.nobody_can_tell,
) -> list[dict[str, str]]:
    """What the DGI notifies but does not refuse, for the document's `warnings`."""
    found = notices.notices(draft, reckoning, now=now, note_window=note_window, is_known=is_known)
    return [{"code": notice.code, "message": str(notice)} for notice in found]


def known(what: str, table: object) -> str:
    """A sentence that names the values a field may have."""
    return f"No such {what}. Known are: {', '.join(sorted(str(code) for code in table))}."  # type: ignore[attr-defined]
