from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from invoicing.models.documents import Document
from invoicing.models.wirejson import WireJSONField
from tenants.base import TenantOwned


class Event(models.TextChoices):
    """What can happen to a document; the API calls the feed of them `events`."""

    ISSUED = "issued", "Emitida"
    EDITED = "edited", "Modificada"
    SUBMITTED = "submitted", "Proforma convertida en factura"
    SENT = "sent", "Enviada al PAC"
    DELAYED = "delayed", "Envío aplazado"
    UNCERTAIN = "uncertain", "Respuesta perdida"
    RECOVERED = "recovered", "Encontrada en el PAC"
    FAILED = "failed", "Detenida"
    RETRIED = "retried", "Puesta en cola otra vez"
    LEGAL_STATUS = "legal_status", "Estado legal"
    FILE_STORED = "file_stored", "Archivo guardado"
    EMAIL_QUEUED = "email_queued", "Correo en cola"
    EMAIL_SENT = "email_sent", "Correo enviado"
    EMAIL_FAILED = "email_failed", "Correo no entregado"
    CUFE_DIFFERS = "cufe_differs", "El CUFE del PAC es otro"
    CREDIT_APPLIED = "credit_applied", "Crédito aplicado"
    PAYMENT = "payment", "Pago recibido"
    PAYMENT_REMOVED = "payment_removed", "Pago retirado"
    PAST_DUE = "past_due", "Vencida"
    CANCELED = "canceled", "Cancelada"
    VOID_REQUESTED = "void_requested", "Anulación solicitada"
    VOID_DELAYED = "void_delayed", "Anulación aplazada"
    VOIDED = "voided", "Anulada"
    VOID_REFUSED = "void_refused", "Anulación rechazada"
    ASKED = "asked", "Consultada al PAC"
    HANDLED = "handled", "Atendida fuera de Cifras"
    MATCH_DOUBTED = "match_doubted", "El PAC tiene otro contenido con este CUFE"


class HistoryEntry(TenantOwned):
    """One thing that happened to a document, written in the commit that made it happen."""

    owner = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="history")
    event = models.CharField("qué", max_length=16, choices=Event)
    data = models.JSONField("datos", default=dict, encoder=DjangoJSONEncoder)
    actor = models.CharField("quién", max_length=150, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "suceso"
        verbose_name_plural = "historia"
        ordering = ["id"]
        indexes = [models.Index(fields=["owner", "id"], name="history_of_document")]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.get_event_display()}"


class PacExchange(TenantOwned):
    """One call to the PAC and its answer, secrets masked: what was said, word for word."""

    owner = models.ForeignKey(
        Document, on_delete=models.CASCADE, related_name="exchanges", null=True
    )
    method = models.CharField("método", max_length=6)
    path = models.CharField("ruta", max_length=500)
    status = models.PositiveSmallIntegerField("respuesta", null=True)
    request = WireJSONField("enviado", null=True)
    response = WireJSONField("recibido", null=True)
    error = models.TextField("error", blank=True)
    elapsed_ms = models.PositiveIntegerField("milisegundos")

    class Meta(TenantOwned.Meta):
        verbose_name = "llamada al PAC"
        verbose_name_plural = "llamadas al PAC"
        ordering = ["id"]
        indexes = [
            models.Index(fields=["owner", "id"], name="exchanges_of_document"),
            models.Index(fields=["created_at"], name="exchanges_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.status or '-'}"
