"""Which of the DGI's rejection codes Cifras judges before it sends, and why not the others.

`docs/dgi-codes.md` is written from here by `manage.py dgi_codes`, so that it cannot grow old.
"""

from __future__ import annotations

from collections.abc import Iterator

from invoicing.fiscal.dgi_codes import NAMES
from invoicing.fiscal.judged import Judged, judged

BUILT = "Right by construction"
REGISTER = "Only the DGI's registers tell"
PAC = "The PAC's part"
ABSENT = "Cifras does not send it"
OTHERWISE = "Told under another code"

# (kind, why, codes). A code stands here or in a rule, never in both: a test sees to it.
REASONS: tuple[tuple[str, str, str], ...] = (
    (PAC, "It writes, versions and signs the XML, and sends the message.", "1000 1501 1530 1536"),
    (PAC, "In the test environment it writes the issuer's name as the DGI wants it.", "1565"),
    (PAC, "It makes and signs the link in the QR.", "4000 4001 4002 4003"),
    (
        PAC,
        "It computes the amounts of each line from quantity, price, discount and rate.",
        "2056 2150 2152",
    ),
    (PAC, "It adds the lines up.", "2500 2501 2502 2503 2514 2516 2517 2800 2803"),
    (BUILT, "`pac.dgi.cufe.build` makes the CUFE of the document's own fields.", "1001 1502 1504"),
    (
        BUILT,
        "The same: the CUFE's parts are the document's own fields.",
        "1511 1514 1516 1518 1521 1564 1567",
    ),
    (
        BUILT,
        "A number is taken once from a series that starts at 1 (`tenants.services.numbering`); a "
        "document whose answer was lost is looked for by its CUFE before it is sent again.",
        "1002 1512 1513",
    ),
    (BUILT, "Nine random digits: not all zero, not the number (`services.issue`).", "1517"),
    (BUILT, "The tenant's environment is 1 or 2 (`pac.dgi.codes.Environment`).", "1500"),
    (BUILT, "Constants of `fiscal.payload`.", "1525 1527 1528 1529"),
    (BUILT, "With destination 1, `fiscal.payload` sends the country PA.", "1611"),
    (BUILT, "`fiscal.payload` numbers the lines 0001, 0002 and so on.", "2001"),
    (BUILT, "Only the CPBS family is sent; its first two digits are the segment.", "2005 2010"),
    (
        BUILT,
        "Onboarding refuses a malformed RUC, DV, location or coordinates "
        "(`tenants.services.onboarding.data`).",
        "1560 1568 1569 1573",
    ),
    (
        BUILT,
        "A note refers to an invoice of the same tenant that Cifras holds, by its id or CUFE and "
        "with its date of issue; an imported CUFE is parsed, check digit included.",
        "1700 1703 1704 1719 1720",
    ),
    (BUILT, "A note refers to exactly one document.", "1709"),
    (BUILT, "The body of an invoice cannot refer to another document.", "1708"),
    (OTHERWISE, "1707: a note's `invoice` is looked for among invoices.", "1712 1713 1715 1716"),
    (OTHERWISE, "1714: a late note is warned of, whatever the age of its invoice.", "1701"),
    (OTHERWISE, "1610: a country is an ISO 3166 code or ZZ.", "1613"),
    (OTHERWISE, "1607: a location is looked for as a whole, in the PAC's catalogue.", "1608 1609"),
    (OTHERWISE, "2006: a sale to the State needs the code on every line.", "2007"),
    (OTHERWISE, "2002: the unit of the line is the unit of its CPBS.", "2009"),
    (OTHERWISE, "2051: where the price is zero, any discount is above it.", "2052"),
    (
        OTHERWISE,
        "`ruc_unknown`: the PAC is asked before the first send (`services.submit`), and its no "
        "leaves the document FAILED, so that its receiver can be corrected.",
        "1602",
    ),
    (REGISTER, "Who exists, is affiliated and may invoice.", "1561 1562 1563 1603"),
    (REGISTER, "Who is the State; `GET /api/v1/ruc/{ruc}` asks the PAC.", "1604"),
    (REGISTER, "Who may have documents authorised after the fact.", "1505"),
    (REGISTER, "Which branches are retail.", "1532"),
    (REGISTER, "The corregimientos, districts and provinces of an office.", "1570 1571 1572"),
    (ABSENT, "The day on which the goods leave.", "1522 1523"),
    (ABSENT, "A currency without a code of ISO 4217.", "1654 1655"),
    (ABSENT, "Who may download the document (the PAC's own answer is enough).", "1750"),
    (ABSENT, "Freight and insurance by line; only those of the document.", "2054 2055 2505 2506"),
    (ABSENT, "The medicine group.", "2003 2004"),
    (
        ABSENT,
        "The new vehicle group.",
        "2000 3050 3051 3052 3060 3061 3062 3068 3069 3070 3071 3072 3073",
    ),
    (ABSENT, "The logistics and delivery groups.", "3600 3650 3651 3652 3653"),
)


def reasons() -> dict[str, str]:
    """Why a code is not judged, by code."""
    return {code: f"{kind}. {why}" for kind, why, codes in REASONS for code in codes.split()}


def gaps() -> list[str]:
    """What is wrong with the book: codes without an explanation, or with two."""
    covered, excused = {each.dgi for each in judged()}, reasons()
    listed = [code for _, _, codes in REASONS for code in codes.split()]
    return [
        *(f"{code} is neither judged nor explained" for code in NAMES.keys() - covered - {*listed}),
        *(f"{code} is judged, and yet explained away" for code in covered & excused.keys()),
        *(f"{code} is no code of the DGI" for code in (covered | excused.keys()) - NAMES.keys()),
        *(f"{code} is explained twice" for code in {*listed} if listed.count(code) > 1),
    ]


def page() -> str:
    """`docs/dgi-codes.md`."""
    places, excused = judged(), reasons()
    covered = {each.dgi for each in places}
    return "\n".join(
        [
            "# The DGI's rejection codes",
            "",
            "Written by `manage.py dgi_codes` from the rules themselves; a test fails while it is "
            "out of date.",
            "",
            f"Of the DGI's {len(NAMES)} codes, {len(covered)} are judged before a document is sent "
            f"and {len(excused)} need not or cannot be. A fault refuses the request (400) and "
            "names the DGI's code in `detail`; a warning stands in the document's `warnings`.",
            "",
            "## Judged before sending",
            "",
            "| DGI | about | told as | at | text | by |",
            "|---|---|---|---|---|---|",
            *(_judged_row(each) for each in places),
            "",
            "## Not judged",
            "",
            *_explained(excused),
        ]
    )


def _judged_row(each: Judged) -> str:
    told = f"`{each.code}`" + (" (warning)" if each.is_warning else "")
    return (
        f"| {each.dgi} | {NAMES.get(each.dgi, '')} | {told} | `{each.path}` | {each.text} "
        f"| `{each.where}` |"
    )


def _explained(excused: dict[str, str]) -> Iterator[str]:
    yield "| DGI | about | why |"
    yield "|---|---|---|"
    for code, why in sorted(excused.items()):
        yield f"| {code} | {NAMES.get(code, '')} | {why} |"
    yield ""
