"""The link in the QR of a printed document: where the DGI shows it, with the CUFE as ``chFE``.

It carries a token that only the PAC can sign, so a link is read and kept, never made here.
"""

from typing import Final
from urllib.parse import parse_qs, urlsplit

HOSTS: Final = frozenset({"dgi-fep.mef.gob.pa", "dgi-fep-test.mef.gob.pa"})


def cufe_in(text: str) -> str | None:
    """What the DGI's link says under ``chFE``; None for any other text.

    Whether that is a well-formed CUFE is for :mod:`pac.dgi.cufe` to say.
    """
    try:
        link = urlsplit(text.strip())
        if link.scheme != "https" or link.hostname not in HOSTS or link.port not in {None, 443}:
            return None
        named = parse_qs(link.query, max_num_fields=20).get("chFE", [])
    except ValueError:
        return None
    return named[0] if len(named) == 1 else None
