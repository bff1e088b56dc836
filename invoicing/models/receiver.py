"""The receiver's data, copied onto the document at issue."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from invoicing.fiscal.draft import Receiver


class ReceiverColumns(models.Model):
    """A receiver's columns. They are a copy: what a customer is called later changes no invoice."""

    receiver_type = models.CharField(_("tipo de receptor"), max_length=20)
    receiver_ruc = models.CharField(_("RUC del receptor"), max_length=20, blank=True)
    receiver_ruc_type = models.CharField(_("tipo de RUC"), max_length=8, blank=True)
    receiver_dv = models.CharField("DV", max_length=2, blank=True)
    receiver_name = models.CharField(_("receptor"), max_length=200, blank=True)
    receiver_address = models.CharField(_("dirección"), max_length=200, blank=True)
    receiver_location = models.CharField(_("ubicación"), max_length=10, blank=True)
    receiver_country = models.CharField(_("país"), max_length=2)
    receiver_other_country = models.CharField(_("otro país"), max_length=50, blank=True)
    receiver_foreign_number = models.CharField(_("id extranjera"), max_length=50, blank=True)
    receiver_foreign_country = models.CharField(_("país de la id"), max_length=2, blank=True)
    receiver_emails = models.JSONField(_("correos"), default=list, blank=True)
    receiver_phones = models.JSONField(_("teléfonos"), default=list, blank=True)

    class Meta:
        abstract = True

    def receiver_copy(self) -> Receiver:
        return Receiver(
            **{name: getattr(self, f"receiver_{name}") for name in Receiver.__dataclass_fields__}
            | {"ruc_type": self.receiver_ruc_type or None}
        )


def receiver_columns(receiver: Receiver) -> dict[str, object]:
    """The columns that a receiver fills, by name."""
    columns = {
        f"receiver_{name}": getattr(receiver, name) for name in Receiver.__dataclass_fields__
    }
    return columns | {"receiver_ruc_type": receiver.ruc_type or ""}
