"""The pages by which an action on documents is confirmed and carried out."""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin

from invoicing.admin.actions import (
    ACTIONS,
    BULK_AT_MOST,
    BY_NAME,
    Action,
    Done,
    Situation,
)
from invoicing.admin.comparison import sides
from invoicing.admin.page import page_of
from invoicing.admin.sentences import refusal
from invoicing.models import Document
from invoicing.services import attention
from tenants.errors import TenantError

BULK_SECONDS = 20.0  # what the PAC makes a person wait for at most; the rest is left for another go


class ActingAdmin(ModelAdmin):
    """Adds the pages of `ACTIONS` to the admin of a kind of document.

    Whoever lacks the right gets 403, by whatever address; what goes wrong is a sentence on the next
    page and never an error of the server.
    """

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.act)
        name = f"invoicing_{self.opts.model_name}_act"
        return [path("<uuid:pk>/do/<slug:name>/", view, name=name), *super().get_urls()]

    def act(self, request: HttpRequest, pk: UUID, name: str) -> HttpResponse:
        """GET explains and asks; POST does it."""
        action = BY_NAME.get(name)
        if action is None:
            raise Http404
        self._demand(request, action)
        rows = self.get_queryset(request).select_related("tenant", "office", "invoice__office")
        document = get_object_or_404(rows.prefetch_related("files", "voids"), pk=pk)
        if request.method == "POST":
            form = action.form(request.POST)
            if form.is_valid():
                done = self._carry_out(request, action, document, form.cleaned_data)
                return HttpResponseRedirect(page_of(done.show or document if done else document))
        else:
            form = action.form(initial=action.initial())
        context = {
            **self._shared(request, action, form),
            "title": f"{action.title}: {document}",
            "document": document,
            "is_offered": action.is_offered(Situation(document, attention.reasons_of(document))),
            "sides": sides(document) if action.name == "decide" else [],
            "back": page_of(document),
        }
        return TemplateResponse(request, "admin/invoicing/document_action.html", context)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The harmless ones, for several documents of the list at once."""
        if IS_POPUP_VAR in request.GET:
            return {}
        return {
            action.name: (partial(_in_bulk, action), action.name, action.title)
            for action in ACTIONS
            if action.in_bulk and request.user.has_perm(action.permission)
        }

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """An action that is not offered is refused, not overlooked."""
        if request.method == "POST":
            action = BY_NAME.get(request.POST.get("action", ""))
            if action:
                self._demand(request, action)
            for key in request.POST.getlist(helpers.ACTION_CHECKBOX_NAME):
                _refuse_other_than_keys(key)
        return super().changelist_view(request, extra_context)

    def act_in_bulk(
        self, request: HttpRequest, action: Action, queryset: QuerySet[Any]
    ) -> HttpResponse | None:
        """Asks first, then does it to each; at most `BULK_AT_MOST` and for `BULK_SECONDS`."""
        self._demand(request, action)
        rows = queryset.select_related("tenant", "office").prefetch_related("files", "voids")
        documents = list(rows.order_by("-pk")[:BULK_AT_MOST])
        confirmed = "confirmed" in request.POST
        form = action.form(request.POST) if confirmed else action.form(initial=action.initial())
        if not (confirmed and form.is_valid()):
            context = {
                **self._shared(request, action, form),
                "title": action.title,
                "documents": documents,
                "checkbox_name": helpers.ACTION_CHECKBOX_NAME,
                "back": reverse(f"admin:invoicing_{self.opts.model_name}_changelist"),
            }
            return TemplateResponse(request, "admin/invoicing/documents_action.html", context)
        until = time.monotonic() + BULK_SECONDS
        for position, document in enumerate(documents):
            if time.monotonic() > until:
                left = len(documents) - position
                told = ngettext(
                    "Quedó %(left)d sin hacer: el PAC tarda. Repita con él.",
                    "Quedaron %(left)d sin hacer: el PAC tarda. Repita con ellos.",
                    left,
                )
                messages.warning(request, told % {"left": left})
                break
            self._carry_out(request, action, document, form.cleaned_data)
        return None

    def _demand(self, request: HttpRequest, action: Action) -> None:
        allowed = request.user.has_perm(action.permission)
        if not (allowed and self.has_view_permission(request)):
            raise PermissionDenied

    def _shared(self, request: HttpRequest, action: Action, form: Any) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "action": action,
            "form": form,
            "media": self.media,
        }

    def _carry_out(
        self, request: HttpRequest, action: Action, document: Document, said: dict[str, Any]
    ) -> Done | None:
        """Does it, and tells what came of it on the next page; None where it could not be done."""
        try:
            done = action.run(document, said, request.user.get_username())
        except TenantError as error:
            messages.warning(request, f"{document}: {refusal(error)}")
            return None
        why = said.get("reason", "")
        self.log_change(request, document, f"{action.title}. {why}".strip())
        messages.success(request, f"{document}: {done.sentence}")
        return done


def _refuse_other_than_keys(text: str) -> None:
    try:
        UUID(text)
    except ValueError as error:
        raise SuspiciousOperation("A key of a document is a UUID.") from error


def _in_bulk(
    action: Action, model_admin: ActingAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    return model_admin.act_in_bulk(request, action, queryset)
