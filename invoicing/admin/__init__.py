from invoicing.admin.documents import InvoiceAdmin
from invoicing.admin.operation import (
    BreakerAdmin,
    EmailDeliveryAdmin,
    PumpLeaseAdmin,
)

__all__ = ["BreakerAdmin", "EmailDeliveryAdmin", "InvoiceAdmin", "PumpLeaseAdmin"]
