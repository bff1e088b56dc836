"""What programs say by a code, in words for the staff: what it is and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from invoicing.errors import InvalidDocument
from tenants.errors import TenantError

# What stands in the way of an action.
REFUSALS = {
    "already_reissued": _("Ya se emitió de nuevo; mire los documentos relacionados."),
    "already_void": _("Ya está anulado: no hay nada que hacer."),
    "busy": _("Otra persona o proceso lo tiene ocupado: espere un momento y repita."),
    "external_id_taken": _(
        "Su id externo ya lo lleva otro documento que vale: búsquelo por ese id antes de emitir."
    ),
    "malformed_id": _("Los ids del PAC son 26 letras y cifras: cópielo de nuevo."),
    "no_address": _("No tiene a quién enviarlo: escriba al menos una dirección de correo."),
    "note_in_progress": _(
        "Una nota sobre esta factura espera su veredicto: anule después, si todavía hace falta."
    ),
    "original_void": _("La factura de esta nota está anulada o se está anulando."),
    "no_pdf": _("Todavía no tiene PDF: use «Adjuntar el PDF» y envíe el correo después."),
    "not_authorized": _("La DGI todavía no lo autorizó: espere el veredicto."),
    "not_doubted": _("Ya no espera ninguna decisión: vuelva a cargar la página."),
    "not_failed": _("No está detenido: va en camino o ya se juzgó, no hay nada que reenviar."),
    "not_handled": _("Nadie lo marcó como atendido: vuelva a cargar la página."),
    "not_rejected": _("Solo se emite de nuevo un documento rechazado."),
    "not_waiting": _("No espera a nadie: no hay nada que marcar como atendido."),
    "number_series_exhausted": _("La serie de números se agotó: use otro punto de facturación."),
    "outside_void_window": _(
        "Pasó el plazo para anular: emita una nota de crédito por el total en su lugar."
    ),
    "pac_unavailable": _(
        "El PAC no contesta ahora. No se cambió nada: espere unos minutos y repita."
    ),
    "rejected": _("Fue rechazado y no se reenvía: use «Emitir de nuevo»."),
    "tenant_not_ready": _(
        "El contribuyente o su sucursal todavía no están dados de alta en el PAC."
    ),
    "verdict_differs": _(
        "El PAC dice otro veredicto de este documento: búsquelo allí antes de emitir otro."
    ),
    "void_in_progress": _("Ya hay una anulación en curso: espere la respuesta del PAC."),
}
# Why a document stands where it stands.
TROUBLES = {
    "answer_lost": _("Se envió y la respuesta se perdió: se busca en el PAC antes de repetir."),
    "company_not_affiliated": _("La DGI no tiene afiliada la empresa a este PAC."),
    "cufe_differs": _(
        "El PAC le dio otro CUFE que el calculado: revise RUC, DV, ambiente y sucursal."
    ),
    "differs_at_the_pac": _("El PAC muestra otro receptor u otro total para este CUFE."),
    "gave_up": _("Tres días de intentos sin éxito: quite el obstáculo y envíe otra vez."),
    "verdict_differs": _(
        "El PAC dice ahora otro veredicto que el de aquí. Búsquelo en el portal del PAC antes de "
        "emitir otro en su lugar."
    ),
    "match_doubted": _(
        "El PAC tiene un documento con nuestro CUFE y otro contenido: compare y decida."
    ),
    "no_payload": _("Cifras no supo escribirlo para el PAC: avise a soporte técnico."),
    "not_at_the_pac": _("El PAC no conocía este CUFE la última vez que se le preguntó."),
    "number_taken": _(
        "El PAC tiene otro documento con este número: suba la serie y envíe otra vez; "
        "toma un número nuevo."
    ),
    "number_used": _("El PAC dice que el número ya se usó: se busca cuál documento lo tiene."),
    "pac_company_unknown": _("El PAC no conoce la empresa: revise su alta."),
    "pac_refused": _("El PAC no lo aceptó."),
    "pac_token_refused": _("El PAC no acepta el token: renuévelo."),
    "pac_unavailable": _("El PAC no contesta; se sigue intentando."),
    "ruc_unknown": _("El PAC no conoce el RUC del receptor: corríjalo por la API y reintente."),
    "too_late": _("Esperó demasiado su turno y no se envió: sale en el próximo intento."),
    "void_doubted": _(
        "El PAC la rechaza, pero una petición anterior pudo anularlo: búsquelo en el PAC y decida."
    ),
    "worker_lost": _("Un proceso murió mientras lo enviaba; se busca en el PAC."),
}


def refusal(error: TenantError) -> str:
    """Why an action was not done, as one sentence that says what to do."""
    if isinstance(error, InvalidDocument):
        faults = "; ".join(f"{fault.path}: {fault}" for fault in error.faults)
        return gettext(
            "Hoy no pasa las reglas de la DGI y no se emitió; emítalo por la API con los datos "
            "corregidos: %(faults)s"
        ) % {"faults": faults}
    sentence = REFUSALS.get(error.code)
    if sentence is None:
        return gettext("No se hizo (%(code)s): %(message)s") % {
            "code": error.code,
            "message": error.message,
        }
    return str(sentence)


def trouble(said: Mapping[str, Any]) -> str:
    """An error or a warning of a document: our sentence for its code, else what was said."""
    sentence = TROUBLES.get(str(said.get("code", "")))
    if sentence is not None:
        return str(sentence)
    return f"{said.get('code') or ''} {said.get('message') or ''}".strip()
