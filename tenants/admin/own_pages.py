"""Pages of our own beside those that Django makes of a model."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from tenants.admin.scoped import ScopedAdmin
from tenants.models import Tenant


class OwnPages(ScopedAdmin):
    """What such pages need."""

    def own(self, request: HttpRequest, pk: UUID | str) -> Any:
        """The row, where the user may see it; else 404."""
        return get_object_or_404(self.get_queryset(request), pk=pk)

    def page(
        self, request: HttpRequest, template: str, title: str, **context: Any
    ) -> TemplateResponse:
        """A page inside the admin; where `object` is given, its heading leads back there."""
        request.current_app = self.admin_site.name
        return TemplateResponse(
            request,
            f"admin/tenants/{template}",
            {**self.admin_site.each_context(request), "title": title, "opts": self.opts, **context},
        )

    def show_key(
        self, request: HttpRequest, tenant: Tenant, text: str, onwards: str
    ) -> TemplateResponse:
        """A key's text, in this one answer: it is in no message, cookie or session."""
        return self.page(
            request, "key.html", _("Clave de API"), tenant=tenant, api_key=text, onwards=onwards
        )
