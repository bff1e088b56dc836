"""Customers: kept, changed, deleted, and copied into the documents that name them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from invoicing.errors import InvalidDocument
from invoicing.fiscal import receiver_rules
from invoicing.fiscal.complete import complete_receiver
from invoicing.fiscal.draft import Draft, Fault, Receiver
from invoicing.fiscal.rules import known
from invoicing.models import Customer
from invoicing.models.customers import searchable
from invoicing.models.documents import PacDocumentType
from pac.dgi.codes import RETENTION_CODES
from tenants.errors import Busy, Conflict
from tenants.models import Tenant

# Of a receiver's e-mail address, which the document carries to the PAC: the DGI's dCorElectRec.
LONGEST_EMAIL = 50


@dataclass(frozen=True, slots=True)
class CustomerData:
    """A customer as somebody wants it."""

    receiver: Receiver
    withholds: bool = False
    retention_code: str = ""


def create_customer(tenant: Tenant, data: CustomerData, faults: Sequence[Fault] = ()) -> Customer:
    """Keeps a customer.

    `faults` are those that reading the request found already. Raises `InvalidDocument` with every
    fault at once, `Conflict` (`customer_exists`) where the tenant has one with this RUC.
    """
    customer = Customer(tenant=tenant, **_columns(data, faults))
    with _refuse_taken_ruc(tenant, customer.ruc, customer.ruc_type), transaction.atomic():
        customer.save(force_insert=True)
    return customer


def edit_customer(customer: Customer, data: CustomerData, faults: Sequence[Fault] = ()) -> None:
    """Writes `data` over a customer. Raises what `create_customer` raises, and `Busy` where
    somebody else has changed or deleted it since it was read."""
    tenant, columns = customer.tenant, _columns(data, faults)
    with _refuse_taken_ruc(tenant, columns["ruc"], columns["ruc_type"]), transaction.atomic():
        changed = (
            Customer.objects.for_tenant(tenant)
            .filter(pk=customer.pk, updated_at=customer.updated_at)
            .update(**columns, search_name=searchable(columns["name"]), updated_at=timezone.now())
        )
    if changed != 1:
        raise Busy("Somebody else is changing this customer; send the same request again.")


def delete_customer(customer: Customer) -> None:
    """Forgets a customer; its documents keep their copy. Raises `Busy` where one is being issued
    to it at this moment."""
    try:
        with transaction.atomic():
            customer.delete()
    except IntegrityError as error:
        raise Busy("A document is being issued to this customer; delete it again.") from error


def fill_in_customer(tenant: Tenant, draft: Draft) -> Iterator[Fault]:
    """Copies the customer that the draft names into it, in place.

    What the request itself says of the receiver stays, and its retention code comes before the
    customer's. Yields `customer_unknown`, and `email_too_long` where the customer brings such an
    address; while the customer is not known, nothing is said of the receiver.
    """
    if draft.customer is None:
        if "customer" in draft.broken:
            draft.broken |= {"receiver"}
        return
    customer = Customer.objects.for_tenant(tenant).filter(pk=draft.customer).first()
    if customer is None:
        draft.broken |= {"receiver"}
        yield unknown_customer(draft.customer)
        return
    said = {name: getattr(draft.receiver, name) for name in draft.receiver_fields}
    if {"ruc", "ruc_type"} & said.keys():
        said.setdefault("dv", "")  # worked out anew: the customer's belongs to his own RUC
    draft.receiver = replace(customer.receiver, **said)
    if "emails" not in said and draft.sound("receiver.emails"):
        yield from _long_addresses(draft.receiver)
    # Who gets money back withholds nothing of it.
    if customer.withholds and draft.document_type != PacDocumentType.CREDIT_NOTE:
        draft.receiver_withholds = True
        if draft.sound("retention_code"):
            draft.retention_code = draft.retention_code or customer.retention_code or None


def _long_addresses(receiver: Receiver) -> Iterator[Fault]:
    """What a customer was kept with before its addresses had to fit a document."""
    for address in receiver.emails:
        if len(address) > LONGEST_EMAIL:
            yield Fault(
                "receiver.emails",
                "email_too_long",
                f"The customer's address {address} has {len(address)} characters; the DGI's format "
                f"holds {LONGEST_EMAIL}. Change the customer, or give `receiver.emails` here; "
                "Cifras delivers to a longer one from the document's own `emails`.",
            )


def unknown_customer(pk: UUID) -> Fault:
    return Fault("customer", "customer_unknown", f"There is no customer {pk}.")


@contextmanager
def refuse_vanished_customer(tenant: Tenant, pk: UUID | None) -> Iterator[None]:
    """Says `customer_unknown` where the database refuses a document because its customer was
    deleted since it was judged."""
    try:
        yield
    except IntegrityError:
        if pk is None or Customer.objects.for_tenant(tenant).filter(pk=pk).exists():
            raise
        raise InvalidDocument([unknown_customer(pk)]) from None


def _columns(data: CustomerData, faults: Sequence[Fault]) -> dict[str, Any]:
    """The columns of a sound customer; raises `InvalidDocument` with every fault."""
    draft = Draft(
        receiver=data.receiver, broken=frozenset(f"receiver.{fault.path}" for fault in faults)
    )
    complete_receiver(draft)
    found = [
        *faults,
        *(
            replace(fault, path=fault.path.removeprefix("receiver."))
            for rule in receiver_rules.RULES
            for fault in rule(draft)
        ),
    ]
    if data.retention_code and data.retention_code not in RETENTION_CODES:
        message = known("retention code", RETENTION_CODES)
        found.append(Fault("retention_code", "retention_code_unknown", message, "2650"))
    if found:
        raise InvalidDocument(found)
    columns = asdict(draft.receiver) | {"ruc_type": draft.receiver.ruc_type or ""}
    return columns | {"withholds": data.withholds, "retention_code": data.retention_code}


@contextmanager
def _refuse_taken_ruc(tenant: Tenant, ruc: str, ruc_type: str) -> Iterator[None]:
    """Turns the database's refusal of a second customer into a `Conflict` naming the first."""
    try:
        yield
    except IntegrityError:
        holders = Customer.objects.for_tenant(tenant).filter(ruc=ruc, ruc_type=ruc_type)
        holder = holders.exclude(ruc="").values_list("pk", flat=True).first()
        if holder is None:
            raise
        raise Conflict(
            "customer_exists", f"The RUC {ruc} ({ruc_type}) belongs to customer {holder}."
        ) from None
