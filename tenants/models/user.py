from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.base import new_id


class User(AbstractUser):
    """A person who signs in to the admin: the operator's staff, or bound to one tenant."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(
        "tenants.Tenant",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("contribuyente"),
        help_text=_("Vacío: personal del operador, ve a todos los contribuyentes."),
    )

    class Meta(AbstractUser.Meta):
        verbose_name = _("usuario")  # type: ignore[assignment]
        verbose_name_plural = _("usuarios")  # type: ignore[assignment]
