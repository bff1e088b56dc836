from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Document, json_column
from tenants.base import TenantOwned


class VoidState(models.TextChoices):
    REQUESTED = "REQUESTED", _("Solicitada")
    ACCEPTED = "ACCEPTED", _("Aceptada")
    REFUSED = "REFUSED", _("Rechazada")


class FiscalEvent(TenantOwned):
    """A void (anulación): the event that the PAC files with the DGI about an authorised document.

    PacDocumentType 04. The document itself stays `DGI_AUTHORIZED`; what it is worth from then on,
    Cifras keeps.
    """

    document_type = "04"

    owner = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="voids")
    reason = models.CharField(_("motivo"), max_length=1000)
    state = models.CharField(
        _("estado"), max_length=9, choices=VoidState, default=VoidState.REQUESTED
    )
    requested_at = models.DateTimeField(_("solicitada"))
    settled_at = models.DateTimeField(_("resuelta"), null=True, blank=True)
    error = json_column(_("error"), null=True)
    actor = models.CharField(_("quién"), max_length=150, blank=True)

    attempts = models.PositiveIntegerField(_("intentos"), default=0)
    next_attempt_at = models.DateTimeField(_("próximo intento"), null=True, blank=True)
    lease_expires_at = models.DateTimeField(_("reserva hasta"), null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("anulación")
        verbose_name_plural = _("anulaciones")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner"],
                condition=Q(state__in=["REQUESTED", "ACCEPTED"]),
                name="one_standing_void_per_document",
            )
        ]
        indexes = [
            models.Index(
                fields=["tenant", "next_attempt_at"],
                condition=Q(next_attempt_at__isnull=False),
                name="voids_due",
            ),
            models.Index(fields=["-id"], condition=Q(state="REFUSED"), name="voids_refused"),
            models.Index(
                fields=["settled_at"],
                condition=Q(settled_at__isnull=False),
                name="voids_by_settlement",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}: {self.reason[:60]}"
