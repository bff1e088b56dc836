from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Document
from tenants.base import TenantOwned


class DeliveryState(models.TextChoices):
    QUEUED = "QUEUED", _("En cola")
    SENDING = "SENDING", _("Enviando")
    SENT = "SENT", _("Enviado")
    FAILED = "FAILED", _("No entregado")


class EmailDelivery(TenantOwned):
    """One e-mail of a document for one occasion, unique in the database.

    `message_id` is the same in every attempt, so that a mail server that saw the message already
    (a crash inside SMTP) can tell the second from the first.
    """

    owner = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="deliveries")
    occasion = models.CharField(_("ocasión"), max_length=60)
    to = models.JSONField(_("para"), default=list)
    message = models.TextField(_("mensaje"), blank=True)
    message_id = models.CharField("Message-ID", max_length=200)
    state = models.CharField(
        _("estado"), max_length=7, choices=DeliveryState, default=DeliveryState.QUEUED
    )
    attempts = models.PositiveIntegerField(_("intentos"), default=0)
    next_attempt_at = models.DateTimeField(_("próximo intento"), null=True, blank=True)
    lease_expires_at = models.DateTimeField(_("reserva hasta"), null=True, blank=True)
    error = models.TextField(_("error"), blank=True)
    sent_at = models.DateTimeField(_("enviado"), null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("correo")
        verbose_name_plural = _("correos")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "occasion"], name="one_email_per_document_and_occasion"
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="emails_due",
            ),
            models.Index(
                fields=["lease_expires_at"],
                condition=Q(lease_expires_at__isnull=False),
                name="emails_in_flight",
            ),
            models.Index(fields=["-id"], condition=Q(state="FAILED"), name="emails_undelivered"),
        ]

    def __str__(self) -> str:
        return f"{self.occasion}: {', '.join(self.to)}"
