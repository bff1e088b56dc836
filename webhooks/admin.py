"""The PAC's deliveries, to look at: word for word, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from invoicing.admin import timeline
from invoicing.admin.readonly import TENANT_FILTER, LookOnlyAdmin
from invoicing.admin.waiting import WaitingFilter
from invoicing.models import Document
from invoicing.models.history import Event
from webhooks.models import InboxState, PacDelivery

# The PAC tells of a document soon after it was sent, and about when its verdict was seen here.
SOON = timedelta(minutes=15)
WINDOWS_AT_MOST = 6
NEWS = (Event.SENT, Event.LEGAL_STATUS, Event.VOIDED, Event.VOID_REFUSED)


@admin.register(PacDelivery)
class PacDeliveryAdmin(LookOnlyAdmin):
    list_display = ("created_at", "tenant", "state", "tries", "next_try_at")
    list_filter = (TENANT_FILTER, ("state", ChoicesDropdownFilter), WaitingFilter)
    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("tenant__ruc",)
    search_help_text = _("RUC del contribuyente.")
    ordering = ("-id",)
    fields = ("created_at", "tenant", "state", "tries", "next_try_at", "digest", "body")


@timeline.add_source
def deliveries(document: Document) -> Iterable[timeline.Entry]:
    """The webhooks that named a document.

    A delivery does not say whose it is but in its text, so that it is looked for in the minutes
    around what is known of the document, which its time-ordered key finds without an index more.
    """
    named = Q()
    for name in filter(None, (document.document_id, document.computed_cufe)):
        named |= Q(body__contains=name)
    if not named:
        return
    news = document.history.filter(event__in=NEWS).order_by("-pk")
    moments = [document.queued_at or document.created_at]
    moments += news.values_list("created_at", flat=True)[: WINDOWS_AT_MOST - 1]
    around = Q()
    for moment in moments:
        around |= Q(pk__gte=_first_key(moment - SOON), pk__lt=_first_key(moment + SOON))
    found = PacDelivery.unscoped.filter(around, named, tenant=document.tenant_id)
    for row in timeline.newest(found):
        yield timeline.Entry(
            at=row.created_at,
            title=gettext("Webhook del PAC: %(state)s") % {"state": row.get_state_display()},
            details=((gettext("intentos"), str(row.tries)),),
            colour="warning" if row.state == InboxState.UNMATCHED else "default",
            texts=((gettext("recibido"), _readable(row.body)),),
        )


def _readable(body: str) -> str:
    """The delivery as people read it; word for word where it nests too deeply for that."""
    try:
        return timeline.pretty(json.loads(body, parse_int=str, parse_float=str))
    except (ValueError, RecursionError):
        return body[: timeline.TEXT_AT_MOST]


def _first_key(moment: datetime) -> UUID:
    """The lowest time-ordered key (UUID version 7) of a moment."""
    return UUID(int=int(moment.timestamp() * 1000) << 80 | 0x7 << 76 | 0x2 << 62)
