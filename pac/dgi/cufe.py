"""The CUFE, the 66 characters that name an electronic invoice (ficha técnica v1.00).

=========  ==  ============================================================
FE          2  constant
iDoc        2  document type
dTipoRuc    1  the issuer's RUC type: 1 natural, 2 juridical
dRuc       20  the issuer's RUC, hyphens kept, zeros on the left
dDV         3  a hyphen and the RUC's two check digits
dSucEm      4  branch, digits or letters
dFechaEm    8  issue date in Panama, AAAAMMDD
dNroDF     10  number
dPtoFacDF   3  billing point
iTpEmis     2  issue type
iAmb        1  environment
dSeg        9  security code
check       1  Luhn over the 63 characters after FE
=========  ==  ============================================================

The issuer chooses number and security code, so the CUFE is known before the document is sent.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar

from pac.dgi.codes import Environment
from pac.dgi.ruc import RucType

LENGTH: Final = 66

_PREFIX: Final = "FE"
_RUC_WIDTH: Final = 20
_BODY: Final = re.compile(r"[0-9A-Z-]{63}")
_ANATOMY: Final = re.compile(
    r"FE(?P<document_type>.{2})(?P<ruc_type>.)(?P<ruc>.{20})-(?P<dv>.{2})(?P<branch>.{4})"
    r"(?P<issued_on>.{8})(?P<number>.{10})(?P<billing_point>.{3})(?P<issue_type>.{2})"
    r"(?P<environment>.)(?P<security_code>.{9})(?P<check>.)",
    re.DOTALL,
)
_RUC_TYPES: Final = {str(ruc_type.code): ruc_type for ruc_type in RucType}
_ENVIRONMENTS: Final = {str(environment.value): environment for environment in Environment}
_FIELDS: Final = {
    "document_type": (re.compile("[0-9]{2}"), "2 digits"),
    "ruc": (
        re.compile("[1-9A-Z][0-9A-Z-]{0,19}"),
        "1 to 20 digits, capitals and hyphens, without leading zeros",
    ),
    "dv": (re.compile("[0-9]{2}"), "2 digits"),
    "branch": (re.compile("[0-9A-Z]{4}"), "4 digits or capitals"),
    "number": (re.compile("[0-9]{10}"), "10 digits"),
    "billing_point": (re.compile("[0-9]{3}"), "3 digits"),
    "issue_type": (re.compile("[0-9]{2}"), "2 digits"),
    "security_code": (re.compile("[0-9]{9}"), "9 digits"),
}
_T = TypeVar("_T")


class MalformedCufe(ValueError):
    """The text is not a CUFE, or the fields do not make one; the message says which part."""


@dataclass(frozen=True, kw_only=True)
class Cufe:
    """The fields of a CUFE; ``str()`` gives its 66 characters, check digit included.

    ``ruc`` carries no padding. Its leading zeros cannot be told from the padding, so a CUFE
    always reads back to the RUC without any; no RUC that :mod:`pac.dgi.ruc` accepts has one.
    ``issued_on`` is the date in Panama. Raises MalformedCufe for a field that does not fit;
    whether the codes exist and the DV is right is not judged here.
    """

    document_type: str
    ruc_type: RucType
    ruc: str
    dv: str
    branch: str
    issued_on: date
    number: str
    billing_point: str
    issue_type: str
    environment: int
    security_code: str

    def __post_init__(self) -> None:
        # A datetime is a date to Python, and in the evening its UTC date is not Panama's.
        if isinstance(self.issued_on, datetime):
            raise TypeError("issued_on is the date in Panama, not a moment")
        for name, (pattern, shape) in _FIELDS.items():
            value = getattr(self, name)
            if not pattern.fullmatch(value):
                raise MalformedCufe(f"{name} must be {shape}, not {value!r}")
        if self.environment not in _ENVIRONMENTS.values():
            raise MalformedCufe(f"environment must be 1 or 2, not {self.environment!r}")

    def __str__(self) -> str:
        day = self.issued_on
        body = (
            f"{self.document_type}{self.ruc_type.code}{self.ruc:0>{_RUC_WIDTH}}-{self.dv}"
            f"{self.branch}{day.year:04}{day.month:02}{day.day:02}{self.number}"
            f"{self.billing_point}{self.issue_type}{int(self.environment)}{self.security_code}"
        )
        return f"{_PREFIX}{body}{check_digit(body)}"


def build(
    *,
    document_type: str,
    ruc_type: RucType,
    ruc: str,
    dv: str,
    branch: str,
    issued_on: date,
    number: str,
    billing_point: str,
    issue_type: str,
    environment: int,
    security_code: str,
) -> str:
    """The 66 characters of these fields. Raises MalformedCufe for a field that does not fit."""
    return str(
        Cufe(
            document_type=document_type,
            ruc_type=ruc_type,
            ruc=ruc,
            dv=dv,
            branch=branch,
            issued_on=issued_on,
            number=number,
            billing_point=billing_point,
            issue_type=issue_type,
            environment=environment,
            security_code=security_code,
        )
    )


def parse(text: str) -> Cufe:
    """Take a CUFE apart; ``str(parse(text)) == text`` for whatever it accepts.

    Raises MalformedCufe for anything else: length, prefix, a field, the date, the check digit.
    """
    if len(text) != LENGTH:
        raise MalformedCufe(f"a CUFE has {LENGTH} characters, this has {len(text)}")
    if not text.startswith(_PREFIX):
        raise MalformedCufe(f"a CUFE begins with {_PREFIX}, this with {text[:2]!r}")
    anatomy = _ANATOMY.fullmatch(text)
    if anatomy is None:
        raise MalformedCufe("the RUC and its DV are not parted by a hyphen")
    part = anatomy.groupdict()
    cufe = Cufe(
        document_type=part["document_type"],
        ruc_type=_member("ruc_type", part["ruc_type"], _RUC_TYPES),
        ruc=part["ruc"].lstrip("0"),
        dv=part["dv"],
        branch=part["branch"],
        issued_on=_date(part["issued_on"]),
        number=part["number"],
        billing_point=part["billing_point"],
        issue_type=part["issue_type"],
        environment=_member("environment", part["environment"], _ENVIRONMENTS),
        security_code=part["security_code"],
    )
    expected = str(cufe)[-1]
    if part["check"] != expected:
        raise MalformedCufe(f"the check digit must be {expected}, not {part['check']!r}")
    return cufe


def check_digit(body: str) -> str:
    """The last digit of a CUFE: Luhn over the 63 characters after ``FE``.

    A character that is no digit counts as the last decimal digit of its ASCII code (``-`` is 5).
    Raises MalformedCufe unless the body is 63 digits, capitals and hyphens.
    """
    if not _BODY.fullmatch(body):
        raise MalformedCufe("the check digit is over 63 digits, capitals and hyphens")
    total = 0
    for position, character in enumerate(reversed(body)):
        value = int(character) if character.isdigit() else ord(character) % 10
        if position % 2 == 0:
            value = sum(divmod(value * 2, 10))
        total += value
    return str(-total % 10)


def _member(name: str, code: str, members: dict[str, _T]) -> _T:
    try:
        return members[code]
    except KeyError:
        known = " or ".join(members)
        raise MalformedCufe(f"{name} must be {known}, not {code!r}") from None


def _date(text: str) -> date:
    if re.fullmatch("[0-9]{8}", text):
        try:
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        except ValueError:
            pass
    raise MalformedCufe(f"the issue date must be a real AAAAMMDD, not {text!r}")
