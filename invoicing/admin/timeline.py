"""What happened to a document, told in one line of time: from every table that knows of it.

A floor above brings its own: `add_source`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from invoicing.admin.sentences import trouble
from invoicing.models import (
    DeliveryState,
    Document,
    EmailDelivery,
    File,
    HistoryEntry,
    LegalStatus,
    PacExchange,
)
from invoicing.models.history import Event
from invoicing.services.attention import Reason
from pac.client import mask

AT_MOST = 200
TEXT_AT_MOST = 20_000  # characters of one JSON text on the page


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `texts` are (label, JSON as people read it), folded away."""

    at: datetime
    title: str
    details: tuple[tuple[str, str], ...] = ()
    actor: str = ""
    colour: str = "default"
    icon: str = "history"
    texts: tuple[tuple[str, str], ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True)
class Timeline:
    entries: list[Entry]
    is_cut: bool  # older ones are not shown


Source = Callable[[Document], Iterable[Entry]]
_sources: list[Source] = []


def add_source(source: Source) -> Source:
    """Registers what tells of a document's past; each asks for a fixed number of queries and gives
    at most `AT_MOST` + 1 entries, the newest."""
    if source not in _sources:
        _sources.append(source)
    return source


def timeline_of(document: Document) -> Timeline:
    """The newest `AT_MOST` entries of every source, newest first."""
    entries = [entry for source in _sources for entry in source(document)]
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return Timeline(entries[:AT_MOST], is_cut=len(entries) > AT_MOST)


def newest(rows: Any) -> list[Any]:
    """The newest rows of a relation, as many as a timeline can show and one more."""
    return list(rows.order_by("-pk")[: AT_MOST + 1])


def pretty(value: Any) -> str:
    """JSON as people read it: secrets masked, indented, cut where it has no end."""
    if value in (None, "", {}, []):
        return ""
    text = json.dumps(mask(value), indent=2, ensure_ascii=False, default=_plain)
    if len(text) > TEXT_AT_MOST:
        return text[:TEXT_AT_MOST] + "\n" + gettext("… (cortado)")
    return text


def _plain(value: Any) -> Any:
    """A number stays a number to look at."""
    return float(value) if isinstance(value, Decimal) else str(value)


LABELS = {
    "about": _("por"),
    "amount": _("monto"),
    "computed": _("CUFE calculado"),
    "document_id": _("id en el PAC"),
    "errors": _("errores"),
    "invoice": _("factura"),
    "credit_note": _("nota de crédito"),
    "legal_status": _("estado legal"),
    "method": _("forma de pago"),
    "mode": _("modo"),
    "name": _("archivo"),
    "number": _("número"),
    "occasion": _("ocasión"),
    "pac": _("CUFE del PAC"),
    "proforma_number": _("número de la proforma"),
    "reason": _("por qué"),
    "reissue_of": _("en lugar de"),
    "reissued_as": _("emitida de nuevo como"),
    "receiver": _("receptor"),
    "size": _("bytes"),
    "to": _("para"),
}
UNTOLD = {"legal_status", "payment", "taken_back"}  # in the title, or of use to programs alone
BAD = {
    Event.FAILED,
    Event.EMAIL_FAILED,
    Event.VOID_REFUSED,
    Event.CUFE_DIFFERS,
    Event.VERDICT_DIFFERS,
}
DOUBTFUL = {Event.UNCERTAIN, Event.DELAYED, Event.MATCH_DOUBTED, Event.VOID_DELAYED, Event.PAST_DUE}
GOOD = {Event.EMAIL_SENT, Event.RECOVERED, Event.PAYMENT, Event.SENT}
VERDICT_COLOURS = {
    LegalStatus.PAC_AUTHORIZED: "info",
    LegalStatus.DGI_AUTHORIZED: "success",
    LegalStatus.PAC_REJECTED: "danger",
    LegalStatus.DGI_REJECTED: "danger",
}


@add_source
def history(document: Document) -> Iterable[Entry]:
    """Its own history; what a file or an e-mail tells itself is left to them."""
    told = Q(event=Event.FILE_STORED) | Q(event=Event.EMAIL_QUEUED, actor="")
    for row in newest(document.history.exclude(told)):
        yield Entry(
            at=row.created_at,
            title=_title(row),
            details=tuple(_details(row.data)),
            actor=row.actor,
            colour=_colour(row),
        )


@add_source
def exchanges(document: Document) -> Iterable[Entry]:
    """What was said to the PAC and what it answered."""
    for row in newest(document.exchanges):
        yield exchange_entry(row)


def exchange_entry(row: PacExchange) -> Entry:
    answered = row.status is not None and row.status < 400
    details = [
        (gettext("respuesta"), str(row.status or gettext("ninguna"))),
        (gettext("milisegundos"), str(row.elapsed_ms)),
    ]
    if row.error:
        details.append((gettext("error"), row.error))
    texts = [
        (gettext("enviado"), pretty(row.request)),
        (gettext("recibido"), pretty(row.response)),
    ]
    return Entry(
        at=row.created_at,
        title=gettext("Llamada al PAC: %(method)s %(path)s")
        % {"method": row.method, "path": row.path},
        details=tuple(details),
        colour="default" if answered else "warning",
        icon="sync_alt",
        texts=tuple((label, text) for label, text in texts if text),
    )


@add_source
def emails(document: Document) -> Iterable[Entry]:
    """Its e-mails, from the moment they were queued."""
    for row in newest(document.deliveries):
        yield email_entry(row)


def email_entry(row: EmailDelivery) -> Entry:
    details = [
        (gettext("para"), ", ".join(row.to)),
        (gettext("ocasión"), _occasion(row.occasion)),
        (gettext("intentos"), str(row.attempts)),
        (gettext("mensaje"), row.message),
        (gettext("error"), row.error),
    ]
    failed = row.state == DeliveryState.FAILED
    return Entry(
        at=row.created_at,
        title=gettext("Correo: %(state)s") % {"state": row.get_state_display()},
        details=tuple((label, text) for label, text in details if text),
        colour="danger" if failed else "default",
        icon="mail",
    )


@add_source
def files(document: Document) -> Iterable[Entry]:
    """Its stored files."""
    for row in document.files.all():
        yield file_entry(row)


def file_entry(row: File) -> Entry:
    return Entry(
        at=row.created_at,
        title=gettext("Archivo guardado: %(kind)s") % {"kind": row.kind},
        details=(
            (gettext("archivo"), row.name),
            (gettext("bytes"), str(row.size)),
            ("SHA-256", row.sha256),
        ),
        icon="draft",
        link=str(row.pk),
    )


def _title(row: HistoryEntry) -> str:
    if row.event == Event.LEGAL_STATUS:
        return _legal_status(row.data.get("legal_status"))
    if row.event == Event.HANDLED and "reissued_as" in row.data:
        return gettext("Emitida de nuevo")
    if row.event == Event.HANDLED and row.data.get("taken_back"):
        return gettext("Ya no se da por atendida")
    return str(row.get_event_display())


def _colour(row: HistoryEntry) -> str:
    if row.event == Event.LEGAL_STATUS:
        return VERDICT_COLOURS.get(row.data.get("legal_status"), "info")
    for events, colour in ((BAD, "danger"), (DOUBTFUL, "warning"), (GOOD, "success")):
        if row.event in events:
            return colour
    return "info"


def _details(data: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """What a history entry says beside its title, in words."""
    for key, value in data.items():
        if key in UNTOLD or value in (None, "", []):
            continue
        if key == "error":
            text = trouble(value) if isinstance(value, dict) else str(value)
            yield gettext("motivo"), text
        elif key == "about":
            yield str(LABELS[key]), ", ".join(str(Reason(each).label) for each in value)
        elif key == "occasion":
            yield gettext("ocasión"), _occasion(str(value))
        elif key == "errors":
            yield gettext("errores"), "; ".join(trouble(each) for each in value)
        elif isinstance(value, list):
            yield str(LABELS.get(key, key)), ", ".join(str(each) for each in value)
        else:
            yield str(LABELS.get(key, key)), str(value)


def _legal_status(value: Any) -> str:
    return str(LegalStatus(value).label) if value in LegalStatus.values else str(value or "")


def _occasion(occasion: str) -> str:
    return gettext("autorización") if occasion == "authorized" else gettext("reenvío a mano")
