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
    "DebitNoteAdmin",
    "EmailDeliveryAdmin",
    "FiscalEventAdmin",
    "InvoiceAdmin",
    "PumpLeaseAdmin",
]
