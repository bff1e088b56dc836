"""A document in rows of label and text, as people read it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext

from invoicing.admin.sentences import trouble
from invoicing.models import Document, DocumentLine, LegalStatus, Payment, SubmissionState
from invoicing.pdf import formats
from pac.dgi.codes import (
    ITBMS_NAMES,
    METHOD_OTHER,
    PAYMENT_METHODS,
    PAYMENT_TIMES,
    RETENTION_CODES,
    PaymentTime,
    ReceiverType,
)

STANDING_COLOURS: dict[str, str] = {
    LegalStatus.PAC_AUTHORIZED: "info",
    LegalStatus.DGI_AUTHORIZED: "success",
    LegalStatus.PAC_REJECTED: "danger",
    LegalStatus.DGI_REJECTED: "danger",
    SubmissionState.NONE: "default",
    SubmissionState.QUEUED: "info",
    SubmissionState.SENDING: "info",
    SubmissionState.UNCERTAIN: "warning",
    SubmissionState.DONE: "success",
    SubmissionState.FAILED: "danger",
}

Row = tuple[str, str]


def standing(document: Document) -> str:
    """Where it stands, in words: its verdict, else how far sending got."""
    return str(document.get_legal_status_display() or document.get_submission_state_display())


def issuer(document: Document) -> Iterable[Row]:
    tenant, office = document.tenant, document.office
    yield gettext("Razón social"), tenant.name
    yield "RUC", f"{tenant.ruc} DV {tenant.dv}"
    yield gettext("Sucursal"), f"{office.code} · {office.address}"
    yield gettext("Punto de facturación"), document.billing_point


def receiver(document: Document) -> Iterable[Row]:
    receiver = document.receiver
    yield gettext("Nombre"), receiver.name
    yield gettext("Tipo"), gettext(ReceiverType[receiver.type or "CONSUMIDOR_FINAL"].label)
    if receiver.ruc:
        yield "RUC", f"{receiver.ruc} DV {receiver.dv}".strip()
    if receiver.foreign_number:
        country = formats.country(receiver.foreign_country)
        yield gettext("Identificación"), f"{receiver.foreign_number} ({country})"
    country = receiver.other_country or formats.country(receiver.country)
    yield gettext("Dirección"), ", ".join(filter(None, (receiver.address, country)))
    yield gettext("Teléfonos"), ", ".join(receiver.phones)
    yield gettext("Correos"), ", ".join(document.delivery_addresses)


def facts(document: Document) -> Iterable[Row]:
    yield gettext("Emitida"), formats.moment(document.issued_at)
    if document.due_date:
        yield gettext("Vence"), formats.day(document.due_date)
    yield gettext("Modo"), str(document.get_generation_mode_display())
    yield gettext("Id externo"), document.external_id or ""
    if document.canceled_at:
        yield gettext("Cancelada"), formats.moment(document.canceled_at)
    if document.voided_at:
        yield gettext("Anulada"), formats.moment(document.voided_at)


def fiscal(document: Document) -> Iterable[Row]:
    yield "CUFE", document.invoice_number or ""
    if document.computed_cufe != document.invoice_number:
        yield gettext("CUFE calculado"), document.computed_cufe or ""
    yield gettext("Id en el PAC"), document.document_id or ""
    yield gettext("Protocolo"), document.authorization_protocol
    if document.authorized_at:
        yield gettext("Autorizada"), formats.moment(document.authorized_at)


def sending(document: Document) -> Iterable[Row]:
    yield gettext("Intentos"), str(document.attempts)
    moments = {
        gettext("En cola desde"): document.queued_at,
        gettext("En duda desde"): document.doubtful_since,
        gettext("Próximo intento"): document.next_attempt_at,
        gettext("Próxima consulta"): document.next_poll_at,
        gettext("Atendida fuera"): document.handled_at,
    }
    for label, moment in moments.items():
        if moment:
            yield label, formats.moment(moment)


def line_row(line: DocumentLine) -> dict[str, str]:
    return {
        "number": str(line.number),
        "code": line.code,
        "description": line.description,
        "quantity": f"{formats.quantity(line.quantity)} {line.unit}",
        "price": formats.price(line.unit_price),
        "discount": formats.price(line.unit_discount) if line.unit_discount else "",
        "rate": gettext(ITBMS_NAMES.get(line.itbms_rate, line.itbms_rate)),
        "itbms": formats.amount(line.itbms),
        "total": formats.amount(line.total),
    }


def totals(document: Document) -> Iterable[tuple[str, str, bool]]:
    """Label, amount, and whether it is the sum of what stands above it."""
    yield gettext("Neto"), formats.money(document.net), False
    yield "ITBMS", formats.money(document.itbms), False
    others = (
        ("ISC", document.isc),
        (gettext("Otras tasas"), document.other_taxes),
        (gettext("Descuento"), -document.discount),
        (gettext("Acarreo"), document.freight),
        (gettext("Seguro"), document.insurance),
        (gettext("Otros gastos"), document.other_expenses),
    )
    for label, amount in others:
        if amount:
            yield label, formats.money(amount), False
    yield gettext("Total"), formats.money(document.total), True
    for label, amount in (
        (gettext("Retención"), document.retention),
        (gettext("Acreditado"), document.credited),
        (gettext("Pagado"), document.paid),
    ):
        if amount:
            yield label, formats.money(-amount), False
    yield gettext("Saldo"), formats.money(document.balance), True


def terms(document: Document) -> Iterable[Row]:
    if document.payment_time:
        code = PaymentTime[document.payment_time].code
        yield gettext("Tiempo de pago"), gettext(PAYMENT_TIMES[code])
    for method in document.payment_methods:
        yield _method(method["method"], method.get("description", "")), _money(method["amount"])
    for part in document.installments:
        yield (
            gettext("Cuota al %(day)s") % {"day": formats.day(part["due_date"])},
            _money(part["amount"]),
        )
    if retention := RETENTION_CODES.get(document.retention_code):
        yield gettext(retention.name), formats.money(document.retention)
    for discount in document.discounts:
        yield discount["description"], _money(discount["amount"])


def _method(code: str, description: str = "") -> str:
    if code == METHOD_OTHER and description:
        return description
    return gettext(PAYMENT_METHODS.get(code, code))


def _money(amount: Any) -> str:
    return formats.money(Decimal(str(amount)))


def payment_row(payment: Payment) -> dict[str, str]:
    return {
        "paid_at": formats.moment(payment.paid_at),
        "method": _method(payment.method),
        "amount": formats.money(payment.amount),
        "reference": payment.reference,
    }


def troubles(document: Document) -> list[tuple[str, str]]:
    """What is wrong or remarkable: a colour, and a sentence."""
    found: list[tuple[str, str]] = []
    if document.submission_error:
        found.append(("danger", trouble(document.submission_error)))
    found += [
        ("danger", f"{fault['code']} {fault['message']}".strip()) for fault in document.pac_errors
    ]
    voids = sorted(document.voids.all(), key=lambda event: event.pk)
    if voids and voids[-1].error:
        said = {"state": voids[-1].get_state_display(), "why": trouble(voids[-1].error)}
        found.append(("warning", gettext("Anulación %(state)s: %(why)s") % said))
    return found + [("warning", trouble(warning)) for warning in document.warnings]
