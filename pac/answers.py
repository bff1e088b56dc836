"""What the PAC answers, in small frozen dataclasses.

Tolerant on purpose: unknown keys are ignored, missing ones are `None`, wrappers may be there or
not. Only an answer without what identifies it is refused, as `Ambiguous`: the call succeeded, and
nobody can tell what it did.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Self, TypeVar

from pac.errors import Ambiguous, PacFault, read_faults

log = logging.getLogger(__name__)

T = TypeVar("T")
Body = dict[str, Any]

PANAMA = timezone(timedelta(hours=-5))  # all year round: there is no summer time
DECIDED = frozenset({"PAC_AUTHORIZED", "DGI_AUTHORIZED", "PAC_REJECTED", "DGI_REJECTED"})
UNDECIDED = frozenset({"REGISTERED"})
RUC_TYPES = {"1": "NATURAL", "2": "JURIDICO"}


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """A document as the PAC tells it.

    `legal_status` is one of `DECIDED`, or `None` while nothing is decided. `id` is empty only for
    a document that the PAC rejected without keeping it. `pdf` and `xml` are links that live for
    minutes; no link means not ready yet. `total` is in B/.
    """

    id: str
    legal_status: str | None
    cufe: str | None
    issued_at: datetime | None
    qr: str | None
    pdf: str | None
    xml: str | None
    public_url: str | None
    authorization_protocol: str | None
    numeration: str | None
    billing_point: str | None
    receiver_name: str | None
    receiver_ruc: str | None
    total: Decimal | None
    faults: tuple[PacFault, ...]
    raw: Body

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Raises `Ambiguous` for a body without an id, unless it is a rejection."""
        raw = _object(body, "document")
        document = _unwrapped(raw, "document")
        information = _sub(document, "information")
        receiver = _sub(document, "receiver")
        status = _legal_status(document.get("legalStatus"))
        identifier = _text(document.get("id"))
        if not identifier and status != "PAC_REJECTED":
            raise Ambiguous("The PAC answered with a document that has no id.")
        return cls(
            id=identifier or "",
            legal_status=status,
            cufe=_text(document.get("cufe")),
            issued_at=_moment(
                document.get("documentIssueDate")
                or document.get("issueDate")
                or information.get("issueDate")
            ),
            qr=_text(document.get("qr")),
            pdf=_text(document.get("pdf")),
            xml=_text(document.get("xml")),
            public_url=_text(document.get("publicUrl")),
            authorization_protocol=_text(document.get("authorizationProtocol")),
            numeration=_text(document.get("numeration") or information.get("numeration")),
            billing_point=_text(document.get("billingPoint") or information.get("billingPoint")),
            receiver_name=_text(receiver.get("name") or document.get("receiverName")),
            receiver_ruc=_text(_ruc(receiver.get("ruc")) or document.get("receiverRuc")),
            total=_decimal(_sub(document, "totals").get("total") or document.get("total")),
            faults=_complaints(document),
            raw=raw,
        )

    @classmethod
    def rejection(cls, faults: tuple[PacFault, ...]) -> Self:
        """A refusal that came as an HTTP error, told as the verdict that it is."""
        errors = [
            {"code": fault.code, "message": fault.message, "field": fault.field} for fault in faults
        ]
        raw = {"legalStatus": "PAC_REJECTED", "governmentResponse": errors}
        return cls.parse({"document": raw})


@dataclass(frozen=True, slots=True)
class Company:
    """A taxpayer registered at the PAC; `affiliated` as in `Affiliation.status`."""

    id: str
    name: str | None
    ruc: str | None
    ruc_type: str | None
    type: str | None
    affiliated: str | None
    is_active: bool | None
    qr: str | None
    raw: Body

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Raises `Ambiguous` for a body without an id."""
        raw = _object(body, "company")
        company = _unwrapped(raw, "company")
        active = company.get("isActive")
        return cls(
            id=_required(company.get("id"), "a company without an id"),
            name=_text(company.get("name")),
            ruc=_text(_ruc(company.get("ruc"))),
            ruc_type=_ruc_type(company.get("typeRuc")),
            type=_text(company.get("type")),
            affiliated=_affiliated(company.get("affiliated")),
            is_active=active if isinstance(active, bool) else None,
            qr=_text(company.get("qr")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class Affiliation:
    """How far the taxpayer's consent got.

    `status` is `NONE`, `NOT_REQUESTED`, `REQUESTED`, `SUBSCRIBED` or a word of the PAC's own, and
    `None` where the answer does not say; `qr` is the link that the taxpayer scans.
    """

    status: str | None
    qr: str | None
    raw: Body

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Takes the company, its `affiliated`, or that one word; else raises `Ambiguous`."""
        raw = {"affiliated": body} if isinstance(body, str) and body.isupper() else body
        raw = _object(raw, "affiliation")
        company = _unwrapped(raw, "company")
        return cls(
            status=_affiliated(company.get("affiliated") or company.get("status")),
            qr=_text(company.get("qr")),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class PacOffice:
    """A branch of a company; `code` is its four digits at the DGI."""

    id: str
    code: str | None
    raw: Body

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Raises `Ambiguous` for a body without an id."""
        raw = _object(body, "office")
        office = _unwrapped(raw, "office")
        identifier = _required(office.get("id"), "an office without an id")
        return cls(id=identifier, code=_text(office.get("code")), raw=raw)


@dataclass(frozen=True, slots=True)
class CheckDigit:
    """A RUC that the DGI knows: its check digit, its receiver type, its kind.

    `receiver` is `CONTRIBUYENTE`, `GOBIERNO` or, for any other word, `CONSUMIDOR_FINAL`; `None`
    where the answer has none.
    """

    check_digit: str
    receiver: str | None
    type: str | None

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Raises `Ambiguous` for a body without a check digit."""
        answer = _object(body, "check digit")
        receiver = (_text(answer.get("receiver")) or "").upper() or None
        if receiver not in ("CONTRIBUYENTE", "GOBIERNO", None):
            receiver = "CONSUMIDOR_FINAL"
        digits = _required(answer.get("checkDigit"), "a RUC without its check digit")
        return cls(
            check_digit=digits.zfill(2), receiver=receiver, type=_ruc_type(answer.get("type"))
        )


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """One code of a DGI catalogue and its name."""

    code: str
    name: str

    @classmethod
    def parse(cls, body: Any) -> Self:
        """Takes `code` and `name`, or `value` and `label`; else raises `Ambiguous`."""
        entry = _object(body, "catalogue entry")
        code = _text(entry.get("code")) or _text(entry.get("value"))
        name = _text(entry.get("name")) or _text(entry.get("label"))
        return cls(code=_required(code, "a catalogue entry without a code"), name=name or "")


def parse_list(parse: Callable[[Any], T]) -> Callable[[Any], list[T]]:
    """A parser of a list, bare or as the only list under a key.

    Not one entry is left out: an entry that nobody understands raises `Ambiguous`, because
    "not in the list" is what a document is sent again for.
    """

    def parse_all(body: Any) -> list[T]:
        lists = [body] if isinstance(body, list) else []
        if isinstance(body, dict):
            lists = [value for value in body.values() if isinstance(value, list)]
        if len(lists) != 1:
            raise Ambiguous("The PAC answered without a list.")
        return [parse(entry) for entry in lists[0]]

    return parse_all


def _object(body: Any, what: str) -> Body:
    if not isinstance(body, dict):
        raise Ambiguous(f"The PAC answered something that is no {what}.")
    return body


def _unwrapped(body: Body, wrapper: str) -> Body:
    inner = body.get(wrapper)
    return inner if isinstance(inner, dict) else body


def _sub(body: Body, key: str) -> Body:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _required(value: Any, what: str) -> str:
    text = _text(value)
    if not text:
        raise Ambiguous(f"The PAC answered with {what}.")
    return text


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return str(value)
    return None


def _decimal(value: Any) -> Decimal | None:
    try:
        number = Decimal(_text(value) or "NaN")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(value: Any) -> datetime | None:
    """An aware moment; one without an offset is Panama's."""
    try:
        moment = datetime.fromisoformat(_text(value) or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=PANAMA)


def _legal_status(value: Any) -> str | None:
    status = (_text(value) or "").upper()
    if status in DECIDED:
        return status
    if status and status not in UNDECIDED:
        log.warning("The PAC told an unknown legal status: %.50r", status)
    return None


def _complaints(document: Body) -> tuple[PacFault, ...]:
    """The complaints in a document; its `message` alone is a greeting, not a complaint."""
    keys = ("errors", "response", "governmentResponse")
    return read_faults({key: document.get(key) for key in keys})


def _ruc(value: Any) -> Any:
    return value.get("ruc") if isinstance(value, dict) else value


def _ruc_type(value: Any) -> str | None:
    text = _text(value.get("code") if isinstance(value, dict) else value)
    return RUC_TYPES.get(text or "", text)


def _affiliated(value: Any) -> str | None:
    if isinstance(value, bool):
        return "SUBSCRIBED" if value else "NONE"
    text = _text(value)
    return text.upper() if text else None
