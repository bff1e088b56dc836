"""A document as somebody wants it: what the API understood of a request, before it is issued.

Pure data. A field is None where it was left out; where it was sent and could not be understood,
its path stands in `Draft.broken`, so that the rules judge all the rest and every fault of a request
is reported at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import accumulate, islice
from typing import Any
from uuid import UUID

ZERO = Decimal(0)
DEEPEST = 8  # parts of a path; what lies deeper is no field of ours, whatever its name


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: where (`path`, dotted), what (`code`), and what to do about it.

    `dgi` is the DGI's own rejection code for it, where it has one.
    """

    path: str
    code: str
    message: str
    dgi: str | None = None

    def __str__(self) -> str:
        return f"{self.message} (DGI {self.dgi})" if self.dgi else self.message


@dataclass(slots=True)
class Receiver:
    """Who receives the document (receptor)."""

    type: str | None = None
    ruc: str = ""
    ruc_type: str | None = None
    dv: str = ""
    name: str = ""
    address: str = ""
    location: str = ""
    country: str = "PA"
    other_country: str = ""
    foreign_number: str = ""
    foreign_country: str = ""
    emails: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)


@dataclass(slots=True)
class OtherTax:
    """Another tax of a line (OTI)."""

    code: str
    amount: Decimal


@dataclass(slots=True)
class Line:
    """One good or service. Prices in B/., up to six decimals."""

    description: str = ""
    code: str = ""
    quantity: Decimal = ZERO
    unit: str = "und"
    unit_price: Decimal = ZERO
    unit_discount: Decimal = ZERO
    itbms_rate: str = ""
    cpbs_code: str = ""
    isc_rate: Decimal | None = None
    isc_amount: Decimal = ZERO
    other_taxes: list[OtherTax] = field(default_factory=list)


@dataclass(slots=True)
class Discount:
    """A discount on the whole document, in B/."""

    description: str
    amount: Decimal


@dataclass(slots=True)
class PaymentMethod:
    """How a part of the total is paid; `amount` in B/."""

    method: str
    amount: Decimal
    description: str = ""


@dataclass(slots=True)
class Installment:
    due_date: date
    amount: Decimal


@dataclass(slots=True)
class Exportation:
    incoterm: str
    currency: str
    exchange_rate: Decimal
    amount: Decimal
    port: str = ""


@dataclass(slots=True)
class Contingency:
    started_at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Original:
    """The invoice that a note corrects, as far as the rules have to know it. Amounts in B/."""

    issued_at: datetime
    total: Decimal
    credited: Decimal
    is_authorized: bool
    is_void: bool
    receiver_identity: tuple[str | None, str, str]  # type, RUC, foreign id
    is_being_voided: bool = False  # unless the PAC refuses that

    @property
    def left(self) -> Decimal:
        """What credit notes have not taken yet."""
        return self.total - self.credited


@dataclass(slots=True)
class Draft:
    document_type: str = "01"  # Cifras's own: 01 invoice, 02 credit note, 03 debit note
    generation_mode: str = "DGI"
    dgi_document_type: str = "01"
    office: str | None = None
    billing_point: str = ""
    external_id: str | None = None
    issued_at: datetime | None = None
    due_date: date | None = None
    nature: str | None = None
    destination: int | None = None
    sale_type: int = 1
    issue_type: str = "01"
    contingency: Contingency | None = None
    customer: UUID | None = None
    receiver: Receiver = field(default_factory=Receiver)
    # What of the receiver the request says itself; the rest may come from the customer.
    receiver_fields: frozenset[str] = frozenset()
    receiver_withholds: bool = False
    lines: list[Line] = field(default_factory=list)
    discounts: list[Discount] = field(default_factory=list)
    freight: Decimal = ZERO
    insurance: Decimal = ZERO
    other_expenses: Decimal = ZERO
    exportation: Exportation | None = None
    payment_time: str | None = None
    payment_methods: list[PaymentMethod] | None = None
    installments: list[Installment] | None = None
    retention_code: str | None = None
    retention_amount: Decimal | None = None
    original: Original | None = None
    modification_code: int | None = None
    emails: list[str] = field(default_factory=list)
    notes: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    broken: frozenset[str] = frozenset()
    _over_broken: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A body may have a hundred thousand faults: what `sound` asks is worked out once.
        self._over_broken = frozenset(above for path in self.broken for above in _above(path))

    def sound(self, *paths: str) -> bool:
        """Whether each path, all above it and all below it was understood."""
        return not any(
            path in self.broken
            or path in self._over_broken
            or any(above in self.broken for above in _above(path))
            for path in paths
        )


def _above(path: str) -> Iterator[str]:
    """The paths that `path` lies in: `lines` and `lines.0` for `lines.0.code`."""
    parts = path.split(".", DEEPEST)
    return islice(accumulate(parts, "{}.{}".format), len(parts) - 1)
