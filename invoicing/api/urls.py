from rest_framework.routers import SimpleRouter

from invoicing.api.notes import CreditNoteViewSet, DebitNoteViewSet
from invoicing.api.views import InvoiceViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("invoices", InvoiceViewSet, basename="invoice")
router.register("credit-notes", CreditNoteViewSet, basename="credit-note")
router.register("debit-notes", DebitNoteViewSet, basename="debit-note")

urlpatterns = router.urls
