import re
from collections.abc import Iterable

from rest_framework.exceptions import ErrorDetail, ValidationError

from invoicing.fiscal.draft import Fault
from tenants.api.errors import Unavailable

INDEX = re.compile("[0-9]{1,6}")


class PacAway(Unavailable):
    default_code = "pac_unavailable"


def as_validation_error(faults: Iterable[Fault]) -> ValidationError:
    """A 400 with every fault under its path, each path once with all that is wrong there."""
    detail: dict[str, list[ErrorDetail]] = {}
    for fault in sorted(faults, key=lambda fault: _natural(fault.path)):
        said = detail.setdefault(fault.path, [])
        if fault.code not in {error.code for error in said}:
            said.append(ErrorDetail(str(fault), code=fault.code))
    return ValidationError(detail)


def _natural(path: str) -> list[tuple[int, int, str]]:
    """Sorts line 10 after line 9."""
    return [
        (0, int(part), "") if INDEX.fullmatch(part) else (1, 0, part) for part in path.split(".")
    ]
