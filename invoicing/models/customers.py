"""Customers: receivers that a tenant keeps, to name them by id instead of writing them out."""

from __future__ import annotations

import unicodedata
from typing import Any

from django.db import models
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext_lazy as _

from invoicing.fiscal.draft import Receiver
from pac.dgi.codes import RETENTION_CODES, ReceiverType
from pac.dgi.ruc import RucType
from tenants.base import TenantOwned
from tenants.models import RucVerification

NAME_LENGTH = 200


class Customer(TenantOwned):
    """A receiver with a name in the tenant's own books.

    Documents copy it when they are issued: what it is called later changes no document, and it may
    be deleted when documents were issued to it.
    """

    type = models.CharField(
        _("tipo"), max_length=20, choices=[(kind.value, _(kind.label)) for kind in ReceiverType]
    )
    ruc = models.CharField("RUC", max_length=20, blank=True)
    ruc_type = models.CharField(
        _("tipo de RUC"),
        max_length=8,
        choices=[(RucType.NATURAL, _("Natural")), (RucType.JURIDICO, _("Jurídico"))],
        blank=True,
    )
    dv = models.CharField("DV", max_length=2, blank=True)
    name = models.CharField(_("nombre"), max_length=NAME_LENGTH, blank=True)
    search_name = models.CharField(max_length=NAME_LENGTH, blank=True, editable=False)
    address = models.CharField(_("dirección"), max_length=200, blank=True)
    location = models.CharField(_("ubicación"), max_length=10, blank=True)
    country = models.CharField(_("país"), max_length=2, default="PA")
    other_country = models.CharField(_("otro país"), max_length=50, blank=True)
    foreign_number = models.CharField(_("id extranjera"), max_length=50, blank=True)
    foreign_country = models.CharField(_("país de la id"), max_length=2, blank=True)
    emails = models.JSONField(_("correos"), default=list, blank=True)
    phones = models.JSONField(_("teléfonos"), default=list, blank=True)
    withholds = models.BooleanField(
        _("retiene ITBMS"),
        default=False,
        help_text=_("Sus facturas llevan un código de retención: el propio o el de aquí."),
    )
    retention_code = models.CharField(
        _("código de retención"),
        max_length=1,
        choices=[(code, _(kind.name)) for code, kind in RETENTION_CODES.items()],
        blank=True,
    )

    class Meta(TenantOwned.Meta):
        verbose_name = _("cliente")
        verbose_name_plural = _("clientes")
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "ruc", "ruc_type"],
                condition=~Q(ruc=""),
                name="customer_ruc_once_per_tenant",
            )
        ]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="customers_of_tenant"),
            # Beginnings of texts, whatever the database's collation; across tenants for the admin.
            models.Index(
                fields=["search_name", "tenant"],
                opclasses=["varchar_pattern_ops", "uuid_ops"],
                name="customers_by_name",
            ),
            models.Index(
                fields=["ruc", "tenant"],
                opclasses=["varchar_pattern_ops", "uuid_ops"],
                name="customers_by_ruc",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.ruc or self.get_type_display()

    def save(self, *args: Any, **options: Any) -> None:
        self.search_name = searchable(self.name)
        super().save(*args, **options)

    @property
    def receiver(self) -> Receiver:
        """What is copied onto a document."""
        names = Receiver.__dataclass_fields__
        return Receiver(
            **{name: getattr(self, name) for name in names} | {"ruc_type": self.ruc_type or None}
        )


def searchable(text: str) -> str:
    """A name as it is searched for: accents and capitals make no difference."""
    decomposed = unicodedata.normalize("NFKD", text.strip())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return plain.casefold()[:NAME_LENGTH]


def beginning_with(customers: QuerySet[Customer], text: str) -> QuerySet[Customer]:
    """Those whose name or RUC begins with `text`."""
    by_ruc = Q(ruc__startswith=text.strip().upper())
    return customers.filter(Q(search_name__startswith=searchable(text)) | by_ruc)


def with_verification(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """Adds `ruc_verified_at`: when the PAC last said that the RUC exists, or None."""
    found = RucVerification.objects.filter(
        ruc=OuterRef("ruc"), ruc_type=OuterRef("ruc_type"), exists=True
    )
    return customers.annotate(ruc_verified_at=Subquery(found.values("verified_at")[:1]))
