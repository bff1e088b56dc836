"""Documents as staff see them: to read, with the few actions that mend one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from unfold.decorators import display

from invoicing.admin.readonly import LookOnlyAdmin, LookOnlyInline
from invoicing.errors import PacUnavailable
from invoicing.models import (
    CreditNote,
    DebitNote,
    Document,
    DocumentLine,
    EmailDelivery,
    File,
    HistoryEntry,
    Invoice,
    LegalStatus,
    PacExchange,
    Payment,
    SubmissionState,
)
from invoicing.models.documents import PacDocumentType
from invoicing.services import decide, deliver, queue
from invoicing.services.refresh import refresh
from tenants.errors import Conflict

LEGAL_COLOURS = {
    LegalStatus.PAC_AUTHORIZED: "info",
    LegalStatus.DGI_AUTHORIZED: "success",
    LegalStatus.PAC_REJECTED: "danger",
    LegalStatus.DGI_REJECTED: "danger",
}
SUBMISSION_COLOURS = {
    SubmissionState.QUEUED: "info",
    SubmissionState.SENDING: "info",
    SubmissionState.UNCERTAIN: "warning",
    SubmissionState.DONE: "success",
    SubmissionState.FAILED: "danger",
}


class LineInline(LookOnlyInline):
    model = DocumentLine
    fields = ("number", "code", "description", "quantity", "unit_price", "net", "itbms", "total")


class FileInline(LookOnlyInline):
    model = File
    fields = ("link", "kind", "size", "sha256", "created_at")
    readonly_fields = ("link", "created_at")

    @display(description="archivo")
    def link(self, file: File) -> SafeString:
        url = reverse(f"admin:invoicing_{self.parent_model._meta.model_name}_file", args=[file.pk])
        return format_html('<a class="underline" href="{}">{}</a>', url, file.name)


class PaymentInline(LookOnlyInline):
    model = Payment
    fields = ("paid_at", "method", "amount", "reference")


class EmailInline(LookOnlyInline):
    model = EmailDelivery
    fields = ("occasion", "to", "state", "attempts", "sent_at", "error")


class HistoryInline(LookOnlyInline):
    model = HistoryEntry
    fields = ("created_at", "event", "data", "actor")
    readonly_fields = ("created_at",)


class ExchangeInline(LookOnlyInline):
    model = PacExchange
    fields = ("created_at", "method", "path", "status", "elapsed_ms", "said", "error")
    readonly_fields = ("said", "created_at")

    @display(description="enviado y recibido")
    def said(self, exchange: PacExchange) -> SafeString:
        return format_html(
            "<details><summary>ver</summary>{}{}</details>",
            pretty(exchange.request),
            pretty(exchange.response),
        )


def pretty(value: Any) -> SafeString:
    """JSON as people read it, escaped."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str) if value else "—"
    style = "white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px"
    return format_html('<pre style="{}">{}</pre>', style, text)


def breakable(text: str | None) -> SafeString:
    """A long text without spaces that stays inside its column, on a phone too."""
    return format_html('<span style="overflow-wrap: anywhere">{}</span>', text or "—")


class DocumentAdmin(LookOnlyAdmin):
    """One kind of document; a subclass says which."""

    kind: PacDocumentType
    list_display = (
        "number",
        "issuer",
        "receiver_name",
        "issued_at",
        "total",
        "legal_badge",
        "submission_badge",
        "status",
    )
    list_filter = ("legal_status", "submission_state", "generation_mode", "status")
    list_select_related = ("tenant",)
    search_fields = ("=number", "=invoice_number", "=receiver_ruc", "=external_id", "=document_id")
    ordering = ("-id",)
    inlines = (
        LineInline,
        HistoryInline,
        ExchangeInline,
        FileInline,
        EmailInline,
        PaymentInline,
    )
    actions = ("send_again", "ask_the_pac", "mail_again", "adopt_match", "disown_match")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "billing_point", "office"),
                    ("tenant", "generation_mode", "dgi_document_type"),
                    ("issued_at", "due_date", "external_id"),
                    ("legal_status", "submission_state", "status"),
                    "troubles",
                )
            },
        ),
        (
            "Fiscal",
            {
                "fields": (
                    "cufe",
                    "cufe_before_sending",
                    ("document_id", "authorization_protocol", "authorized_at"),
                    "qr",
                )
            },
        ),
        (
            "Receptor",
            {
                "fields": (
                    ("receiver_name", "receiver_type"),
                    ("receiver_ruc", "receiver_ruc_type", "receiver_dv"),
                    ("receiver_address", "receiver_emails"),
                )
            },
        ),
        (
            "Montos (B/.)",
            {
                "fields": (
                    ("net", "itbms", "total"),
                    ("retention", "credited", "paid"),
                    ("isc", "other_taxes", "discount"),
                    ("freight", "insurance", "other_expenses"),
                )
            },
        ),
        (
            "Envío",
            {
                "fields": (
                    ("attempts", "setbacks", "doubtful_since"),
                    ("next_attempt_at", "next_poll_at", "polls"),
                    "sent_to_pac",
                    "received_from_pac",
                )
            },
        ),
    )
    readonly_fields = (
        "troubles",
        "cufe",
        "cufe_before_sending",
        "qr",
        "sent_to_pac",
        "received_from_pac",
    )

    def get_urls(self) -> list[URLPattern]:
        download = self.admin_site.admin_view(self.download)
        name = f"invoicing_{self.opts.model_name}_file"
        return [path("files/<uuid:pk>", download, name=name), *super().get_urls()]

    def download(self, request: HttpRequest, pk: UUID) -> FileResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        file = get_object_or_404(File.unscoped, pk=pk, owner__in=self.get_queryset(request))
        return FileResponse(file.content.open(), filename=file.name)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Document]:
        return super().get_queryset(request).filter(document_type=self.kind)

    @display(description="contribuyente", ordering="tenant__name")
    def issuer(self, document: Document) -> str:
        return document.tenant.name

    @display(description="estado legal", label=LEGAL_COLOURS, ordering="legal_status")
    def legal_badge(self, document: Document) -> tuple[str, str]:
        return (
            document.legal_status or "",
            str(document.get_legal_status_display() or "Sin veredicto"),
        )

    @display(description="envío", label=SUBMISSION_COLOURS, ordering="submission_state")
    def submission_badge(self, document: Document) -> tuple[str, str]:
        return document.submission_state, str(document.get_submission_state_display())

    @display(description="problemas y avisos")
    def troubles(self, document: Document) -> SafeString:
        told = [document.submission_error, *document.pac_errors, *document.warnings]
        lines = [(item["code"], item["message"]) for item in told if item]
        return format_html_join(mark_safe("<br>"), "<b>{}</b> {}", lines) or mark_safe("—")

    @display(description="CUFE")
    def cufe(self, document: Document) -> SafeString:
        return breakable(document.invoice_number)

    @display(description="CUFE calculado")
    def cufe_before_sending(self, document: Document) -> SafeString:
        return breakable(document.computed_cufe)

    @display(description="QR")
    def qr(self, document: Document) -> SafeString:
        return breakable(document.qr_code_url)

    @display(description="enviado al PAC")
    def sent_to_pac(self, document: Document) -> SafeString:
        return pretty(document.pac_input)

    @display(description="recibido del PAC")
    def received_from_pac(self, document: Document) -> SafeString:
        return pretty(document.pac_response)

    @admin.action(description="Enviar otra vez al PAC (detenidas)")
    def send_again(self, request: HttpRequest, documents: QuerySet[Document]) -> None:
        for document in documents:
            try:
                queue.retry(document, actor=request.user.get_username())
            except Conflict as error:
                self.message_user(request, f"{document}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{document}: en cola.", messages.SUCCESS)

    @admin.action(description="Preguntar al PAC ahora")
    def ask_the_pac(self, request: HttpRequest, documents: QuerySet[Document]) -> None:
        for document in documents.select_related("tenant").prefetch_related("files")[:20]:
            try:
                refresh(document)
            except PacUnavailable as error:
                self.message_user(request, f"{document}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{document}: al día.", messages.SUCCESS)

    @admin.action(description="Coincidencia dudosa: es el nuestro, adoptarlo")
    def adopt_match(self, request: HttpRequest, documents: QuerySet[Document]) -> None:
        self._decide(request, documents, decide.adopt, "adoptado.")

    @admin.action(description="Coincidencia dudosa: no es el nuestro")
    def disown_match(self, request: HttpRequest, documents: QuerySet[Document]) -> None:
        self._decide(request, documents, decide.disown, "detenido; al reintentar toma otro número.")

    def _decide(
        self,
        request: HttpRequest,
        documents: QuerySet[Document],
        decision: Callable[..., None],
        done: str,
    ) -> None:
        for document in documents:
            try:
                decision(document, actor=request.user.get_username())
            except Conflict as error:
                self.message_user(request, f"{document}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{document}: {done}", messages.SUCCESS)

    @admin.action(description="Enviar el correo otra vez")
    def mail_again(self, request: HttpRequest, documents: QuerySet[Document]) -> None:
        for document in documents:
            try:
                deliver.send_again(document, to=(), message="")
            except Conflict as error:
                self.message_user(request, f"{document}: {error.message}", messages.WARNING)
            else:
                self.message_user(request, f"{document}: correo en cola.", messages.SUCCESS)


@admin.register(Invoice)
class InvoiceAdmin(DocumentAdmin):
    kind = PacDocumentType.INVOICE


@admin.register(CreditNote)
class CreditNoteAdmin(DocumentAdmin):
    kind = PacDocumentType.CREDIT_NOTE


@admin.register(DebitNote)
class DebitNoteAdmin(DocumentAdmin):
    kind = PacDocumentType.DEBIT_NOTE
