from django.urls import path
from rest_framework.routers import SimpleRouter

from invoicing.api.catalogs import CatalogView
from invoicing.api.customers import CustomerViewSet
from invoicing.api.feed import FeedView
from invoicing.api.imports import (
    CreditNoteImportView,
    DebitNoteImportView,
    InvoiceImportView,
)
from invoicing.api.notes import CreditNoteViewSet, DebitNoteViewSet
from invoicing.api.reports import DocumentReport
from invoicing.api.views import InvoiceViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("credit-notes", CreditNoteViewSet, basename="credit-note")
router.register("debit-notes", DebitNoteViewSet, basename="debit-note")
router.register("customers", CustomerViewSet, basename="customer")

urlpatterns = [
    path("invoices/import", InvoiceImportView.as_view(), name="invoice-import"),
    path("credit-notes/import", CreditNoteImportView.as_view(), name="credit-note-import"),
    path("debit-notes/import", DebitNoteImportView.as_view(), name="debit-note-import"),
    *router.urls,
    path("catalogs/<str:name>", CatalogView.as_view(), name="catalog"),
    path("events", FeedView.as_view(), name="events"),
    path("reports/documents", DocumentReport.as_view(), name="document-report"),
]
