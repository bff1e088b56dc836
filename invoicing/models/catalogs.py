"""The DGI's catalogues as the PAC lists them."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class PacCatalog(models.TextChoices):
    """The PAC's lists, by the names it has for them."""

    COUNTRIES = "countries", _("Países")
    PROVINCES = "provinces", _("Provincias y comarcas")
    DISTRICTS = "districts", _("Distritos")
    CORREGIMIENTOS = "corrections", _("Corregimientos")
    LOCATIONS = "locations", _("Ubicaciones")
    UNITS = "measurement-units", _("Unidades de medida")
    CPBS = "goods-and-services", _("Bienes y servicios (CPBS)")


class CatalogEntry(models.Model):
    """One code and its name, as the PAC had them at the last synchronisation.

    The DGI's lists are the same for every tenant, so these rows belong to none.
    """

    catalog = models.CharField(_("catálogo"), max_length=20, choices=PacCatalog)
    code = models.CharField(_("código"), max_length=50)
    name = models.TextField(_("nombre"), blank=True)

    class Meta:
        verbose_name = _("entrada de catálogo")
        verbose_name_plural = _("entradas de catálogos")
        constraints = [
            models.UniqueConstraint(fields=["catalog", "code"], name="code_once_per_catalog")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
