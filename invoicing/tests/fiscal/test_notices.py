"""What the DGI remarks on without refusing: told as a warning, never as a fault."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import body
from invoicing.fiscal.draft import Contingency, Original
from invoicing.fiscal.notices import IsKnown, nobody_can_tell, notices
from invoicing.models import CatalogEntry, PacCatalog
from invoicing.tests.fiscal import NOW, consumer, draft, foreigner, judged, line, receiver
from pac.dgi.codes import UNITS

REASON = "Caída del enlace de internet"


def told(is_known: IsKnown = nobody_can_tell, **changes: Any) -> list[tuple[str, str | None]]:
    made = draft(**changes)
    faults, reckoning = judged(made)
    assert not faults
    assert reckoning is not None
    window = timedelta(days=180)
    found = notices(made, reckoning, now=NOW, note_window=window, is_known=is_known)
    return [(notice.code, notice.dgi) for notice in found]


def contingency(hours: int, **more: int) -> dict[str, Any]:
    started_at = NOW - timedelta(hours=hours, **more)
    return {"issue_type": "02", "contingency": Contingency(started_at, REASON)}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({}, []),
        ({"issued_at": NOW + timedelta(hours=24)}, []),
        ({"issued_at": NOW + timedelta(hours=24, seconds=1)}, [("issued_ahead", "1535")]),
        (contingency(hours=72), []),
        (contingency(hours=72, seconds=1), [("long_contingency", "1508")]),
        ({"receiver": receiver(address="")}, [("address_expected", "1606")]),
        ({"receiver": receiver(location="")}, [("location_expected", "1617")]),
        ({"receiver": consumer()}, []),
        (
            {
                "receiver": receiver(type="GOBIERNO", address="", location=""),
                "lines": [line(cpbs_code="8111")],
            },
            [("address_expected", "1606"), ("location_expected", "1617")],
        ),
        (
            {"dgi_document_type": "10", "destination": 2, "receiver": foreigner()},
            [],
        ),
        ({"lines": [line(unit_price=Decimal(100_000))]}, []),
        ({"lines": [line(unit_price=Decimal("100000.01"))] * 3}, [("high_price", "2050")]),
    ],
)
def test_a_remark_of_the_dgi_is_told_with_its_code(
    changes: dict[str, Any], found: list[tuple[str, str | None]]
) -> None:
    assert told(**changes) == found


def test_a_price_that_is_very_high_is_told_with_its_lines() -> None:
    made = draft(lines=[line(), *[line(unit_price=Decimal(100_001))] * 11])
    _, reckoning = judged(made)
    assert reckoning is not None
    found = notices(made, reckoning, now=NOW, note_window=timedelta(days=180))
    [price, _] = [str(notice) for notice in found]
    assert "line 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and others. (DGI 2050)" in price


def test_a_late_note_is_told() -> None:
    window = timedelta(days=180)
    for age, codes in ((window, []), (window + timedelta(seconds=1), ["late_note"])):
        made = draft(
            original=Original(NOW - age, Decimal(107), Decimal(0), True, False, ("", "", ""))
        )
        _, reckoning = judged(made)
        assert reckoning is not None
        found = notices(made, reckoning, now=NOW, note_window=window)
        assert [notice.code for notice in found] == codes


UNLISTED = {
    "lines": [
        line(unit="Tonel", cpbs_code="9999"),
        line(unit="Tonel", cpbs_code="8111"),
        line(unit="und"),
    ],
    "receiver": receiver(location="8-8-99"),
}


def test_a_code_that_no_catalogue_has_is_told_once() -> None:
    asked = []

    def is_known(catalog: str, code: str) -> bool:
        asked.append((catalog, code))
        return False

    assert told(is_known, **UNLISTED) == [
        ("unit_unlisted", "2002"),
        ("cpbs_unlisted", "2008"),
        ("location_unlisted", "1607"),
    ]
    # What every install knows is not looked up.
    assert asked == [("units", "Tonel"), ("cpbs", "9999"), ("locations", "8-8-99")]


@pytest.mark.parametrize("answer", [None, True])
def test_a_code_that_may_exist_is_not_doubted(answer: bool | None) -> None:
    assert told(lambda catalog, code: answer, **UNLISTED) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("listed", "warnings"),
    [
        ([], []),  # never synchronised: nobody can tell
        (["Lata"], []),  # an extract
        ([*UNITS, "Lata"], ["unit_unlisted"]),
        ([*UNITS, "Lata", "Tonel"], []),
    ],
)
def test_an_issued_document_is_warned_of_a_unit_that_the_pacs_whole_list_lacks(
    listed: list[str], warnings: list[str], api: APIClient
) -> None:
    CatalogEntry.objects.bulk_create(
        CatalogEntry(catalog=PacCatalog.UNITS, code=code, name=code) for code in listed
    )
    posted = body()
    posted["lines"][0]["unit"] = "Tonel"
    issued = api.post("/api/v1/invoices", posted)
    assert issued.status_code == 201
    assert [warning["code"] for warning in issued.data["warnings"]] == warnings
