"""A draft without fault, to be spoiled in one place at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from invoicing.fiscal import rules
from invoicing.fiscal.complete import Reckoning, complete
from invoicing.fiscal.draft import Draft, Exportation, Line, Receiver
from pac.dgi.calendar import PANAMA

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=PANAMA)  # a Friday
RUC, DV = "155646463-2-2017", "86"

Found = tuple[str, str, str | None]


def receiver(**changes: Any) -> Receiver:
    found = Receiver(
        type="CONTRIBUYENTE",
        ruc=RUC,
        ruc_type="JURIDICO",
        name="Cliente Prueba, S.A.",
        address="Calle 50",
        location="8-8-7",
    )
    return replace(found, **changes)


def consumer(**changes: Any) -> Receiver:
    return replace(Receiver(type="CONSUMIDOR_FINAL"), **changes)


def foreigner(**changes: Any) -> Receiver:
    found = Receiver(
        type="EXTRANJERO",
        name="Andina Ltda.",
        country="CO",
        foreign_number="900123456-7",
        foreign_country="CO",
    )
    return replace(found, **changes)


def line(**changes: Any) -> Line:
    """100.00 and 7 % of ITBMS."""
    found = Line(
        description="Soporte mensual",
        quantity=Decimal(1),
        unit_price=Decimal("100.00"),
        itbms_rate="01",
    )
    return replace(found, **changes)


def exportation(**changes: Any) -> Exportation:
    return replace(Exportation("FOB", "USD", Decimal(1), Decimal("107.00")), **changes)


def draft(**changes: Any) -> Draft:
    """An invoice of B/.107.00 on credit."""
    values: dict[str, Any] = {
        "receiver": receiver(),
        "lines": [line()],
        "issued_at": NOW,
        "due_date": date(2026, 12, 20),
    }
    return Draft(**(values | changes))


def judged(made: Draft) -> tuple[list[Found], Reckoning | None]:
    """What the rule book says of a draft, completed as issuing completes it."""
    complete(made, now=NOW, billing_point="001")
    faults, reckoning = rules.check(made, now=NOW)
    return [(fault.path, fault.code, fault.dgi) for fault in faults], reckoning


def faults_of(made: Draft) -> list[Found]:
    return judged(made)[0]


ISSUED_AT = "2026-03-01T10:15:00-05:00"
EVERYTHING: dict[str, Any] = {
    "dgi_document_type": "02",
    "billing_point": "002",
    "nature": "21",
    "sale_type": 4,
    "issue_type": "02",
    "contingency": {
        "started_at": "2026-03-01T13:00:00Z",
        "reason": "Caída del enlace de internet",
    },
    "receiver": {
        "type": "CONTRIBUYENTE",
        "ruc": "8-274-125",
        "ruc_type": "NATURAL",
        "dv": "91",
        "name": "Bob Batista",
        "address": "Calle 50",
        "location": "8-8-7",
        "country": "PA",
        "emails": ["a@cliente.test", "b@cliente.test", "c@cliente.test", "d@cliente.test"],
        "phones": ["269-1234", "6123-4567"],
    },
    "lines": [
        {
            "code": "HAR-1",
            "description": "Harina",
            "quantity": "2.500000",
            "unit": "kg",
            "unit_price": "10.123456",
            "unit_discount": "0.123456",
            "itbms_rate": "01",
            "cpbs_code": "5022",
            "isc_rate": "5.0",
            "isc_amount": "1.25",
            "other_taxes": [{"code": "01", "amount": "0.30"}, {"code": "10", "amount": "0.2"}],
        },
        {
            "description": "Horas",
            "quantity": "100",
            "unit": "Hora",
            "unit_price": "1",
            "itbms_rate": "00",
        },
    ],
    "discounts": [{"description": "Promoción", "amount": "8.50"}],
    "freight": "5",
    "insurance": "3.00",
    "other_expenses": "2.00",
    "exportation": {
        "incoterm": "CIF",
        "currency": "EUR",
        "exchange_rate": "1.085",
        "amount": "119.80",
    },
    "payment_methods": [
        {"method": "01", "amount": "60.00"},
        {"method": "99", "amount": "70.00", "description": "Canje por publicidad"},
    ],
    "installments": [
        {"due_date": "2026-04-01", "amount": "30.00"},
        {"due_date": "2026-05-01", "amount": "30"},
    ],
    "retention_code": "8",
    "retention_amount": "1.00",
    "notes": "Entregar en bodega",
}
