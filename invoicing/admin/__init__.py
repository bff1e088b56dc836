from invoicing.admin.customers import CustomerAdmin
from invoicing.admin.documents import CreditNoteAdmin, DebitNoteAdmin, InvoiceAdmin
from invoicing.admin.operation import (
    BreakerAdmin,
    EmailDeliveryAdmin,
    FiscalEventAdmin,
    PumpLeaseAdmin,
)

__all__ = [
    "BreakerAdmin",
    "CreditNoteAdmin",
    "CustomerAdmin",
    "DebitNoteAdmin",
    "EmailDeliveryAdmin",
    "FiscalEventAdmin",
    "InvoiceAdmin",
    "PumpLeaseAdmin",
]
