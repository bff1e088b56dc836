from invoicing.admin.customers import CustomerAdmin
from invoicing.admin.documents import CreditNoteAdmin, DebitNoteAdmin, InvoiceAdmin
from invoicing.admin.every_document import EveryDocumentAdmin
from invoicing.admin.exchanges import ExchangeAdmin
from invoicing.admin.operation import (
    BreakerAdmin,
    EmailDeliveryAdmin,
    FiscalEventAdmin,
    PumpLeaseAdmin,
)
from invoicing.admin.trial_invoice import fill_in_the_wizard

__all__ = [
    "BreakerAdmin",
    "CreditNoteAdmin",
    "CustomerAdmin",
    "DebitNoteAdmin",
    "EmailDeliveryAdmin",
    "EveryDocumentAdmin",
    "ExchangeAdmin",
    "FiscalEventAdmin",
    "InvoiceAdmin",
    "PumpLeaseAdmin",
]

fill_in_the_wizard()
