"""Documents of every kind in one list: where the numbers of the dashboard and of the month lead."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter, DropdownFilter
from unfold.decorators import display

from invoicing.admin.changelist import DocumentChangeList
from invoicing.admin.documents import DocumentAdmin
from invoicing.admin.filters import AttentionFilter
from invoicing.admin.monthly import MonthlyPage
from invoicing.admin.page import page_of
from invoicing.admin.waiting import WaitingFilter
from invoicing.models import CreditNote, DebitNote, Document, Invoice
from invoicing.models.documents import PacDocumentType
from invoicing.services.monthly import TAKEN, UNDECIDED

KINDS: dict[str, type[Document]] = {
    PacDocumentType.INVOICE: Invoice,
    PacDocumentType.CREDIT_NOTE: CreditNote,
    PacDocumentType.DEBIT_NOTE: DebitNote,
}


class TakenFilter(DropdownFilter):
    """What the PAC has taken from us, which is what it bills."""

    title = _("en el PAC")
    parameter_name = "taken"
    conditions = {"yes": TAKEN, "undecided": TAKEN & UNDECIDED}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("yes", gettext("Recibida por el PAC")),
            ("undecided", gettext("Recibida, sin veredicto de la DGI")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not self.value():
            return queryset
        condition = self.conditions.get(self.value())
        return queryset.filter(condition) if condition else queryset.none()


class EveryDocumentList(DocumentChangeList):
    def url_for_result(self, result: Document) -> str:
        """A document's page is that of its kind."""
        return page_of(result)


@admin.register(Document)
class EveryDocumentAdmin(MonthlyPage, DocumentAdmin):
    list_display: Any = ("full_number", "kind_name", *DocumentAdmin.list_display[1:])
    list_filter: Any = (
        AttentionFilter,
        WaitingFilter,
        ("document_type", ChoicesDropdownFilter),
        TakenFilter,
        *DocumentAdmin.list_filter[1:],
    )

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[DocumentChangeList]:
        return EveryDocumentList

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        document = self._of_key(self.get_queryset(request), object_id)
        if document is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return HttpResponseRedirect(page_of(document))

    def log_change(self, request: HttpRequest, obj: Document, message: Any) -> Any:
        """In the log of the document's own kind, which its page shows."""
        rows = KINDS[obj.document_type].unscoped.select_related("office")
        return super().log_change(request, rows.get(pk=obj.pk), message)

    @display(description=_("clase"))
    def kind_name(self, document: Document) -> str:
        return str(document.get_document_type_display())
