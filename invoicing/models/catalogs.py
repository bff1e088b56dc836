"""The DGI's catalogues as the PAC lists them."""

from django.db import models


class PacCatalog(models.TextChoices):
    """The PAC's lists, by the names it has for them."""

    COUNTRIES = "countries", "Países"
    PROVINCES = "provinces", "Provincias y comarcas"
    DISTRICTS = "districts", "Distritos"
    CORREGIMIENTOS = "corrections", "Corregimientos"
    LOCATIONS = "locations", "Ubicaciones"
    UNITS = "measurement-units", "Unidades de medida"
    CPBS = "goods-and-services", "Bienes y servicios (CPBS)"


class CatalogEntry(models.Model):
    """One code and its name, as the PAC had them at the last synchronisation.

    The DGI's lists are the same for every tenant, so these rows belong to none.
    """

    catalog = models.CharField("catálogo", max_length=20, choices=PacCatalog)
    code = models.CharField("código", max_length=50)
    name = models.TextField("nombre", blank=True)

    class Meta:
        verbose_name = "entrada de catálogo"
        verbose_name_plural = "entradas de catálogos"
        constraints = [
            models.UniqueConstraint(fields=["catalog", "code"], name="code_once_per_catalog")
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
