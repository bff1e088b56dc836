from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Document
from tenants.base import TenantOwned


class CreditApplication(TenantOwned):
    """A part of a generic credit note (06) that was set against an invoice, in B/.

    A note that references its invoice (04) needs none: it counts by itself.
    """

    credit_note = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="applications")
    invoice = models.ForeignKey(Document, on_delete=models.PROTECT, related_name="applied_credits")
    amount = models.DecimalField(_("monto"), max_digits=18, decimal_places=2)

    class Meta(TenantOwned.Meta):
        verbose_name = _("crédito aplicado")
        verbose_name_plural = _("créditos aplicados")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="application_is_above_zero")
        ]

    def __str__(self) -> str:
        return f"B/.{self.amount}"
