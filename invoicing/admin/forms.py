"""What an action on a document asks for before it is done."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

ADDRESSES_AT_MOST = 10
ADDRESS_LENGTH = 100


def _area(rows: int) -> UnfoldAdminTextareaWidget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows})


class ReasonForm(forms.Form):
    """Why it is done; kept in the document's history. May be left empty."""

    reason = forms.CharField(
        label=_("Por qué"), required=False, max_length=1000, widget=_area(3), strip=True
    )


class NeededReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Por qué"), min_length=5, max_length=1000, widget=_area(3), strip=True
    )


class VoidForm(forms.Form):
    """The DGI takes a reason of 15 to 1000 characters."""

    reason = forms.CharField(
        label=_("Motivo de la anulación"),
        min_length=15,
        max_length=1000,
        widget=_area(3),
        strip=True,
        help_text=_("De 15 a 1000 caracteres; lo recibe la DGI."),
    )


class EmailForm(forms.Form):
    to = forms.CharField(
        label=_("Para"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Hasta diez direcciones, separadas por comas. Vacío: las del documento."),
    )
    message = forms.CharField(
        label=_("Mensaje"), required=False, max_length=2000, widget=_area(4), strip=True
    )
    # Names this one sending, so that a second click does not send it twice.
    sending = forms.UUIDField(widget=forms.HiddenInput)

    def clean_to(self) -> list[str]:
        text = str(self.cleaned_data["to"]).replace(";", ",").replace("\n", ",")
        addresses = [address.strip() for address in text.split(",") if address.strip()]
        if len(addresses) > ADDRESSES_AT_MOST:
            raise ValidationError(_("Diez direcciones a lo sumo."))
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError as error:
                raise ValidationError(
                    _("«%(address)s» no es una dirección de correo."), params={"address": address}
                ) from error
            if len(address) > ADDRESS_LENGTH:
                raise ValidationError(_("Una dirección tiene a lo sumo cien caracteres."))
        return addresses


class DecisionForm(NeededReasonForm):
    """Whether the PAC's document is ours."""

    field_order = ("decision", "reason")
    decision = forms.ChoiceField(
        label=_("Decisión"),
        choices=[
            ("adopt", _("Es el nuestro: adoptarlo")),
            ("disown", _("No es el nuestro: detenerlo")),
        ],
        widget=UnfoldAdminRadioSelectWidget,
    )


class VoidDecisionForm(NeededReasonForm):
    """Whether the document is void at the PAC, which a person has looked up there."""

    field_order = ("decision", "reason")
    decision = forms.ChoiceField(
        label=_("En el PAC"),
        choices=[("void", _("Está anulado")), ("not_void", _("No está anulado"))],
        widget=UnfoldAdminRadioSelectWidget,
    )


class PacIdForm(NeededReasonForm):
    """The id under which a person has found the document at the PAC."""

    field_order = ("document_id", "reason")
    document_id = forms.CharField(
        label=_("Id en el PAC"),
        min_length=26,
        max_length=26,
        strip=True,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("26 letras y cifras. Se adopta solo si el PAC muestra ahí nuestro CUFE."),
    )
