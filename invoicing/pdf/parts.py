"""The parts that printed documents are made of: parties, facts, taxes, totals, payment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable, Spacer, Table

from invoicing.models import Document, DocumentLine
from invoicing.pdf import formats
from invoicing.pdf.logo import logo_image
from invoicing.pdf.page import SQUARE
from invoicing.pdf.typography import (
    BODY,
    HEADLINE,
    INK,
    LABEL,
    NAME,
    QUIET,
    RULE,
    TITLE,
    TOTAL,
    balanced,
    block,
    cell,
    font,
    long_block,
    text_width,
)
from pac.dgi.codes import (
    INCOTERMS,
    ITBMS_NAMES,
    METHOD_OTHER,
    OTHER_TAXES,
    PAYMENT_METHODS,
    PAYMENT_TIMES,
    RETENTION_CODES,
    PaymentTime,
    ReceiverType,
)
from tenants.models import Tenant

Row = tuple[str, str]

_GAP = 10.0  # between two columns


def title_block(title: str, number: str, width: float, look: ParagraphStyle = TITLE) -> Table:
    """What it is and its number, at the right edge."""
    return Table(
        [[balanced(title, look, width)], [f"N.º {number}"]],
        colWidths=[width],
        style=[
            *SQUARE,
            *font(look, (0, 0), (0, 0)),
            *font(NAME, (0, 1), (0, 1)),
            ("ALIGN", (0, 0), (-1, -1), "RIGHT"),
        ],
    )


def issuer_block(document: Document, width: float, *, name: str = "") -> list[Flowable]:
    """Who issues: logo, names, RUC, and the office it comes from.

    `name`, where it is given, is printed in the place of the issuer's own.
    """
    tenant, office = document.tenant, document.office
    headline, *others = _names(tenant, name)
    logo = logo_image(tenant.logo)
    contact = " · ".join(
        filter(
            None, (office.telephone and f"Tel. {office.telephone}", office.email or tenant.email)
        )
    )
    parts: list[Flowable] = [logo, Spacer(0, 8)] if logo else []
    parts.append(block(headline, HEADLINE, width))
    parts += [block(other, BODY, width) for other in others]
    parts.append(Spacer(0, 3))
    parts.append(block(f"RUC {tenant.ruc}  DV {tenant.dv}", BODY, width))
    return parts + [block(text, QUIET, width) for text in (office.address, contact) if text]


def _names(tenant: Tenant, stand_in: str) -> list[str]:
    """The most conspicuous first."""
    trade_name = tenant.trade_name if tenant.trade_name != tenant.name else ""
    names = (stand_in, trade_name) if stand_in else (trade_name, tenant.name)
    return [name for name in names if name]


def receiver_block(document: Document, width: float) -> list[Flowable]:
    """Who receives: type, name, RUC or foreign identity, and where to find them."""
    receiver = document.receiver
    kind = ReceiverType[receiver.type or "CONSUMIDOR_FINAL"].label
    parts: list[Flowable] = [
        block(f"Receptor · {kind}", LABEL, width),
        Spacer(0, 2),
        block(receiver.name or kind, NAME, width),
    ]
    if receiver.ruc:
        dv = f"  DV {receiver.dv}" if receiver.dv else ""
        parts.append(block(f"RUC {receiver.ruc}{dv}", BODY, width))
    if receiver.foreign_number:
        issued_by = f" ({formats.country(receiver.foreign_country)})"
        parts.append(block(f"Identificación {receiver.foreign_number}{issued_by}", BODY, width))
    country = receiver.other_country or formats.country(receiver.country)
    address = ", ".join(filter(None, (receiver.address, country)))
    contact = (", ".join(receiver.phones), ", ".join(receiver.emails))
    return parts + [block(text, QUIET, width) for text in (address, *contact) if text]


def circumstances(document: Document) -> list[Row]:
    """When and where it was issued, and until when it is to be paid."""
    rows = [("Fecha y hora", formats.moment(document.issued_at))]
    if document.due_date:
        rows.append(("Vence", formats.day(document.due_date)))
    rows.append(("Sucursal", document.office.code))
    rows.append(("Punto de facturación", document.billing_point))
    return rows


def facts(rows: Sequence[Row], width: float) -> Table:
    """Labels on the left, values on the right."""
    value_width = width * 0.62
    return Table(
        [[label, cell(value, BODY, value_width)] for label, value in rows],
        colWidths=[width - value_width, value_width],
        style=[
            *SQUARE,
            *font(QUIET, (0, 0), (0, -1)),
            *font(BODY, (1, 0), (1, -1)),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
        ],
    )


def section(title: str, rows: Sequence[Row], width: float) -> Table:
    """A titled list of names and amounts that may go over pages."""
    return _ledger([title, ""], rows, width)


def taxes_table(document: Document, lines: Iterable[DocumentLine], width: float) -> Table:
    """ITBMS by rate (base, tax), then ISC and each other tax, in B/."""
    bases: dict[str, Decimal] = defaultdict(Decimal)
    taxes: dict[str, Decimal] = defaultdict(Decimal)
    others: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        bases[line.itbms_rate] += line.net
        taxes[line.itbms_rate] += line.itbms
        for tax in line.other_taxes:
            others[tax["code"]] += Decimal(tax["amount"])
    rows = [
        (ITBMS_NAMES[rate], formats.amount(bases[rate]), formats.amount(taxes[rate]))
        for rate in sorted(bases)
    ]
    rows += [(name, "", formats.amount(value)) for name, value in _present(("ISC", document.isc))]
    rows += [
        (OTHER_TAXES.get(code, code), "", formats.amount(tax))
        for code, tax in sorted(others.items())
    ]
    return _ledger(["Impuestos", "Base (B/.)", "Impuesto (B/.)"], rows, width)


def totals_table(document: Document, width: float) -> Table:
    """From the lines' net to what the receiver pays, in B/."""
    additions = [
        ("Subtotal", document.net),
        ("ITBMS", document.itbms),
        *_present(
            ("ISC", document.isc),
            ("Otras tasas", document.other_taxes),
            ("Descuentos", -document.discount),
            ("Acarreo", document.freight),
            ("Seguro", document.insurance),
            ("Otros gastos", document.other_expenses),
        ),
    ]
    withheld = _present(("Retención de ITBMS", -document.retention))
    if withheld:
        withheld.append(("Neto a pagar", document.total - document.retention))
    total = len(additions)
    return Table(
        [
            [name, formats.money(value)]
            for name, value in (*additions, ("Total", document.total), *withheld)
        ],
        colWidths=[width * 0.45, width * 0.55],
        style=[
            *SQUARE,
            *font(BODY, (0, 0), (-1, -1)),
            ("ALIGN", (1, 0), (1, -1), "RIGHT"),
            ("TOPPADDING", (0, 0), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            *font(TOTAL, (0, total), (-1, total)),
            ("TOPPADDING", (0, total), (-1, total), 6),
            ("BOTTOMPADDING", (0, total), (-1, total), 8),
            ("LINEABOVE", (0, total), (-1, total), 0.9, INK),
            ("LINEBELOW", (0, total), (-1, total), 0.9, INK),
        ],
    )


def _present(*amounts: tuple[str, Decimal]) -> list[tuple[str, Decimal]]:
    return [(name, value) for name, value in amounts if value]


def receipt_table(document: Document, width: float) -> list[Table]:
    """What was received over all payment methods, and what was given back; none without methods."""
    if not document.payment_methods:
        return []
    received = sum((Decimal(method["amount"]) for method in document.payment_methods), Decimal(0))
    rows = [
        ("Recibido", formats.money(received)),
        ("Vuelto", formats.money(max(received - document.total, Decimal(0)))),
    ]
    return [section("Pago", rows, width)]


def payment_sections(document: Document, width: float) -> list[Flowable]:
    """How and when it is paid, what is withheld and why, and the discounts on the whole."""
    sections = [
        ("Condiciones de pago", _payment(document)),
        (
            "Cuotas",
            [
                (f"{sequence}.  {formats.day(part['due_date'])}", _amount_of(part))
                for sequence, part in enumerate(document.installments, start=1)
            ],
        ),
        (
            "Descuentos",
            [(discount["description"], _amount_of(discount)) for discount in document.discounts],
        ),
        ("Retención", _retention(document)),
        ("Exportación", _exportation(document)),
    ]
    return [section(title, rows, width) for title, rows in sections if rows]


def _payment(document: Document) -> list[Row]:
    rows = [(_payment_method(method), _amount_of(method)) for method in document.payment_methods]
    if document.payment_time:
        time = PAYMENT_TIMES[PaymentTime[document.payment_time].code]
        rows.insert(0, ("Tiempo de pago", time))
    return rows


def _payment_method(method: dict[str, str]) -> str:
    code = method["method"]
    if code == METHOD_OTHER and method.get("description"):
        return method["description"]
    return PAYMENT_METHODS.get(code, code)


def _retention(document: Document) -> list[Row]:
    code = RETENTION_CODES.get(document.retention_code)
    if code is None:
        return []
    return [(code.name, formats.money(document.retention))]


def _exportation(document: Document) -> list[Row]:
    exportation = document.exportation
    if not exportation:
        return []
    incoterm, currency = exportation["incoterm"], exportation["currency"]
    rate = formats.quantity(Decimal(exportation["exchange_rate"]))
    rows = [
        (f"{incoterm} · {INCOTERMS.get(incoterm, '')}", ""),
        (f"{currency} · tipo de cambio {rate}", formats.amount(Decimal(exportation["amount"]))),
    ]
    return rows + [(port, "") for port in (exportation["port"],) if port]


def _amount_of(part: dict[str, str]) -> str:
    return formats.money(Decimal(part["amount"]))


def notes_block(document: Document, width: float) -> list[Flowable]:
    """What else the issuer has to say, in the issuer's own lines; nothing without notes."""
    if not document.notes:
        return []
    return [
        block("Notas", LABEL, width),
        Spacer(0, 2),
        long_block(document.notes, BODY, width),
    ]


def _ledger(headings: list[str], rows: Sequence[Sequence[str]], width: float) -> Table:
    """Headings, then names on the left and figures on the right, which take what they need."""
    figures = list(zip(headings, *rows, strict=True))[1:]
    widths = [max(text_width(column, BODY) + _GAP, width / 4) for column in figures]
    name_width = width - sum(widths)
    return Table(
        [headings, *([cell(name, BODY, name_width), *values] for name, *values in rows)],
        colWidths=[name_width, *widths],
        repeatRows=1,
        hAlign="LEFT",
        style=[
            *SQUARE,
            *font(BODY, (0, 1), (-1, -1)),
            *font(LABEL, (0, 0), (-1, 0)),
            ("ALIGN", (1, 0), (-1, -1), "RIGHT"),
            ("TOPPADDING", (0, 1), (-1, -1), 2.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, RULE),
        ],
    )
