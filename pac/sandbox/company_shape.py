"""The form of the smaller bodies: onboarding, notifications, voiding."""

import base64
import binascii

from pac.dgi import shapes
from pac.sandbox.document_shape import E_MAIL, ULID
from pac.sandbox.kinds import Kind
from pac.sandbox.shape import Shape, boolean, integer, mapping, record, text

URL = text(8, 500, pattern=r"https?://\S+")


def _is_base64(content: str) -> bool:
    try:
        return bool(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        return False


CERTIFICATE = record(
    {
        "extension": text(among=("p12", "pfx")),
        "password": text(),
        "content": text(1, format_name="base64", check=_is_base64),
    }
)

EMISSION_FINISHED = record(
    {"status": text(among=("active", "inactive")), "url": URL}, {"headers": mapping(text())}
)

_ALWAYS_OPEN: dict[str, Shape] = {
    "name": text(1, 100),
    "tradeName": text(1, 100),
    "emails": record({}, {"active": boolean, "replyTo": E_MAIL, "message": text(0, 5000)}),
    "certificates": record({"signature": CERTIFICATE, "authentication": CERTIFICATE}),
    "logo": URL,
    "webhooks": record({"documents": record({"emissionFinished": EMISSION_FINISHED})}),
}

NEW_COMPANY = record(
    {
        "name": _ALWAYS_OPEN["name"],
        "ruc": text(1, 20),
        "checkDigit": text(pattern="[0-9]{2}"),
        "type": text(among=("main", "associated")),
        "typeRuc": record({"code": integer(among=(1, 2))}),
        "certificates": _ALWAYS_OPEN["certificates"],
    },
    {name: _ALWAYS_OPEN[name] for name in ("tradeName", "emails", "logo", "webhooks")},
)

COMPANY_CHANGE = record({}, _ALWAYS_OPEN)
"""What PATCH takes: whose company it is (RUC, type) never changes."""

_OFFICE: dict[str, Shape] = {
    "code": text(pattern="[0-9]{4}"),
    "type": text(among=("main", "associated")),
    "coordinates": text(format_name="coordinates", check=shapes.is_coordinates),
    "address": text(1, 100),
    "telephone": text(1, 12),
    "location": text(format_name="location", check=shapes.is_location),
}

NEW_OFFICE = record(_OFFICE, {"email": text(3, 50)})
OFFICE_CHANGE = record({}, _OFFICE | {"email": text(3, 50)})

NOTIFY_EMAIL = record(
    {
        "documentId": ULID,
        "mail": text(3, 254, pattern=r"[^@\s]+@[^@\s]+"),
        "documentType": text(among=tuple(kind.word for kind in Kind)),
    },
    {"message": text(0, 5000)},
)

NOTIFY_WEBHOOK = record(
    {"documentId": ULID, "webhookUrl": URL},
    {"userId": text(0, 100), "webhookSecret": text(0, 500)},
)

VOID = record({"reason": text(15, 1000)})
