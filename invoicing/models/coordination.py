"""What processes agree on through the database: leases, breakers, idempotency."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.base import TenantOwned


class PumpLease(models.Model):
    """One pump a cluster and role. Its renewal is the worker's heartbeat."""

    name = models.CharField(_("nombre"), max_length=200, primary_key=True)
    role = models.CharField(_("papel"), max_length=20)
    holder = models.CharField(_("quién"), max_length=40)
    renewed_at = models.DateTimeField(_("última señal"))
    expires_at = models.DateTimeField(_("vence"))

    class Meta:
        verbose_name = _("señal del trabajador")
        verbose_name_plural = _("señales de los trabajadores")

    def __str__(self) -> str:
        return self.name


class Breaker(models.Model):
    """The circuit breaker of one PAC token: open while `retry_at` lies ahead."""

    key = models.CharField(_("clave"), max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(_("fallos seguidos"), default=0)
    retry_at = models.DateTimeField(_("próxima prueba"), null=True, blank=True)
    reason = models.TextField(_("motivo"), blank=True)

    class Meta:
        verbose_name = _("corte del PAC")
        verbose_name_plural = _("cortes del PAC")

    def __str__(self) -> str:
        return f"{self.key[:8]}: {self.failures}"


class IdempotencyRecord(TenantOwned):
    """The answer that a key got, kept for 24 hours; written in the commit that earned it.

    Where the work cannot be one commit (it calls the PAC), the row is a claim first, without an
    answer: the key is in progress until `lease_expires_at`, then whoever comes next takes it over.
    """

    key = models.CharField(_("clave"), max_length=255)
    fingerprint = models.CharField(_("huella"), max_length=64)
    status_code = models.PositiveSmallIntegerField(_("respuesta"), null=True)
    answer = models.TextField(_("cuerpo"), blank=True)  # JSON as it was sent, to the byte
    lease_expires_at = models.DateTimeField(_("reserva hasta"), null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("clave de idempotencia")
        verbose_name_plural = _("claves de idempotencia")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "key"], name="idempotency_key_once_per_tenant"
            )
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return self.key


class FeedEnd(TenantOwned):
    """The last place given in a tenant's feed. Its lock is the one hand that gives them."""

    last = models.PositiveBigIntegerField(_("último lugar"), default=0)

    class Meta(TenantOwned.Meta):
        verbose_name = _("fin de la lista de sucesos")
        verbose_name_plural = _("fines de las listas de sucesos")
        constraints = [models.UniqueConstraint(fields=["tenant"], name="one_feed_a_tenant")]

    def __str__(self) -> str:
        return f"{self.tenant_id}: {self.last}"
