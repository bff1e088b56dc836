from invoicing.models.coordination import Breaker, IdempotencyRecord, PumpLease
from invoicing.models.documents import (
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
from invoicing.models.history import HistoryEntry, PacExchange
from invoicing.models.payments import Payment

__all__ = [
    "Breaker",
    "DeliveryState",
    "Document",
    "DocumentLine",
    "EmailDelivery",
    "File",
    "FileKind",
    "GenerationMode",
    "HistoryEntry",
    "IdempotencyRecord",
    "Invoice",
    "LegalStatus",
    "PacExchange",
    "Payment",
    "PumpLease",
    "Status",
    "SubmissionState",
]
