"""Documents in memory, with amounts that add up; nothing here needs a database."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from invoicing.models import Document, DocumentLine
from pac.dgi.amounts import LineAmounts, document_totals, line_amounts
from pac.dgi.calendar import PANAMA
from pac.dgi.codes import Environment
from tenants.models import Office, Tenant

CUFE = "FE0120000155711111-2-2022-0100002026112200000001180010118123456789"
# As long as the PAC's: a digest and a signed token behind the CUFE.
QR_URL = (
    f"https://dgi-fep.mef.gob.pa/Consultas/FacturasPorQR?chFE={CUFE}&iAmb=1"
    f"&digestValue=pM0x3kq1Xw+Yh6R9sQv2bTn8Lz4=&jwt={'eyJhbGciOiJIUzI1NiJ9.' * 13}Qx7"
)


def tenant(**changes: Any) -> Tenant:
    values = {
        "name": "Servicios Digitales del Canal, S.A.",
        "trade_name": "Canal Digital",
        "ruc": "155711111-2-2022",
        "dv": "01",
        "email": "facturas@canal.test",
    }
    return Tenant(**values | changes)


def line(**changes: Any) -> DocumentLine:
    values: dict[str, Any] = {
        "code": "SRV-SOP-M",
        "description": "Soporte técnico mensual",
        "quantity": Decimal("1.000000"),
        "unit": "und",
        "unit_price": Decimal("1450.000000"),
        "unit_discount": Decimal(0),
        "itbms_rate": "01",
        "isc_amount": Decimal(0),
        "other_taxes": [],
    } | changes
    amounts = line_amounts(
        quantity=values["quantity"],
        unit_price=values["unit_price"],
        unit_discount=values["unit_discount"],
        itbms_rate=values["itbms_rate"],
        isc_amount=values["isc_amount"],
        other_taxes=[Decimal(tax["amount"]) for tax in values["other_taxes"]],
    )
    return DocumentLine(**values, net=amounts.net, itbms=amounts.itbms, total=amounts.total)


def document(lines: list[DocumentLine], **changes: Any) -> Document:
    """A proforma of 22 November 2026, 10:15 in Panama, over these lines."""
    issuer = changes.pop("tenant", None) or tenant()
    values: dict[str, Any] = {
        "tenant": issuer,
        "office": Office(
            tenant=issuer,
            code="0007",
            address="Calle 50, Bella Vista",
            telephone="269-1234",
        ),
        "document_type": "01",
        "dgi_document_type": "01",
        "generation_mode": "PROFORM",
        "billing_point": "003",
        "number": "0000000118",
        "issued_at": datetime(2026, 11, 22, 10, 15, tzinfo=PANAMA),
        "due_date": date(2026, 12, 22),
        "receiver_type": "CONTRIBUYENTE",
        "receiver_name": "Distribuidora del Istmo, S.A.",
        "receiver_ruc": "155999001-2-2030",
        "receiver_dv": "09",
        "receiver_address": "Vía España",
        "receiver_country": "PA",
        "receiver_emails": ["pagos@istmo.test"],
        "payment_time": "CREDIT",
    }
    proforma = Document(**values | changes)
    totals = document_totals(
        [_amounts(each) for each in lines],
        discounts=[Decimal(each["amount"]) for each in proforma.discounts],
        freight=proforma.freight,
        insurance=proforma.insurance,
        other_expenses=proforma.other_expenses,
    )
    for name in ("net", "itbms", "isc", "other_taxes", "taxes", "discount", "total"):
        setattr(proforma, name, getattr(totals, name))
    return proforma


def authorized(lines: list[DocumentLine], **changes: Any) -> Document:
    """The same as an invoice that the DGI has authorised, in the production environment."""
    values = {
        "tenant": tenant(pac_environment=Environment.PRODUCTION),
        "generation_mode": "DGI",
        "legal_status": "DGI_AUTHORIZED",
        "document_id": "01JDA0000000000000000000AB",
        "invoice_number": CUFE,
        "qr_code_url": QR_URL,
        "authorization_protocol": "20260000000000004711",
        "authorized_at": datetime(2026, 11, 22, 10, 16, tzinfo=PANAMA),
    }
    return document(lines, **values | changes)


def _amounts(each: DocumentLine) -> LineAmounts:
    others = sum((Decimal(tax["amount"]) for tax in each.other_taxes), Decimal(0))
    return LineAmounts(each.net, each.itbms, each.isc_amount, others, each.total)
