from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Document
from invoicing.models.wirejson import WireJSONField
from tenants.base import TenantOwned


class Event(models.TextChoices):
    """What can happen to a document; the API calls the feed of them `events`."""

    ISSUED = "issued", _("Emitida")
    EDITED = "edited", _("Modificada")
    SUBMITTED = "submitted", _("Proforma convertida en factura")
    SENT = "sent", _("Enviada al PAC")
    DELAYED = "delayed", _("Envío aplazado")
    UNCERTAIN = "uncertain", _("Respuesta perdida")
    RECOVERED = "recovered", _("Encontrada en el PAC")
    FAILED = "failed", _("Detenida")
    RETRIED = "retried", _("Puesta en cola otra vez")
    LEGAL_STATUS = "legal_status", _("Estado legal")
    FILE_STORED = "file_stored", _("Archivo guardado")
    EMAIL_QUEUED = "email_queued", _("Correo en cola")
    EMAIL_SENT = "email_sent", _("Correo enviado")
    EMAIL_FAILED = "email_failed", _("Correo no entregado")
    CUFE_DIFFERS = "cufe_differs", _("El CUFE del PAC es otro")
    CREDIT_APPLIED = "credit_applied", _("Crédito aplicado")
    PAYMENT = "payment", _("Pago recibido")
    PAYMENT_REMOVED = "payment_removed", _("Pago retirado")
    PAST_DUE = "past_due", _("Vencida")
    CANCELED = "canceled", _("Cancelada")
    VOID_REQUESTED = "void_requested", _("Anulación solicitada")
    VOID_DELAYED = "void_delayed", _("Anulación aplazada")
    VOIDED = "voided", _("Anulada")
    VOID_REFUSED = "void_refused", _("Anulación rechazada")
    ASKED = "asked", _("Consultada al PAC")
    HANDLED = "handled", _("Atendida fuera de Cifras")
    VERDICT_DIFFERS = "verdict_differs", _("El PAC dice otro veredicto")
    MATCH_DOUBTED = "match_doubted", _("El PAC tiene otro contenido con este CUFE")


class HistoryEntry(TenantOwned):
    """One thing that happened to a document, written in the commit that made it happen."""

    owner = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="history")
    event = models.CharField(_("qué"), max_length=16, choices=Event)
    data = models.JSONField(_("datos"), default=dict, encoder=DjangoJSONEncoder)
    actor = models.CharField(_("quién"), max_length=150, blank=True)
    # In the tenant's feed; given after the commit (`services.feed`).
    place = models.PositiveBigIntegerField(_("lugar"), null=True, editable=False)

    class Meta(TenantOwned.Meta):
        verbose_name = _("suceso")
        verbose_name_plural = _("historia")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "place"],
                condition=models.Q(place__isnull=False),
                name="one_event_a_place",
            )
        ]
        indexes = [
            models.Index(fields=["owner", "id"], name="history_of_document"),
            models.Index(
                fields=["tenant", "id"],
                condition=models.Q(place__isnull=True),
                name="history_without_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.get_event_display()}"


class PacExchange(TenantOwned):
    """One call to the PAC and its answer, secrets masked: what was said, word for word."""

    owner = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="exchanges", null=True
    )
    method = models.CharField(_("método"), max_length=6)
    path = models.CharField(_("ruta"), max_length=500)
    status = models.PositiveSmallIntegerField(_("respuesta"), null=True)
    request = WireJSONField(_("enviado"), null=True)
    response = WireJSONField(_("recibido"), null=True)
    error = models.TextField(_("error"), blank=True)
    elapsed_ms = models.PositiveIntegerField(_("milisegundos"))

    class Meta(TenantOwned.Meta):
        verbose_name = _("llamada al PAC")
        verbose_name_plural = _("llamadas al PAC")
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "id"], name="exchanges_of_document"),
            models.Index(fields=["created_at"], name="exchanges_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status or '-'}"
