from django.contrib.auth.models import AbstractUser
from django.db import models

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
        verbose_name="contribuyente",
        help_text="Vacío: personal del operador, ve a todos los contribuyentes.",
    )

    class Meta(AbstractUser.Meta):
        verbose_name = "usuario"
        verbose_name_plural = "usuarios"
