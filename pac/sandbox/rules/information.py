"""Rules about a document's header: numbers, dates, document type, destination."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pac.dgi.calendar import add_business_days, panama_date
from pac.sandbox.wire import Problem

WITH_EXPORTATION = ("02", "03")
EXPORT = "03"
INTERNAL = "01"
ABROAD = 2
NOTES_OF_AN_INVOICE = ("04", "05")
NOTES = ("04", "05", "06", "07")
IN_CONTINGENCY = ("02", "04")
BUSINESS_DAYS_AHEAD = 2

PATH = "instance.information"


def numbers(payload: dict[str, Any]) -> Iterator[Problem]:
    """Number from 1, billing point not 000, a security code that is not predictable."""
    header = payload["information"]
    if int(header["numeration"]) == 0:
        yield Problem("1512", "Número del documento fiscal inválido", f"{PATH}.numeration")
    if int(header["billingPoint"]) == 0:
        message = "Punto de Facturación del documento fiscal inválida"
        yield Problem("1515", message, f"{PATH}.billingPoint")
    security_code = int(header["securityCode"])
    if security_code in (0, int(header["numeration"])):
        yield Problem("1517", "Código de seguridad inválido", f"{PATH}.securityCode")


def contingency(payload: dict[str, Any]) -> Iterator[Problem]:
    """Its start and its reason are given in contingency, and only there."""
    header = payload["information"]
    wanted = header["issueType"] in IN_CONTINGENCY
    for name, code in (("contingencyDate", "1506"), ("contingencyReason", "1509")):
        if wanted and name not in header:
            yield Problem(code, f'{PATH} requires property "{name}"', f"{PATH}.{name}")
        if not wanted and name in header:
            message = f"{PATH}.{name} is not allowed when issueType is {header['issueType']}"
            yield Problem("1503", message, f"{PATH}.{name}")
    if wanted and header.get("contingencyDate", "") > header["issueDate"]:
        message = "Fecha de inicio de la contingencia posterior a la fecha de emisión de la FE"
        yield Problem("1507", message, f"{PATH}.contingencyDate")


def destination(payload: dict[str, Any]) -> Iterator[Problem]:
    """Internal invoices stay in Panama, exports leave it, and the receiver's country agrees."""
    header, receiver = payload["information"], payload["receiver"]
    abroad = header["destination"] == ABROAD
    document_type = header["documentType"]
    field = f"{PATH}.destination"
    if document_type == EXPORT and not abroad:
        message = "El destino de la operación no puede ser Panamá si es Exportación"
        yield Problem("1533", message, field)
    if document_type == INTERNAL and abroad:
        message = "El destino no puede ser Extranjero si es Factura de Operación Interna"
        yield Problem("1534", message, field)
    if document_type == EXPORT and receiver["type"] != "04":
        message = "No fue informado tipo de receptor Extranjero con tipo de documento Exportación"
        yield Problem("1620", message, "instance.receiver.type")
    if abroad and receiver["country"] == "PA":
        message = "País del receptor no puede ser Panamá si el destino es el extranjero"
        yield Problem("1612", message, "instance.receiver.country")
    if not abroad and receiver["country"] != "PA":
        message = "País del receptor debe ser Panamá si el destino de la operación es Panamá"
        yield Problem("1611", message, "instance.receiver.country")


def exportation(payload: dict[str, Any]) -> Iterator[Problem]:
    """The exportation group goes with imports and exports, and with nothing else."""
    wanted = payload["information"]["documentType"] in WITH_EXPORTATION
    if wanted and "exportation" not in payload:
        message = 'instance requires property "exportation"'
        yield Problem("1651", message, "instance.exportation")
    if not wanted and "exportation" in payload:
        message = "Grupo de Datos de Facturas en Caso de Exportación informado en otra operación"
        yield Problem("1650", message, "instance.exportation")


def note(payload: dict[str, Any]) -> Iterator[Problem]:
    """Notes of an e-invoice say why and what they amend; no other document refers to any."""
    document_type = payload["information"]["documentType"]
    of_an_invoice = document_type in NOTES_OF_AN_INVOICE
    if of_an_invoice and "modificationCode" not in payload["information"]:
        message = f'{PATH} requires property "modificationCode"'
        yield Problem("VALIDATION", message, f"{PATH}.modificationCode")
    if of_an_invoice and "referencedDocuments" not in payload:
        message = 'instance requires property "referencedDocuments"'
        yield Problem("1705", message, "instance.referencedDocuments")
    if not of_an_invoice and "referencedDocuments" in payload:
        generic = document_type in NOTES
        message = f"Documento de tipo {document_type} referenciando una FE"
        yield Problem("1706" if generic else "1708", message, "instance.referencedDocuments")


def issue_date(payload: dict[str, Any], now: datetime) -> Iterator[Problem]:
    """At most two business days ahead of today in Panama."""
    issued = datetime.fromisoformat(payload["information"]["issueDate"])
    if panama_date(issued) > add_business_days(panama_date(now), BUSINESS_DAYS_AHEAD):
        message = "Fecha de emisión muy alejada en el futuro"
        yield Problem("1520", message, f"{PATH}.issueDate")
