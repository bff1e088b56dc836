from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from invoicing.models.documents import Document
from tenants.base import TenantOwned


class Payment(TenantOwned):
    """Money received for a document, in B/. What is not sold on credit is one at issue."""

    owner = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="payments")
    amount = models.DecimalField(_("monto"), max_digits=18, decimal_places=2)
    method = models.CharField(_("forma de pago"), max_length=2)
    paid_at = models.DateTimeField(_("pagado"))
    reference = models.CharField(_("referencia"), max_length=100, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("pago")
        verbose_name_plural = _("pagos")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_is_above_zero")
        ]

    def __str__(self) -> str:
        return f"B/.{self.amount}"
