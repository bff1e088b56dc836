"""Documents as staff see them: lists to search, a page to read, actions to mend one with."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from invoicing.admin import search
from invoicing.admin.acting import ActingAdmin
from invoicing.admin.changelist import DocumentChangeList
from invoicing.admin.filters import (
    AttentionFilter,
    DaysFilter,
    LegalStatusFilter,
    OfficeFilter,
)
from invoicing.admin.page import context_of
from invoicing.admin.parts import STANDING_COLOURS, standing
from invoicing.admin.readonly import TENANT_FILTER, LookOnlyAdmin
from invoicing.models import CreditNote, DebitNote, Document, File, FileKind, Invoice
from invoicing.models.documents import PacDocumentType, Status

STATUS_COLOURS = dict.fromkeys(Status, "default") | {
    Status.PAID: "success",
    Status.APPLIED: "success",
    Status.PAST_DUE: "danger",
    Status.OVERPAID: "warning",
    Status.PARTIALLY_PAID: "info",
    Status.VOID: "warning",
}


class DocumentAdmin(ActingAdmin, LookOnlyAdmin):
    """One kind of document; a subclass says which, or that it is all of them."""

    kind: PacDocumentType | None = None
    list_display: tuple[str, ...] = (
        "full_number",
        "issuer",
        "receiver_name",
        "issued_at",
        "total",
        "standing_badge",
        "status_badge",
    )
    list_filter: tuple[Any, ...] = (
        AttentionFilter,
        TENANT_FILTER,
        LegalStatusFilter,
        ("submission_state", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("generation_mode", ChoicesDropdownFilter),
        ("issued_at", DaysFilter),
        OfficeFilter,
    )
    list_filter_submit = True
    list_select_related = ("tenant", "office")
    list_disable_select_all = True
    sortable_by = ()
    show_facets = admin.ShowFacets.NEVER  # they count
    search_fields = ("number",)  # shows the box; what it finds, `search` says
    search_help_text = _("Número, CUFE, RUC del receptor, id externo o id del PAC")
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(xframe_options_sameorigin(self.download))
        name = f"invoicing_{self.opts.model_name}_file"
        return [path("files/<uuid:pk>", download, name=name), *super().get_urls()]

    def download(self, request: HttpRequest, pk: UUID) -> FileResponse:
        """A stored file. Only a PDF opens in the browser: anything else could run in it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        file = get_object_or_404(File.unscoped, pk=pk, owner__in=self.get_queryset(request))
        is_pdf = file.kind == FileKind.PDF
        return FileResponse(
            file.content.open(),
            as_attachment=not is_pdf,
            filename=file.name,
            content_type="application/pdf" if is_pdf else "application/octet-stream",
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        rows = super().get_queryset(request)
        return rows.filter(document_type=self.kind) if self.kind else rows

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[DocumentChangeList]:
        return DocumentChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        return (search.found(queryset, search_term) if search_term.strip() else queryset), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The page of one document. It has no form: what may be done has pages of its own."""
        if request.method != "GET" or not self.has_view_permission(request):
            raise PermissionDenied
        rows = self.get_queryset(request).select_related(
            "tenant", "office", "invoice__office", "invoice__tenant"
        )
        document = self._of_key(rows, object_id)
        if document is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {
            **self.admin_site.each_context(request),
            **context_of(request, document),
            "title": str(document),
            "opts": self.opts,
            "original": document,
        }
        return TemplateResponse(request, "admin/invoicing/document.html", context)

    @staticmethod
    def _of_key(rows: QuerySet[Document], object_id: str) -> Document | None:
        try:
            return rows.prefetch_related("files", "voids").filter(pk=UUID(object_id)).first()
        except ValueError:
            return None

    @display(description=_("número"))
    def full_number(self, document: Document) -> str:
        return f"{document.office.code}-{document.billing_point}-{document.number}"

    @display(description=_("contribuyente"))
    def issuer(self, document: Document) -> str:
        return document.tenant.name

    @display(description=_("situación"), label=STANDING_COLOURS)
    def standing_badge(self, document: Document) -> tuple[str, str]:
        """The verdict; while there is none, how far sending got."""
        return document.legal_status or document.submission_state, standing(document)

    @display(description=_("estado"), label=STATUS_COLOURS)
    def status_badge(self, document: Document) -> tuple[str, str]:
        return document.status, str(document.get_status_display())


@admin.register(Invoice)
class InvoiceAdmin(DocumentAdmin):
    kind = PacDocumentType.INVOICE


@admin.register(CreditNote)
class CreditNoteAdmin(DocumentAdmin):
    kind = PacDocumentType.CREDIT_NOTE


@admin.register(DebitNote)
class DebitNoteAdmin(DocumentAdmin):
    kind = PacDocumentType.DEBIT_NOTE
