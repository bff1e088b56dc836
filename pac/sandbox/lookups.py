"""What the PAC looks up for its clients: RUCs and the DGI's catalogues."""

from pac.dgi import codes, extracts
from pac.dgi.ruc import MalformedRuc, RucForm, RucType, parse
from pac.sandbox.options import Options
from pac.sandbox.wire import ApiError, Request, Response

NO_SUCH_RUC = "155000000-2-2000"
"""A well-formed juridical RUC that nobody has; the option `unknown_rucs` adds more."""
NO_TAXPAYER = "8-888-8888"
"""A well-formed cédula whose holder is no taxpayer: a final consumer."""

RUC_TYPES = {
    "NATURAL": RucType.NATURAL,
    "1": RucType.NATURAL,
    "JURIDICO": RucType.JURIDICO,
    "2": RucType.JURIDICO,
}

CATALOGUES: dict[str, dict[str, str]] = {
    "countries": {
        "PA": "Panamá", "CO": "Colombia", "CR": "Costa Rica", "ES": "España",
        "US": "Estados Unidos", "MX": "México", "VE": "Venezuela", "ZZ": "Otro",
    },
    "provinces": dict(extracts.PROVINCES),
    "districts": {"8-8": "Panamá", "8-10": "San Miguelito", "4-6": "David"},
    "corrections": {
        "8-8-1": "San Felipe", "8-8-2": "El Chorrillo", "8-8-3": "Santa Ana",
        "8-8-4": "La Exposición o Calidonia", "8-8-5": "Curundú", "8-8-6": "Betania",
        "8-8-7": "Bella Vista", "8-8-8": "Pueblo Nuevo", "8-8-9": "San Francisco",
        "8-8-10": "Parque Lefevre", "8-8-11": "Río Abajo",
    },
    "locations": {
        "8-8-7": "Panamá, Panamá, Bella Vista",
        "8-8-9": "Panamá, Panamá, San Francisco",
        "8-8-11": "Panamá, Panamá, Río Abajo",
    },
    "measurement-units": dict(codes.UNITS),
    "goods-and-services": {
        "2612": "Alambres, cables y arneses",
        "4321": "Equipo informático y accesorios",
        "7215": "Servicios de mantenimiento y construcción de comercio especializado",
        "8111": "Servicios informáticos",
    },
}  # fmt: skip
"""Extracts of the DGI's catalogues: enough to try a client with."""


class Lookups:
    """Calls that change nothing and belong to no company."""

    def __init__(self, options: Options) -> None:
        self._options = options

    def exists(self, ruc: str) -> bool:
        """Whether the DGI knows this well-formed RUC."""
        return ruc != NO_SUCH_RUC and ruc not in self._options.unknown_rucs

    def check_digit(self, request: Request) -> Response:
        ruc_type = RUC_TYPES.get(request.query.get("type", ""))
        if ruc_type is None:
            raise ApiError.because(400, "type must be NATURAL or JURIDICO")
        try:
            ruc = parse(request.query.get("ruc", ""), ruc_type)
        except MalformedRuc:
            raise ApiError.because(400, "The RUC is malformed") from None
        if not self.exists(ruc.text):
            raise ApiError.because(400, "The RUC does not exist")
        if ruc.form is RucForm.NT:
            receiver = "GOBIERNO"
        else:
            receiver = "CONSUMIDOR_FINAL" if ruc.text == NO_TAXPAYER else "CONTRIBUYENTE"
        return Response(200, {"checkDigit": ruc.dv, "receiver": receiver, "type": ruc_type.value})

    def catalogue(self, request: Request, name: str) -> Response:
        if name not in CATALOGUES:
            raise ApiError.because(404, "Not found")
        entries = CATALOGUES[name].items()
        return Response(200, [{"code": code, "name": label} for code, label in entries])
