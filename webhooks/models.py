from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.base import TenantOwned


class InboxState(models.TextChoices):
    WAITING = "WAITING", _("Por atender")
    MATCHED = "MATCHED", _("Atendido")
    UNMATCHED = "UNMATCHED", _("Sin documento")


class PacDelivery(TenantOwned):
    """A webhook as the PAC delivered it, word for word. A hint, never a truth."""

    body = models.TextField(_("cuerpo"))
    digest = models.CharField(_("huella"), max_length=64)
    state = models.CharField(
        _("estado"), max_length=9, choices=InboxState, default=InboxState.WAITING
    )
    tries = models.PositiveSmallIntegerField(_("intentos"), default=0)
    next_try_at = models.DateTimeField(_("próximo intento"), null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("webhook recibido")
        verbose_name_plural = _("webhooks recibidos")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "digest"], name="delivery_once_per_content")
        ]
        indexes = [
            models.Index(
                fields=["next_try_at"],
                condition=models.Q(next_try_at__isnull=False),
                name="pac_deliveries_due",
            )
        ]

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.get_state_display()}"
