"""Pages to look at: nothing in them can be changed by hand."""

from typing import Any

from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter

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
