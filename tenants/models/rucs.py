from django.db import models
from django.utils.translation import gettext_lazy as _

from pac.dgi.codes import ReceiverType
from tenants.base import Identified


class RucVerification(Identified):
    """What the PAC last said of a RUC. The DGI's register is one for all, so no tenant owns it."""

    ruc = models.CharField("RUC", max_length=20)
    ruc_type = models.CharField(_("tipo de RUC"), max_length=8)
    exists = models.BooleanField(_("existe"))
    receiver_type = models.CharField(
        _("tipo de receptor"),
        max_length=20,
        choices=[(kind.value, kind.label) for kind in ReceiverType],
        blank=True,
    )
    verified_at = models.DateTimeField(_("verificado"))

    class Meta:
        verbose_name = _("RUC verificado")
        verbose_name_plural = _("RUC verificados")
        constraints = [
            models.UniqueConstraint(fields=["ruc", "ruc_type"], name="ruc_verified_once")
        ]

    def __str__(self) -> str:
        return f"{self.ruc} ({self.ruc_type})"
