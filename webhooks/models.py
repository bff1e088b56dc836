from django.db import models

from tenants.base import TenantOwned


class InboxState(models.TextChoices):
    WAITING = "WAITING", "Por atender"
    MATCHED = "MATCHED", "Atendido"
    UNMATCHED = "UNMATCHED", "Sin documento"


class PacDelivery(TenantOwned):
    """A webhook as the PAC delivered it, word for word. A hint, never a truth."""

    body = models.TextField("cuerpo")
    digest = models.CharField("huella", max_length=64)
    state = models.CharField("estado", max_length=9, choices=InboxState, default=InboxState.WAITING)
    tries = models.PositiveSmallIntegerField("intentos", default=0)
    next_try_at = models.DateTimeField("próximo intento", null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "webhook recibido"
        verbose_name_plural = "webhooks recibidos"
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
        return f"{self.created_at:%Y-%m-%d %H:%M:%S} {self.state}"
