from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Document
from tenants.base import TenantOwned


class FileKind(models.TextChoices):
    PDF = "PDF", "PDF"
    XML = "XML", "XML"


class File(TenantOwned):
    """A stored file of a document: the PAC's signed PDF, or our own page of a proforma."""

    owner = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="files")
    kind = models.CharField(_("clase"), max_length=3, choices=FileKind)
    name = models.CharField(_("nombre"), max_length=100)
    content = models.FileField(_("archivo"), max_length=300)
    size = models.PositiveIntegerField("bytes")
    sha256 = models.CharField("SHA-256", max_length=64)

    class Meta(TenantOwned.Meta):
        verbose_name = _("archivo")
        verbose_name_plural = _("archivos")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "owner", "kind", "name"],
                name="file_once_per_document_and_name",
            )
        ]

    def __str__(self) -> str:
        return self.name
