"""Rules about lines and sums: Alanube computes the money, and what is paid has to meet it."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from pac.dgi.amounts import Totals, document_totals, line_amounts, retention_amount
from pac.dgi.codes import METHOD_CASH, METHOD_CREDIT, METHOD_OTHER
from pac.sandbox.wire import Problem

IMMEDIATE = 1
ZERO = Decimal(0)

PATH = "instance.totals"


def amounts_of(payload: dict[str, Any]) -> Totals:
    """What a well-formed document comes to."""
    totals = payload["totals"]
    lines = [
        line_amounts(
            quantity=Decimal(item["quantity"]),
            unit_price=Decimal(item["prices"]["transfer"]),
            unit_discount=Decimal(item["prices"].get("discount", 0)),
            itbms_rate=item["itbms"]["rate"],
            isc_amount=Decimal(item.get("isc", {}).get("amount", 0)),
            other_taxes=[Decimal(tax["amount"]) for tax in item.get("otherTaxes", [])],
        )
        for item in payload["items"]
    ]
    return document_totals(
        lines,
        discounts=[Decimal(discount["amount"]) for discount in totals.get("discounts", [])],
        freight=Decimal(totals.get("transport", 0)),
        insurance=Decimal(totals.get("insurance", 0)),
        other_expenses=Decimal(totals.get("otherExpenses", 0)),
    )


def lines(payload: dict[str, Any]) -> Iterator[Problem]:
    """Lines are numbered 0001, 0002 ...; a discount stays within its price; taxes come once."""
    for position, item in enumerate(payload["items"]):
        path = f"instance.items[{position}]"
        if item["number"] != f"{position + 1:04}":
            message = f"{path}.number is not the sequential {position + 1:04}"
            yield Problem("2001", message, f"{path}.number")
        if item["prices"].get("discount", 0) > item["prices"]["transfer"]:
            message = "Valor del descuento superior al precio unitario"
            yield Problem("2051", message, f"{path}.prices.discount")
        taxes = [tax["code"] for tax in item.get("otherTaxes", [])]
        if len(set(taxes)) < len(taxes):
            message = "Código de otra tasa o impuesto por ítem se repite más de una vez"
            yield Problem("2300", message, f"{path}.otherTaxes")


def payment_methods(payload: dict[str, Any]) -> Iterator[Problem]:
    """Method 99 says what it is; the others say nothing."""
    for position, method in enumerate(payload["totals"]["paymentMethods"]):
        path = f"{PATH}.paymentMethods[{position}]"
        unlisted = method["type"] == METHOD_OTHER
        if unlisted and "otherType" not in method:
            yield Problem("2601", f'{path} requires property "otherType"', f"{path}.otherType")
        if not unlisted and "otherType" in method:
            message = f"{path}.otherType is only allowed when type is {METHOD_OTHER}"
            yield Problem("2602", message, f"{path}.otherType")


def instalments(payload: dict[str, Any]) -> Iterator[Problem]:
    """Instalments go with credit and mixed payment, in sequence, and add up to the credit."""
    totals = payload["totals"]
    given = totals.get("installmentPayment", [])
    field = f"{PATH}.installmentPayment"
    if totals["paymentTime"] == IMMEDIATE:
        if given:
            message = f"{field} is not allowed when paymentTime is {IMMEDIATE}"
            yield Problem("2512", message, field)
    elif not given:
        yield Problem("2512", f'{PATH} requires property "installmentPayment"', field)
    if [each["sequence"] for each in given] != list(range(1, len(given) + 1)):
        yield Problem("2508", f"{field} is not numbered 1, 2, 3 ...", field)
    on_credit = _paid_by(totals, METHOD_CREDIT)
    fractions = _sum(given)
    if fractions != on_credit:
        message = (
            "Suma de los valores de las fracciones de pago a plazo inválida: "
            f"{fractions:.2f} de {on_credit:.2f} a crédito"
        )
        yield Problem("2508", message, field)


def sums(payload: dict[str, Any]) -> Iterator[Problem]:
    """What is received reaches the total, change comes out of cash, and withholding is exact."""
    totals = payload["totals"]
    try:
        amounts = amounts_of(payload)
    except ArithmeticError:
        yield Problem("2507", "Valor total de la factura inválido", "instance.items")
        return
    if amounts.total < 0:
        yield Problem("2507", "Valor total de la factura inválido", f"{PATH}.discounts")
        return
    received = _sum(totals["paymentMethods"])
    change = received - amounts.total
    field = f"{PATH}.paymentMethods"
    if change < 0:
        message = (
            "Suma de los valores recibidos inválida: "
            f"{received:.2f} recibido, {amounts.total:.2f} total"
        )
        yield Problem("2510", message, field)
    if change > _paid_by(totals, METHOD_CASH):
        message = f"Vuelto entregado al cliente inválido: {change:.2f} supera el efectivo"
        yield Problem("2511", message, field)
    yield from _retention(totals, amounts)


def _retention(totals: dict[str, Any], amounts: Totals) -> Iterator[Problem]:
    retention = totals.get("retention")
    if retention is None:
        return
    given = Decimal(retention["amount"])
    expected = retention_amount(retention["code"], amounts.itbms, given)
    if given != expected:
        message = f"Monto de la retención inválida: {given:.2f} en vez de {expected:.2f}"
        yield Problem("2651", message, f"{PATH}.retention.amount")


def _paid_by(totals: dict[str, Any], method: str) -> Decimal:
    return _sum(each for each in totals["paymentMethods"] if each["type"] == method)


def _sum(entries: Iterable[dict[str, Any]]) -> Decimal:
    return sum((Decimal(entry["amount"]) for entry in entries), ZERO)
