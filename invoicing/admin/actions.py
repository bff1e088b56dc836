"""What staff may do about a document: each with its right, its page to confirm, and its record.

An action calls the service that the API calls; what is done, by whom and why stands in the
document's history, and in the log of the admin.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from invoicing.admin.forms import (
    DecisionForm,
    EmailForm,
    NeededReasonForm,
    PacIdForm,
    ReasonForm,
    VoidDecisionForm,
    VoidForm,
)
from invoicing.admin.parts import standing
from invoicing.models import (
    Document,
    FileKind,
    GenerationMode,
    LegalStatus,
    SubmissionState,
    VoidState,
)
from invoicing.models.documents import TERMINAL
from invoicing.services import decide, deliver, handle, queue, void
from invoicing.services.attention import Reason
from invoicing.services.refresh import refresh
from tenants.base import new_id
from tenants.roles import DECIDE, HANDLE, RESEND, VOID

BULK_AT_MOST = 50


@dataclass(frozen=True, slots=True)
class Situation:
    """A document and why it asks for attention: what an action is offered by."""

    document: Document
    reasons: Sequence[Reason] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an action: a sentence, and the document to show next."""

    sentence: str
    show: Document | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done. `explanation` says what it does before it is confirmed."""

    name: str
    title: Any
    permission: str
    explanation: Any
    is_offered: Callable[[Situation], bool]
    run: Callable[[Document, dict[str, Any], str], Done]
    form: type[forms.Form] = forms.Form
    variant: str = "default"
    in_bulk: bool = False

    def initial(self) -> dict[str, Any]:
        return {"sending": new_id()} if self.form is EmailForm else {}


def _send_again(document: Document, said: dict[str, Any], actor: str) -> Done:
    queue.retry(document, actor=actor, reason=said.get("reason", ""))
    return Done(gettext("En cola: se envía en unos segundos."))


def _ask(document: Document, said: dict[str, Any], actor: str) -> Done:
    refresh(document, actor=actor)
    document.refresh_from_db()
    return Done(gettext("Preguntado. %(state)s.") % {"state": standing(document)})


def _attach(document: Document, said: dict[str, Any], actor: str) -> Done:
    refresh(document, actor=actor)
    if document.files.filter(kind=FileKind.PDF).exists():
        return Done(gettext("El PDF del PAC está adjunto."))
    return Done(
        gettext("El PAC todavía no da el PDF; se sigue pidiendo solo. Repita en unos minutos.")
    )


def _mail(document: Document, said: dict[str, Any], actor: str) -> Done:
    delivery = deliver.send_again(
        document,
        to=said.get("to", ()),
        message=said.get("message", ""),
        actor=actor,
        sending=said.get("sending"),
    )
    return Done(gettext("El correo está en cola para %(to)s.") % {"to": ", ".join(delivery.to)})


def _void(document: Document, said: dict[str, Any], actor: str) -> Done:
    event = void.request_void(document, reason=said["reason"], actor=actor)
    if event is None:
        return Done(gettext("La proforma está cancelada."))
    return Done(gettext("La anulación está pedida; la respuesta llega en unos segundos."))


def _decide(document: Document, said: dict[str, Any], actor: str) -> Done:
    if said["decision"] == "adopt":
        decide.adopt(document, actor=actor, reason=said["reason"])
        return Done(gettext("Adoptado: se sigue hasta el veredicto de la DGI."))
    decide.disown(document, actor=actor, reason=said["reason"])
    return Done(gettext("Detenido: al enviarlo otra vez toma un número nuevo."))


def _decide_void(document: Document, said: dict[str, Any], actor: str) -> Done:
    is_void = said["decision"] == "void"
    void.decide(document, accepted=is_void, actor=actor, reason=said["reason"])
    return Done(gettext("Queda anulado.") if is_void else gettext("Queda sin anular."))


def _identify(document: Document, said: dict[str, Any], actor: str) -> Done:
    decide.identify(document, said["document_id"], actor=actor, reason=said["reason"])
    return Done(gettext("Se pregunta al PAC por ese id; lo que muestre se ve en unos segundos."))


def _handle(document: Document, said: dict[str, Any], actor: str) -> Done:
    handle.mark_handled(document, actor=actor, reason=said["reason"])
    return Done(gettext("Marcado como atendido: ya no pide atención."))


def _take_back(document: Document, said: dict[str, Any], actor: str) -> Done:
    handle.take_back(document, actor=actor, reason=said.get("reason", ""))
    return Done(gettext("Ya no se da por atendido."))


def _reissue(document: Document, said: dict[str, Any], actor: str) -> Done:
    new = handle.reissue(document, actor=actor, reason=said.get("reason", ""))
    return Done(gettext("Emitido de nuevo con el número %(number)s.") % {"number": new.number}, new)


def _can_be_voided(at: Situation) -> bool:
    document = at.document
    if document.is_proforma:
        return document.canceled_at is None
    return document.legal_status == LegalStatus.DGI_AUTHORIZED and document.voided_at is None


def _has_a_doubtful_void(at: Situation) -> bool:
    return any(
        event.state == VoidState.REQUESTED and (event.error or {}).get("code") == void.DOUBTED
        for event in at.document.voids.all()
    )


def _may_be_at_the_pac(at: Situation) -> bool:
    document = at.document
    return document.doubtful_since is not None and Reason.MATCH_DOUBTED not in at.reasons


def _is_with_the_pac(at: Situation) -> bool:
    return not at.document.is_proforma and (
        at.document.submission_state != SubmissionState.NONE
        or at.document.generation_mode == GenerationMode.DGI_IMPORT
    )


def _lacks_its_pdf(at: Situation) -> bool:
    document = at.document
    return bool(document.document_id and not document.is_rejected) and not has_pdf(document)


def has_pdf(document: Document) -> bool:
    return any(file.kind == FileKind.PDF for file in document.files.all())


def _is_failed(at: Situation) -> bool:
    document = at.document
    return (
        document.submission_state == SubmissionState.FAILED
        and document.legal_status not in TERMINAL
    )


ACTIONS = (
    Action(
        "send-again",
        _("Enviar otra vez"),
        RESEND,
        _(
            "Vuelve a la cola del PAC con los intentos en cero. Si un envío anterior quedó en "
            "duda, primero se busca en el PAC: no se emite dos veces."
        ),
        _is_failed,
        _send_again,
        ReasonForm,
        variant="primary",
        in_bulk=True,
    ),
    Action(
        "decide",
        _("Decidir la coincidencia"),
        DECIDE,
        _(
            "El PAC tiene un documento con nuestro CUFE y otro contenido. Compare los dos lados y "
            "decida. Adoptado se sigue hasta el veredicto; detenido, al enviarlo otra vez toma "
            "otro número."
        ),
        lambda at: Reason.MATCH_DOUBTED in at.reasons,
        _decide,
        DecisionForm,
        variant="primary",
    ),
    Action(
        "decide-void",
        _("Decidir la anulación"),
        DECIDE,
        _(
            "El PAC rechaza la anulación, pero una petición anterior, cuya respuesta se perdió, "
            "pudo anularlo. Búsquelo en el portal del PAC y diga cómo está."
        ),
        _has_a_doubtful_void,
        _decide_void,
        VoidDecisionForm,
        variant="primary",
    ),
    Action(
        "identify",
        _("Indicar el id del PAC"),
        DECIDE,
        _(
            "La respuesta del PAC se perdió. Si encontró el documento en su portal, escriba su id: "
            "se pregunta por él y se adopta si lleva nuestro CUFE."
        ),
        _may_be_at_the_pac,
        _identify,
        PacIdForm,
    ),
    Action(
        "reissue",
        _("Emitir de nuevo"),
        HANDLE,
        _(
            "Emite otro documento con el mismo contenido, el mismo id externo, un número nuevo y "
            "la fecha de hoy. Quite antes la causa del rechazo: el contenido no cambia."
        ),
        lambda at: at.document.is_rejected and bool(at.reasons),
        _reissue,
        ReasonForm,
        variant="primary",
    ),
    Action(
        "ask",
        _("Preguntar al PAC"),
        RESEND,
        _("Pregunta al PAC por el documento ahora y anota lo que dice: diez segundos a lo sumo."),
        _is_with_the_pac,
        _ask,
        in_bulk=True,
    ),
    Action(
        "attach",
        _("Adjuntar el PDF"),
        RESEND,
        _("Pide el PDF al PAC ahora y lo guarda con el documento."),
        _lacks_its_pdf,
        _attach,
    ),
    Action(
        "email",
        _("Enviar el correo otra vez"),
        RESEND,
        _("Envía el PDF por correo una vez más, a las direcciones del documento o a otras."),
        lambda at: deliver.obstacle_to_mailing(at.document) is None,
        _mail,
        EmailForm,
        in_bulk=True,
    ),
    Action(
        "void",
        _("Anular"),
        VOID,
        _("Pide al PAC la anulación ante la DGI. No se puede deshacer."),
        _can_be_voided,
        _void,
        VoidForm,
        variant="danger",
    ),
    Action(
        "handle",
        _("Marcar como atendido"),
        HANDLE,
        _("Deja de pedir atención. No cambia nada más: escriba cómo se resolvió fuera de Cifras."),
        lambda at: bool(at.reasons),
        _handle,
        NeededReasonForm,
    ),
    Action(
        "take-back",
        _("Ya no dar por atendido"),
        HANDLE,
        _("Vuelve a pedir atención, si algo la pide todavía."),
        lambda at: at.document.handled_at is not None and not at.reasons,
        _take_back,
        ReasonForm,
    ),
)
BY_NAME = {action.name: action for action in ACTIONS}
