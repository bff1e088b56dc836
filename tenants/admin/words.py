"""What the services say by a code, in the words of the staff."""

from __future__ import annotations

from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pac.errors import Ambiguous, PacError, Unauthorized, Unavailable
from tenants.errors import OnboardingHalted, TenantError
from tenants.services.onboarding import Halt

Words = str | Promise

FAULTS: Mapping[str, Words] = {
    "certificate_expired": _("El certificado venció el %(day)s."),
    "certificate_missing": _("El archivo no trae ningún certificado."),
    "certificate_needed": _("El PAC lo necesita para crear la empresa."),
    "certificate_password": _(
        "El archivo no abre con la contraseña: la contraseña es otra, o el archivo no es PKCS#12 "
        "(.p12, .pfx)."
    ),
    "certificate_too_early": _("El certificado vale solo desde el %(day)s."),
    "certificate_too_large": _("El archivo pasa de 1 MiB: no es un certificado."),
    "certificate_unreadable": _(
        "El archivo está cifrado de un modo que aquí no se puede leer: expórtelo otra vez, con AES."
    ),
    "certificate_without_key": _(
        "El archivo no trae la llave privada: exporte el certificado junto con su llave."
    ),
    "choice": _("Elija uno de estos: %(choices)s."),
    "company_is_another": _("La empresa ya es %(own)s."),
    "company_taken": _("Esa empresa del PAC es la de %(other)s."),
    "coordinates": _("Grados decimales, p. ej. +9.0017832,-79.5275519."),
    "coordinates_long": _("A lo sumo %(longest)s caracteres: quite decimales."),
    "dv_wrong": _("El DV de %(ruc)s es %(dv)s, no %(given)s."),
    "form": _("%(given)s no tiene la forma debida."),
    "location": _("Provincia-distrito-corregimiento sin ceros delante, p. ej. 8-8-11."),
    "long": _("A lo sumo %(longest)s caracteres; estos son %(length)s."),
    "needed": _("Este dato hace falta."),
    "number_range": _("Los números van de 1 a %(highest)s."),
    "number_series_beyond": _(
        "Una serie nunca se baja a %(first_number)s; ya pasaron de ahí, por tipo de documento: "
        "%(reached)s."
    ),
    "office_code": _("El código de una sucursal tiene cuatro cifras, p. ej. 0001."),
    "office_needed": _("El PAC necesita una sucursal antes de que se pueda facturar."),
    "pac_id": _("Los identificadores del PAC tienen 26 letras y cifras."),
    "ruc_malformed": _(
        "No es el RUC de una persona de este tipo. Se escribe con guiones, p. ej. 155700000-2-2021 "
        "(jurídica) u 8-274-125 (natural)."
    ),
}

HALTS: Mapping[str, Words] = {
    Halt.PAC_FAILED: _("El PAC no lo hizo. Dice: «%(said)s». Puede reintentar: nada se repite."),
    Halt.NOT_ACCEPTED: _(
        "El contribuyente todavía no ha aceptado la afiliación. El PAC dice: «%(said)s». Que "
        "escanee el QR con la aplicación de la DGI y acepte; después pulse el botón otra vez."
    ),
    Halt.COMPANY_UNCLEAR: _(
        "Puede que el PAC ya tenga una empresa con este RUC, de un intento anterior, y su lista no "
        "lo aclara. Busque su id en el PAC y escríbalo en «Id de la empresa en el PAC»."
    ),
    Halt.OFFICE_UNCLEAR: _(
        "Puede que el PAC ya tenga la sucursal, de un intento anterior, y su lista no lo aclara. "
        "Busque su id en el PAC, escríbalo en la página de la sucursal y reintente."
    ),
    Halt.OTHER_COMPANY: _("La empresa con ese id en el PAC tiene otro RUC: revise el id."),
    Halt.NO_CERTIFICATES: _("Para crear la empresa, el PAC necesita los certificados."),
    Halt.NO_OFFICE: _("Faltan los datos de la sucursal."),
    Halt.ANOTHER_RUN: _(
        "Otro intento está en camino en este momento. Espere medio minuto y continúe: nada se "
        "crea dos veces."
    ),
    Halt.OUT_OF_TIME: _("El PAC tarda demasiado. Lo hecho queda hecho: continúe."),
}

ERRORS: Mapping[str, Words] = {
    "already_replaced": _("La clave nueva ya se creó y se mostró: no se vuelve a mostrar."),
    "already_suspended": _("Ya estaba suspendido."),
    "busy": _("Ocupado en este momento: repita en un momento."),
    "external_id_taken": _("La factura de prueba ya se emitió."),
    "in_progress": _(
        "Un cambio anterior puede estar todavía en camino: espere medio minuto y repita."
    ),
    "no_company": _("El PAC todavía no tiene esta empresa: termine antes la incorporación."),
    "no_webhook": _("El PAC no tiene ningún webhook de este contribuyente: no hay qué rotar."),
    "not_suspended": _("No estaba suspendido."),
    "number_series_beyond": _("Una serie nunca se baja: alguna ya pasó de ese número."),
    "production": _("En producción no se emiten facturas de prueba."),
    "revoked": _("La clave ya está revocada."),
    "tenant_not_ready": _("La incorporación no ha terminado."),
}


def fault_words(error: ValidationError) -> dict[str, list[str]]:
    """The faults of a service, by field."""
    return {
        field: [_put(FAULTS, each.code or "", each.params, str(each.message)) for each in faults]
        for field, faults in error.error_dict.items()
    }


def halt_words(halted: OnboardingHalted) -> str:
    said = halted.said or str(_("nada"))
    return _put(HALTS, halted.reason, {"said": said}, halted.message)


def kept_words(onboarding_error: str) -> str:
    """What a tenant's column keeps: the code of a halt, else the words of the PAC."""
    if onboarding_error in HALTS:
        return str(HALTS[onboarding_error])
    return _("El PAC dice: «%(said)s»") % {"said": onboarding_error} if onboarding_error else ""


def error_words(error: TenantError | PacError) -> str:
    """Any failure of a service, and what to do about it."""
    if isinstance(error, OnboardingHalted):
        return halt_words(error)
    if isinstance(error, PacError):
        return str(_pac_words(error)) % {"said": error.message}
    return _put(ERRORS, error.code, {}, error.message)


def _pac_words(error: PacError) -> Words:
    if isinstance(error, Unavailable):
        return _("El PAC no está disponible ahora. Nada cambió: repita más tarde. Dice: «%(said)s»")
    if isinstance(error, Ambiguous):
        return _("La respuesta del PAC se perdió. Repita: no hace daño. Detalle: «%(said)s»")
    if isinstance(error, Unauthorized):
        return _("El PAC no acepta el token de este contribuyente. Dice: «%(said)s»")
    return _("El PAC lo rechazó. Dice: «%(said)s»")


def _put(
    table: Mapping[str, Words], code: str, params: Mapping[str, object] | None, otherwise: str
) -> str:
    if code not in table:
        return otherwise % params if params and "%(" in otherwise else otherwise
    return str(table[code]) % (params or {})
