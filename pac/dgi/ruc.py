"""The RUC, a taxpayer's number, and its two check digits (DV).

Source: DGI, "Cálculo del dígito verificador" (2018). A right DV does not prove that the taxpayer
exists; only the PAC can tell that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import chain, count
from typing import Final

MAX_LENGTH: Final = 20


class RucType(StrEnum):
    """Natural or juridical person.

    Always kept beside the RUC, whose text alone can be either: ``8-NT-1-123456`` is DV 76 as
    natural and DV 52 as juridical.
    """

    NATURAL = "NATURAL"
    JURIDICO = "JURIDICO"

    @property
    def code(self) -> int:
        """The DGI's code (``dTipoRuc``): 1 natural, 2 juridical."""
        return 1 if self is RucType.NATURAL else 2


class MalformedRuc(ValueError):
    """The text has none of the shapes that the DGI gives a RUC of this type."""


class RucForm(Enum):
    """How a RUC is written, which decides how its DV is worked out."""

    CEDULA = "8-123-456"
    LETTERED = "E-8-123456, N-19-1821 or PE-842-3681"
    PROVINCIAL = "8AV-1-196 or 8PI-1-80"
    NT = "8-NT-1-24"
    REGISTRY = "155700000-2-2021"


@dataclass(frozen=True)
class Ruc:
    """A well-formed RUC; made by :func:`parse`.

    ``text`` is the canonical form (trimmed, upper-case), ``groups`` its parts in order:

    ==========  ========================================
    CEDULA      province, tomo, asiento
    LETTERED    letters, tomo, asiento
    PROVINCIAL  province, letters, tomo, asiento
    NT          province, tomo, asiento
    REGISTRY    rollo or tomo, folio or imagen, asiento
    ==========  ========================================
    """

    text: str
    ruc_type: RucType
    form: RucForm
    groups: tuple[str, ...]

    @property
    def dv(self) -> str:
        """The check digits: always two, the first may be zero."""
        digits, old = _twenty_digits(self)
        first = _check(digits, old=old)
        return first + _check(digits + first, old=old)


def parse(text: str, ruc_type: RucType) -> Ruc:
    """Read a RUC of the given type; spaces around it and lower case are forgiven.

    No leading zero is accepted in the first group: the CUFE pads the RUC with zeros, so there
    ``08-1-1`` and ``8-1-1`` would be the same taxpayer.

    Raises MalformedRuc, and nothing else, for any other text.
    """
    canonical = text.strip()
    # Upper-casing would turn some foreign letters into ours ("ı" into "I").
    if canonical.isascii():
        canonical = canonical.upper()
    if len(canonical) <= MAX_LENGTH:
        for form, pattern in _SHAPES[ruc_type].items():
            if match := pattern.fullmatch(canonical):
                return Ruc(canonical, ruc_type, form, match.groups())
    examples = "; ".join(form.value for form in _SHAPES[ruc_type])
    person = "natural" if ruc_type is RucType.NATURAL else "juridical"
    raise MalformedRuc(
        f"{text[:40]!r} is not the RUC of a {person} person. It is written with hyphens, at most "
        f"{MAX_LENGTH} characters, like {examples}."
    )


def check_digit(text: str, ruc_type: RucType) -> str:
    """The DV of a RUC, two digits zero-padded (``"05"``). Raises MalformedRuc."""
    return parse(text, ruc_type).dv


_PROVINCE: Final = "([1-9]|1[0-3])"
_SHAPES: Final = {
    RucType.NATURAL: {
        RucForm.CEDULA: re.compile(_PROVINCE + "-([0-9]{1,4})-([0-9]{1,6})"),
        RucForm.LETTERED: re.compile("(E|N|PE)-([0-9]{1,4})-([0-9]{1,6})"),
        RucForm.PROVINCIAL: re.compile(_PROVINCE + "(AV|PI)-([0-9]{1,4})-([0-9]{1,6})"),
        RucForm.NT: re.compile(_PROVINCE + "-NT-([0-9]{1,3})-([0-9]{1,6})"),
    },
    RucType.JURIDICO: {
        RucForm.REGISTRY: re.compile("([1-9][0-9]{0,9})-([0-9]{1,4})-([0-9]{1,6})"),
        RucForm.NT: re.compile(_PROVINCE + "-NT-([0-9]{1,3})-([0-9]{1,7})"),
    },
}

# The letters' own digits, and what stands before them instead of "00" where the tomo has four.
_LETTERS: Final = {"E": ("5", "66"), "N": ("4", "92"), "PE": ("75", "82")}
_PROVINCIAL_LETTERS: Final = {"AV": "15", "PI": "79"}
_PROVINCIAL_LONG_TOMO: Final = "9595"
_LONG_ASIENTO: Final = 6

# RUCs of before the change of format: digits 6 and 7 are read through the DGI's cross-reference.
_OLD_FORMAT: Final = {
    f"{first + offset:02}": f"{replacement + offset:02}"
    for first, last, replacement in (
        (10, 18, 1),
        (19, 22, 1),
        (23, 25, 7),
        (26, 33, 2),
        (34, 42, 1),
        (43, 49, 1),
    )
    for offset in range(last - first + 1)
}


def _twenty_digits(ruc: Ruc) -> tuple[str, bool]:
    """The number that the DV is worked out from, and whether it is of the old format."""
    old = False
    match ruc.form, ruc.groups:
        case RucForm.CEDULA, (province, tomo, asiento):
            digits = f"5{province:0>2}00{tomo:0>3}{asiento[:5]:0>5}"
        case RucForm.LETTERED, (letters, tomo, asiento):
            digits = _lettered(letters, tomo, asiento)
        case RucForm.PROVINCIAL, (province, letters, tomo, asiento):
            short = f"{province:0>2}{_PROVINCIAL_LETTERS[letters]}"
            head = short if len(tomo) < 4 else _PROVINCIAL_LONG_TOMO
            digits = f"5{head}{tomo:0>3}{asiento[:5]:0>5}"
        case RucForm.NT, (province, tomo, asiento):
            five = "5" if ruc.ruc_type is RucType.NATURAL else ""
            ending = asiento if len(asiento) == _LONG_ASIENTO else f"{asiento[:5]:0>5}"
            digits = f"{five}{province:0>2}43{tomo:0>3}{ending}"
        case RucForm.REGISTRY, (rollo, folio, asiento):
            digits = f"{rollo:0>10}{folio:0>4}{asiento:0>6}"
            old = digits[3:5] == "00" and digits[5] < "5"
            if old:
                digits = digits[:5] + _OLD_FORMAT.get(digits[5:7], digits[5:7]) + digits[7:]
    return f"{digits:0>20}", old


def _lettered(letters: str, tomo: str, asiento: str) -> str:
    code, long_tomo_code = _LETTERS[letters]
    six = letters != "PE" and len(asiento) == _LONG_ASIENTO
    ending = asiento if six else f"{asiento[:5]:0>5}"
    if len(tomo) < 4:
        return f"500{code:0<2}{tomo:0>3}{ending}"
    return f"5{long_tomo_code}{code + '0' if six else code}{tomo}{ending}"


def _check(digits: str, *, old: bool) -> str:
    total = sum(
        int(digit) * weight for digit, weight in zip(reversed(digits), _weights(old), strict=False)
    )
    remainder = total % 11
    return "0" if remainder < 2 else str(11 - remainder)


def _weights(old: bool) -> Iterator[int]:
    """2, 3, 4 and so on from the rightmost digit; the old format has the 11 twice."""
    return chain(range(2, 12), (11,), count(12)) if old else count(2)
