from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.base import TenantOwned
from tenants.models.pac_twin import PacTwin

OFFICE_TYPES = [("main", _("Principal")), ("associated", _("Asociada"))]


class Office(PacTwin, TenantOwned):
    """A branch (sucursal) of a tenant; its code is part of every CUFE issued there."""

    code = models.CharField(_("código"), max_length=4, validators=[RegexValidator(r"^[0-9]{4}$")])
    type = models.CharField(
        _("tipo"),
        max_length=10,
        choices=OFFICE_TYPES,
        default="main",
    )
    coordinates = models.CharField(_("coordenadas"), max_length=40)
    address = models.CharField(_("dirección"), max_length=100)
    telephone = models.CharField(_("teléfono"), max_length=12)
    location = models.CharField(
        _("ubicación"),
        max_length=10,
        help_text=_("Provincia-distrito-corregimiento, p. ej. 8-8-11."),
    )
    email = models.EmailField(_("correo"), max_length=50, blank=True)
    pac_office_id = models.CharField(_("id en el PAC"), max_length=26, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("sucursal")
        verbose_name_plural = _("sucursales")
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "code"], name="office_code_once_per_tenant")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.address}"


class SeriesKind(models.TextChoices):
    """Fiscal numbers and a proforma's own numbers never mix."""

    DGI = "DGI", "DGI"
    PROFORM = "PROFORM", _("Proforma")


class NumberSeries(TenantOwned):
    """The numbers of one office, billing point and DGI document type: gapless, never restarted."""

    office = models.ForeignKey(Office, on_delete=models.PROTECT, verbose_name=_("sucursal"))
    billing_point = models.CharField(
        _("punto de facturación"), max_length=3, validators=[RegexValidator(r"^(?!000)[0-9]{3}$")]
    )
    kind = models.CharField(_("clase"), max_length=7, choices=SeriesKind, default=SeriesKind.DGI)
    dgi_document_type = models.CharField(_("tipo de documento de la DGI"), max_length=2)
    last_number = models.PositiveBigIntegerField(
        _("último número"),
        default=0,
        help_text=_("El próximo documento lleva el siguiente. Nunca se baja."),
    )

    class Meta(TenantOwned.Meta):
        verbose_name = _("serie de numeración")
        verbose_name_plural = _("series de numeración")
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
