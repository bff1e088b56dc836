from django.core.validators import RegexValidator
from django.db import models

from tenants.base import TenantOwned
from tenants.models.pac_twin import PacTwin

OFFICE_TYPES = [("main", "Principal"), ("associated", "Asociada")]


class Office(PacTwin, TenantOwned):
    """A branch (sucursal) of a tenant; its code is part of every CUFE issued there."""

    code = models.CharField("código", max_length=4, validators=[RegexValidator(r"^[0-9]{4}$")])
    type = models.CharField(
        "tipo",
        max_length=10,
        choices=OFFICE_TYPES,
        default="main",
    )
    coordinates = models.CharField("coordenadas", max_length=40)
    address = models.CharField("dirección", max_length=100)
    telephone = models.CharField("teléfono", max_length=12)
    location = models.CharField(
        "ubicación", max_length=10, help_text="Provincia-distrito-corregimiento, p. ej. 8-8-11."
    )
    email = models.EmailField("correo", max_length=50, blank=True)
    pac_office_id = models.CharField("id en el PAC", max_length=26, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = "sucursal"
        verbose_name_plural = "sucursales"
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="office_code_once_per_tenant")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.address}"


class SeriesKind(models.TextChoices):
    """Fiscal numbers and a proforma's own numbers never mix."""

    DGI = "DGI", "DGI"
    PROFORM = "PROFORM", "Proforma"


class NumberSeries(TenantOwned):
    """The numbers of one office, billing point and DGI document type: gapless, never restarted."""

    office = models.ForeignKey(Office, on_delete=models.PROTECT, verbose_name="sucursal")
    billing_point = models.CharField(
        "punto de facturación", max_length=3, validators=[RegexValidator(r"^(?!000)[0-9]{3}$")]
    )
    kind = models.CharField("clase", max_length=7, choices=SeriesKind, default=SeriesKind.DGI)
    dgi_document_type = models.CharField("tipo de documento de la DGI", max_length=2)
    last_number = models.PositiveBigIntegerField(
        "último número",
        default=0,
        help_text="El próximo documento lleva el siguiente. Nunca se baja.",
    )

    class Meta(TenantOwned.Meta):
        verbose_name = "serie de numeración"
        verbose_name_plural = "series de numeración"
        ordering = ["office", "billing_point", "dgi_document_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "office", "billing_point", "kind", "dgi_document_type"],
                name="one_series_per_office_point_kind_and_type",
            ),
            models.CheckConstraint(
                condition=models.Q(last_number__lte=9_999_999_999),
                name="number_has_at_most_ten_digits",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office.code}-{self.billing_point}-{self.dgi_document_type} ({self.kind})"
