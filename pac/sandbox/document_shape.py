"""The form of the body that issues a document: types, lengths, code lists.

What depends on more than one field lives in `rules/`.
"""

import re
from datetime import datetime

from pac.dgi import codes, shapes
from pac.sandbox.kinds import Kind
from pac.sandbox.shape import Shape, array, choice, integer, number, record, text

MAX_LINES = 1000
MAX_PAYMENT_METHODS = 10

_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}-05:00", re.ASCII)


def _is_panama_moment(value: str) -> bool:
    """A real moment in Panama time to the second, like 2026-03-01T10:15:00-05:00."""
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return _DATE_TIME.fullmatch(value) is not None


ULID = text(pattern="[0-9A-HJKMNP-TV-Z]{26}")
DATE_TIME = text(format_name="date-time", check=_is_panama_moment)
COUNTRY = text(pattern="[A-Z]{2}")
MONEY = number(places=2)
PRICE = number(places=6)
UNIT = text(1, 20)  # the DGI's catalogue of units is longer than the codes.UNITS in daily use
E_MAIL = text(3, 50, pattern=r"[^@\s]+@[^@\s]+")
LOCATION = record({"code": text(format_name="location", check=shapes.is_location)})


def document_shape(kind: Kind) -> Shape:
    """The body of a POST to this family's path."""
    return record(
        {
            "idOffice": ULID,
            "information": _information(kind),
            "receiver": RECEIVER,
            "items": array(ITEM, 1, MAX_LINES),
            "totals": TOTALS,
        },
        {"exportation": EXPORTATION, "referencedDocuments": array(REFERENCE, 1)},
    )


def _information(kind: Kind) -> Shape:
    modification_codes = {Kind.CREDIT_NOTE: (1, 3), Kind.DEBIT_NOTE: (2, 3)}.get(kind)
    of_notes: dict[str, Shape] = {}
    if modification_codes:
        of_notes["modificationCode"] = integer(among=modification_codes)
    return record(
        {
            "issueType": text(among=("01", "02", "03", "04")),
            "documentType": text(among=kind.document_types),
            "numeration": text(pattern="[0-9]{10}"),
            "billingPoint": text(pattern="[0-9]{3}"),
            "securityCode": text(pattern="[0-9]{9}"),
            "issueDate": DATE_TIME,
            "nature": text(among=codes.NATURES),
            "operationType": integer(among=(1, 2)),
            "destination": integer(among=(1, 2)),
            "receiverContainer": integer(among=(1, 2)),
            "cafe": record(
                {"format": integer(among=(1, 2, 3)), "delivery": integer(among=(1, 2, 3))}
            ),
        },
        {
            "saleType": integer(among=(1, 2, 3, 4)),
            "information": text(1, 5000),
            "contingencyDate": DATE_TIME,
            "contingencyReason": text(15, 250),
        }
        | of_notes,
    )


RECEIVER = record(
    {"type": text(among=("01", "02", "03", "04")), "country": COUNTRY},
    {
        "ruc": record({"type": integer(among=(1, 2)), "ruc": text(1, 20)}),
        "name": text(1, 100),
        "address": text(1, 100),
        "location": LOCATION,
        "otherCountry": text(1, 50),
        "foreign": record({"number": text(1, 50), "country": COUNTRY}),
        "telephones": array(text(format_name="phone", check=shapes.is_phone), 1, 3),
        "emails": array(E_MAIL, 1, 3),
    },
)

ITEM = record(
    {
        "number": text(pattern="[0-9]{4}"),
        "description": text(2, 500),
        "quantity": number(places=6, above_zero=True),
        "prices": record({"transfer": PRICE}, {"discount": PRICE}),
        "itbms": record({"rate": text(among=codes.ITBMS_RATES)}),
    },
    {
        "code": text(1, 20),
        "unit": UNIT,
        "cpbs": record(
            {"code": text(format_name="cpbs", check=shapes.is_cpbs)},
            {"unit": UNIT},
        ),
        "isc": record({"rate": number(places=6), "amount": MONEY}),
        "otherTaxes": array(record({"code": text(among=codes.OTHER_TAXES), "amount": MONEY}), 1),
    },
)

TOTALS = record(
    {
        "paymentTime": integer(among=(1, 2, 3)),
        "paymentMethods": array(
            record(
                {"type": text(among=codes.PAYMENT_METHODS), "amount": MONEY},
                {"otherType": text(10, 100)},
            ),
            1,
            MAX_PAYMENT_METHODS,
        ),
    },
    {
        "installmentPayment": array(
            record(
                {"sequence": integer(1), "dueDate": DATE_TIME, "amount": MONEY},
                {"information": text(1, 1000)},
            ),
            1,
        ),
        "retention": record({"code": text(among=codes.RETENTION_CODES), "amount": MONEY}),
        "discounts": array(record({"description": text(1, 500), "amount": MONEY}), 1),
        "transport": MONEY,
        "insurance": MONEY,
        "otherExpenses": MONEY,
    },
)

EXPORTATION = record(
    {"incoterm": text(among=codes.INCOTERMS), "currency": text(pattern="[A-Z]{3}")},
    {"exchangeRate": number(places=6, above_zero=True), "amount": MONEY, "port": text(1, 50)},
)


def _reference(**identification: Shape) -> Shape:
    return record({"emissionType": text(), "issueDate": DATE_TIME} | identification)


REFERENCE = choice(
    "emissionType",
    {
        "ID": _reference(apiIdentification=ULID),
        "CUFE": _reference(cufeIdentification=text(pattern=r"FE[A-Z0-9-]{64}")),
        "PAPER": _reference(otherIdentification=text(1, 22)),
        "PRINTER": _reference(otherIdentification=text(1, 22)),
    },
)
