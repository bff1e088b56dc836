"""What the sandbox remembers: companies, their offices, and documents."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pac.sandbox.kinds import Kind

PAC_AUTHORIZED = "PAC_AUTHORIZED"
PAC_REJECTED = "PAC_REJECTED"
DGI_AUTHORIZED = "DGI_AUTHORIZED"
DGI_REJECTED = "DGI_REJECTED"

NOT_REQUESTED = "NOT_REQUESTED"
REQUESTED = "REQUESTED"
SUBSCRIBED = "SUBSCRIBED"


@dataclass(slots=True)
class Office:
    """A branch. `details` is what was posted."""

    id: str
    details: dict[str, Any]

    @property
    def code(self) -> str:
        return str(self.details["code"])

    def wire(self) -> dict[str, Any]:
        return {"id": self.id, **self.details}


@dataclass(slots=True)
class Company:
    """An issuer under a token. Certificates are looked at and forgotten, never kept."""

    id: str
    token: str
    details: dict[str, Any]
    affiliated: str = NOT_REQUESTED
    offices: dict[str, Office] = field(default_factory=dict)

    @property
    def ruc(self) -> str:
        return str(self.details["ruc"])

    @property
    def ruc_type(self) -> int:
        return int(self.details["typeRuc"]["code"])

    @property
    def webhook(self) -> Mapping[str, Any] | None:
        """`{"status", "url", "headers"}` where deliveries are wanted."""
        documents = self.details.get("webhooks", {}).get("documents", {})
        target: Mapping[str, Any] | None = documents.get("emissionFinished")
        return target if target and target["status"] == "active" else None

    def wire(self) -> dict[str, Any]:
        qr = None
        if self.affiliated != NOT_REQUESTED:
            qr = f"https://dgi-fep.mef.gob.pa/Afiliacion/QR?id={self.id}"
        shown = {"id": self.id, **self.details}
        return shown | {"affiliated": self.affiliated, "isActive": True, "qr": qr}

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Company":
        offices = {key: Office(**office) for key, office in stored.pop("offices").items()}
        return cls(**stored, offices=offices)


class Number(NamedTuple):
    """What may be used once: the natural key of a document."""

    company_id: str
    office_id: str
    document_type: str
    billing_point: str
    numeration: str

    @classmethod
    def of(cls, company_id: str, payload: Mapping[str, Any]) -> "Number":
        """Raises KeyError or TypeError where the payload has no readable number."""
        information = payload["information"]
        names = ("documentType", "billingPoint", "numeration")
        parts = [payload["idOffice"], *(information[name] for name in names)]
        if not all(isinstance(part, str) for part in parts):
            raise TypeError("a number is made of texts")
        return cls(company_id, *parts)


@dataclass(slots=True, eq=False)
class Document:
    """A document that took a number: accepted, or refused by the PAC on its merits."""

    id: str
    kind: Kind
    number: Number
    cufe: str
    qr: str
    total: Decimal
    payload: dict[str, Any]
    accepted_at: datetime
    legal_status: str = PAC_AUTHORIZED
    authorization_protocol: str | None = None
    government_response: list[dict[str, str]] = field(default_factory=list)
    reference_ids: list[str] = field(default_factory=list)
    void_reason: str | None = None

    @property
    def company_id(self) -> str:
        return self.number.company_id

    @property
    def numeration(self) -> str:
        return self.number.numeration

    @property
    def issue_date(self) -> datetime:
        return datetime.fromisoformat(self.payload["information"]["issueDate"])

    @property
    def is_voided(self) -> bool:
        return self.void_reason is not None

    def mentions(self, word: str) -> bool:
        """Whether a line's description contains `word`: how a test asks for a rejection."""
        return any(word in item["description"] for item in self.payload["items"])

    def wire(self, pdf: str | None = None, xml: str | None = None) -> dict[str, Any]:
        """The `document` of an answer."""
        return {
            "id": self.id,
            "status": "PROCESSED",
            "legalStatus": self.legal_status,
            "cufe": self.cufe,
            "documentIssueDate": self.payload["information"]["issueDate"],
            "publicUrl": None,
            "qr": self.qr,
            "xml": xml,
            "pdf": pdf,
            "authorizationProtocol": self.authorization_protocol,
            "governmentResponse": list(self.government_response),
        }

    def stored(self) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "kind": self.kind.path,
            "total": str(self.total),
            "accepted_at": self.accepted_at.isoformat(),
        }

    @classmethod
    def of(cls, stored: dict[str, Any]) -> "Document":
        return cls(
            **stored
            | {
                "kind": Kind.of_path(stored["kind"]),
                "number": Number(*stored["number"]),
                "total": Decimal(stored["total"]),
                "accepted_at": datetime.fromisoformat(stored["accepted_at"]),
            }
        )
