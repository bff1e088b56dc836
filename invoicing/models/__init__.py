from invoicing.models.catalogs import CatalogEntry, PacCatalog
from invoicing.models.coordination import Breaker, FeedEnd, IdempotencyRecord, PumpLease
from invoicing.models.credits import CreditApplication
from invoicing.models.customers import Customer
from invoicing.models.documents import (
    CreditNote,
    DebitNote,
    Document,
    DocumentLine,
    GenerationMode,
    Invoice,
    LegalStatus,
    Status,
    SubmissionState,
)
from invoicing.models.email import DeliveryState, EmailDelivery
from invoicing.models.files import File, FileKind
from invoicing.models.fiscal_events import FiscalEvent, VoidState
from invoicing.models.history import HistoryEntry, PacExchange
from invoicing.models.payments import Payment

__all__ = [
    "Breaker",
    "CatalogEntry",
    "CreditApplication",
    "CreditNote",
    "Customer",
    "DebitNote",
    "DeliveryState",
    "Document",
    "DocumentLine",
    "EmailDelivery",
    "FeedEnd",
    "File",
    "FileKind",
    "FiscalEvent",
    "GenerationMode",
    "HistoryEntry",
    "IdempotencyRecord",
    "Invoice",
    "LegalStatus",
    "PacCatalog",
    "PacExchange",
    "Payment",
    "PumpLease",
    "Status",
    "SubmissionState",
    "VoidState",
]
