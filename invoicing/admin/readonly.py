"""Pages to look at: nothing in them can be changed by hand."""

from typing import Any

from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from invoicing.models import Document
from tenants.admin.scoped import LookOnly, ScopedAdmin, tenant_id_of

TENANT_FILTER = ("tenant", AutocompleteSelectFilter)


class LookOnlyAdmin(LookOnly, ScopedAdmin):
    """A tenant's rows, to look at; who is bound to a tenant sees that tenant's alone."""

    def get_list_filter(self, request: HttpRequest) -> Any:
        """Who is bound to a tenant has no other to choose."""
        filters = super().get_list_filter(request)
        if not tenant_id_of(request):
            return filters
        return tuple(each for each in filters if each != TENANT_FILTER)


class OfDocumentAdmin(LookOnlyAdmin):
    """Rows of a document, which is their `owner`."""

    @display(description=_("documento"), ordering="owner")
    def document(self, row: Any) -> Document:
        return row.owner

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **options: Any
    ) -> Any:
        options["labels"] = {"owner": _("documento")}
        return super().get_form(request, obj, change, **options)
