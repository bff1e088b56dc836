"""The DGI's code lists (ficha técnica v1.00): code -> name.

Names are Spanish, as documents show them; those that staff read are marked for translation. A
mapping's keys have the type the wire wants:
strings with their leading zero where the DGI writes digits as text, integers elsewhere.
All mappings are read-only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Final, Self


def gettext_noop(name: str) -> str:
    """Marks a name for translation, which whoever shows it looks up: this package has no Django."""
    return name


class Environment(IntEnum):
    """Where a document counts (``iAmb``); part of the CUFE."""

    PRODUCTION = 1
    TEST = 2


class ReceiverType(StrEnum):
    """Who receives the document (``iTipoRec``): the API's word, the DGI's code, its label."""

    code: str
    label: str

    def __new__(cls, value: str, code: str, label: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.code = code
        member.label = label
        return member

    CONTRIBUYENTE = "CONTRIBUYENTE", "01", gettext_noop("Contribuyente")
    CONSUMIDOR_FINAL = "CONSUMIDOR_FINAL", "02", gettext_noop("Consumidor final")
    GOBIERNO = "GOBIERNO", "03", gettext_noop("Gobierno")
    EXTRANJERO = "EXTRANJERO", "04", gettext_noop("Extranjero")


class PaymentTime(StrEnum):
    """When the document is paid (``iPzPag``): the API's word and the DGI's code."""

    code: int

    def __new__(cls, value: str, code: int) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.code = code
        return member

    IMMEDIATE = "IMMEDIATE", 1
    CREDIT = "CREDIT", 2
    MIXED = "MIXED", 3


@dataclass(frozen=True)
class RetentionCode:
    """A reason to withhold ITBMS.

    ``percent`` is the part of the document's ITBMS that is withheld, 0 to 100; None where the
    amount is agreed case by case and has to be given.
    """

    code: str
    name: str
    percent: Decimal | None


ITBMS_RATES: Final[Mapping[str, Decimal]] = MappingProxyType(
    {
        "00": Decimal("0.00"),
        "01": Decimal("0.07"),
        "02": Decimal("0.10"),
        "03": Decimal("0.15"),
    }
)

ITBMS_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "00": gettext_noop("Exento (0 %)"),
        "01": gettext_noop("ITBMS 7 %"),
        "02": gettext_noop("ITBMS 10 %"),
        "03": gettext_noop("ITBMS 15 %"),
    }
)

DOCUMENT_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "01": gettext_noop("Factura de operación interna"),
        "02": gettext_noop("Factura de importación"),
        "03": gettext_noop("Factura de exportación"),
        "04": gettext_noop("Nota de crédito referente a una FE"),
        "05": gettext_noop("Nota de débito referente a una FE"),
        "06": gettext_noop("Nota de crédito genérica"),
        "07": gettext_noop("Nota de débito genérica"),
        "08": gettext_noop("Factura de zona franca"),
        "09": gettext_noop("Reembolso"),
        "10": gettext_noop("Factura de operación extranjera"),
    }
)

NATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "01": "Venta",
        "02": "Exportación",
        "03": "Reexportación",
        "04": "Venta de fuente extranjera",
        "10": "Transferencia",
        "11": "Devolución",
        "12": "Consignación",
        "13": "Remesa",
        "14": "Entrega gratuita",
        "20": "Compra",
        "21": "Importación",
    }
)

DESTINATIONS: Final[Mapping[int, str]] = MappingProxyType({1: "Panamá", 2: "Extranjero"})

SALE_TYPES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "Venta de giro del negocio",
        2: "Venta de activo fijo",
        3: "Venta de bienes raíces",
        4: "Prestación de servicio",
    }
)

ISSUE_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "01": "Autorización de uso previa, operación normal",
        "02": "Autorización de uso previa, operación en contingencia",
        "03": "Autorización de uso posterior, operación normal",
        "04": "Autorización de uso posterior, operación en contingencia",
    }
)

PAYMENT_TIMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        PaymentTime.IMMEDIATE.code: gettext_noop("Inmediato"),
        PaymentTime.CREDIT.code: gettext_noop("Plazo"),
        PaymentTime.MIXED.code: gettext_noop("Mixto"),
    }
)

METHOD_CREDIT: Final = "01"
METHOD_CASH: Final = "02"
METHOD_OTHER: Final = "99"

PAYMENT_METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        METHOD_CREDIT: gettext_noop("Crédito"),
        METHOD_CASH: gettext_noop("Efectivo"),
        "03": gettext_noop("Tarjeta de crédito"),
        "04": gettext_noop("Tarjeta de débito"),
        "05": gettext_noop("Tarjeta de fidelización"),
        "06": gettext_noop("Vale"),
        "07": gettext_noop("Tarjeta de regalo"),
        "08": gettext_noop("Transferencia o depósito a cuenta bancaria"),
        "09": gettext_noop("Cheque"),
        "10": gettext_noop("Punto de pago"),
        METHOD_OTHER: gettext_noop("Otro"),
    }
)

RETENTION_CODES: Final[Mapping[str, RetentionCode]] = MappingProxyType(
    {
        entry.code: entry
        for entry in (
            RetentionCode(
                "1", gettext_noop("Pago por servicio profesional al Estado"), Decimal(100)
            ),
            RetentionCode(
                "2", gettext_noop("Pago por venta de bienes o servicios al Estado"), Decimal(50)
            ),
            RetentionCode("3", gettext_noop("Pago o acreditación a no domiciliado"), Decimal(100)),
            RetentionCode(
                "4",
                gettext_noop("Pago o acreditación por compra de bienes o servicios"),
                Decimal(50),
            ),
            RetentionCode("7", gettext_noop("Pago a comercio afiliado a tarjetas"), Decimal(50)),
            RetentionCode("8", gettext_noop("Otros"), None),
        )
    }
)

OTHER_TAXES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "01": "SUME 911",
        "02": "Tasa de portabilidad numérica",
        "03": "Impuesto sobre seguros (5 %)",
        "04": "Impuesto sobre seguros de autos, ATTT (1 %)",
        "05": "Tasa de salida del aeropuerto (FZ)",
        "06": "Cargo de incentivo al desarrollo del aeropuerto (F3)",
        "07": "Cargo de seguridad del aeropuerto (AH)",
        "08": "Otros cargos (XT)",
        "09": "Combustible (YQ)",
        "10": "FECI",
        "11": "Intereses",
    }
)

INCOTERMS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "EXW": "En fábrica",
        "FCA": "Franco transportista",
        "CPT": "Transporte pagado hasta",
        "CIP": "Transporte y seguro pagados hasta",
        "DAP": "Entregada en lugar",
        "DPU": "Entregada en lugar descargada",
        "DDP": "Entregada con derechos pagados",
        "FAS": "Franco al costado del buque",
        "FOB": "Franco a bordo",
        "CFR": "Costo y flete",
        "CIF": "Costo, seguro y flete",
    }
)

# The units in daily use, for when the PAC's own catalogue cannot be read. The spelling, capitals
# included, is the DGI's: "Caja" is a code, "caja" is not.
UNITS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "und": "Unidad",
        "Docena": "Docena",
        "Decena": "Decena",
        "Ciento": "Ciento",
        "Caja": "Caja",
        "Bolso": "Bolso",
        "Cesta": "Cesta",
        "Barril": "Barril",
        "Bobina": "Bobina",
        "Grupo": "Grupo",
        "Persona": "Persona",
        "Cabeza": "Cabeza de animal",
        "Actividad": "Actividad",
        "Visita": "Visita",
        "Viaje": "Viaje",
        "Hora": "Hora",
        "Min": "Minuto",
        "Dia": "Día",
        "Semana": "Semana",
        "Mes": "Mes",
        "Ano": "Año",
        "mg": "Miligramo",
        "g": "Gramo",
        "kg": "Kilogramo",
        "t": "Tonelada métrica",
        "ton": "Tonelada corta",
        "oz": "Onza",
        "lb": "Libra",
        "ml": "Mililitro",
        "l": "Litro",
        "m3": "Metro cúbico",
        "fl oz": "Onza líquida",
        "gal": "Galón",
        "Ft3": "Pie cúbico",
        "yd3": "Yarda cúbica",
        "mm": "Milímetro",
        "cm": "Centímetro",
        "m": "Metro",
        "km": "Kilómetro",
        "in": "Pulgada",
        "ft": "Pie",
        "yd": "Yarda",
        "cm2": "Centímetro cuadrado",
        "m2": "Metro cuadrado",
        "ha": "Hectárea",
        "Ft2": "Pie cuadrado",
        "yd2": "Yarda cuadrada",
        "kW": "Kilovatio",
        "kWh": "Kilovatio hora",
        "Gbyte": "Gigabyte",
        "Llamada": "Llamada",
    }
)
