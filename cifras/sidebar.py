"""The admin's sidebar: the pages of every app, in groups, for those who may view them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from django.apps import apps
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from invoicing.admin.lists import list_of
from invoicing.admin.monthly import monthly_link
from tenants.admin.scoped import tenant_id_of
from tenants.roles import ONBOARD


@dataclass(frozen=True, slots=True)
class Page:
    """`link` is empty for those who may not view it."""

    title: str | Promise
    icon: str
    link: Callable[[HttpRequest], str]


def _list(model: str, **filters: str) -> Callable[[HttpRequest], str]:
    return lambda request: list_of(request, apps.get_model(model), **filters)


def _dashboard(request: HttpRequest) -> str:
    return reverse("admin:index")


def _wizard(request: HttpRequest) -> str:
    """Who is bound to a tenant makes no other."""
    allowed = not tenant_id_of(request) and request.user.has_perm(ONBOARD)
    return reverse("admin:tenants_tenant_onboarding_begin") if allowed else ""


GROUPS: list[tuple[str | Promise, list[Page]]] = [
    (
        "",
        [
            Page(_("Tablero"), "dashboard", _dashboard),
            Page(_("Documentos del mes"), "calendar_month", monthly_link),
        ],
    ),
    (
        _("Documentos"),
        [
            Page(_("Facturas"), "receipt_long", _list("invoicing.Invoice")),
            Page(_("Notas de crédito"), "undo", _list("invoicing.CreditNote")),
            Page(_("Notas de débito"), "redo", _list("invoicing.DebitNote")),
            Page(_("Todos los documentos"), "folder", _list("invoicing.Document")),
            Page(_("Clientes"), "contacts", _list("invoicing.Customer")),
        ],
    ),
    (
        _("Atención"),
        [
            Page(_("Documentos"), "error", _list("invoicing.Document", attention="any")),
            Page(_("Certificados"), "badge", _list("tenants.Tenant", trouble="certificates")),
            Page(
                _("Incorporaciones detenidas"),
                "pause_circle",
                _list("tenants.Tenant", trouble="onboarding"),
            ),
        ],
    ),
    (
        _("Contribuyentes"),
        [
            Page(_("Contribuyentes"), "store", _list("tenants.Tenant")),
            Page(_("Incorporar"), "add_business", _wizard),
            Page(_("Sucursales"), "location_on", _list("tenants.Office")),
            Page(_("Series de numeración"), "pin", _list("tenants.NumberSeries")),
            Page(_("Claves de API"), "key", _list("tenants.ApiKey")),
        ],
    ),
    (
        _("Operación"),
        [
            Page(_("Webhooks recibidos"), "webhook", _list("webhooks.PacDelivery")),
            Page(_("Correos"), "mail", _list("invoicing.EmailDelivery")),
            Page(_("Anulaciones"), "block", _list("invoicing.FiscalEvent")),
            Page(_("Llamadas al PAC"), "swap_horiz", _list("invoicing.PacExchange")),
            Page(_("Trabajadores"), "monitor_heart", _list("invoicing.PumpLease")),
            Page(_("Cortes del PAC"), "power_off", _list("invoicing.Breaker")),
            Page(_("Tareas en cola"), "pending_actions", _list("django_q.OrmQ")),
            Page(_("Tareas fallidas"), "report", _list("django_q.Failure")),
            Page(_("Tareas programadas"), "schedule", _list("django_q.Schedule")),
        ],
    ),
    (
        _("Personas"),
        [
            Page(_("Usuarios"), "person", _list("tenants.User")),
            Page(_("Grupos"), "group", _list("auth.Group")),
            Page(_("Entradas"), "login", _list("axes.AccessLog")),
            Page(_("Bloqueos"), "lock", _list("axes.AccessAttempt")),
            Page(_("Entradas fallidas"), "lock_clock", _list("axes.AccessFailureLog")),
            Page(_("Bitácora"), "history", _list("admin.LogEntry")),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups and pages for this user, as unfold reads them; a group without pages is left
    out. Asks the database nothing but the user's rights."""
    groups = []
    for title, pages in GROUPS:
        links = [(page, page.link(request)) for page in pages]
        items = [
            {"title": page.title, "icon": page.icon, "link": link} for page, link in links if link
        ]
        if items:
            groups.append({"title": title, "items": items})
    everything = [item for group in groups for item in group["items"]]
    here = max(everything, key=lambda item: _closeness(request, item["link"]))
    for item in everything:
        item["active"] = item is here and _closeness(request, item["link"]) > (0, 0)
    return groups


def _closeness(request: HttpRequest, link: str) -> tuple[int, int]:
    """How well the page that is shown fits to a link: the longest path, then the most filters."""
    parts = urlsplit(link)
    filters = parse_qsl(parts.query)
    is_below = request.path.startswith(parts.path) and link != reverse("admin:index")
    is_there = request.path == parts.path
    fits = all(request.GET.get(name) == value for name, value in filters)
    if not (fits and (is_there or (is_below and not filters))):
        return (0, 0)
    return (len(parts.path), len(filters))
