"""The process dies at every boundary in turn, and each time the invoice ends as if it had not."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from conftest import make_tenant
from invoicing.tests.crashes.life import Life, by_polling, by_webhook, end_of, forget
from invoicing.tests.crashes.mortal import AFTER, BEFORE, Mortal, seams
from pac.dgi.ruc import RucType, check_digit
from pac.sandbox import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)

Live = Callable[..., tuple[list[str], dict[str, Any]]]

# What a life meets at least: were a seam to come loose, its boundaries would be missing.
MET_BY_ALL = {
    "GET /pan/v1/check-digit",
    "POST /pan/v1/invoices",
    "GET /pan/v1/invoices/{}",
    "GET /files/{}",
    "file stored",
    "e-mail",
}
MET = {
    by_polling: MET_BY_ALL | {"DELETE /pan/v1/invoices/{}"},
    by_webhook: MET_BY_ALL | {"COMMIT INSERT webhooks_pacdelivery"},
}

GOOD_END = {
    "legal status": "DGI_AUTHORIZED",
    "submission": "DONE",
    "CUFE": True,
    "feed": True,
    "the PAC's id": True,
    "what was sent": True,
    "files": [True],
    "files are whole": True,
    "e-mails": [("authorized", "SENT")],
    "one Message-ID however often in the post": True,
    "last number of the series": [1],
    "waited for": {},
    "webhooks in vain": 0,
}


@pytest.fixture
def live(box: Sandbox, client_of: Callable[..., APIClient]) -> Live:
    """Lives a life of its own tenant, to its end: where it went through, and how it ended."""
    lives = itertools.count(1)

    def live(life_of: Callable[[Life], None], **death: Any) -> tuple[list[str], dict[str, Any]]:
        ruc = f"1555{next(lives):05}-2-2015"
        tenant = make_tenant(
            box,
            name="Alice Comercial, S.A.",
            ruc=ruc,
            ruc_type=RucType.JURIDICO,
            dv=check_digit(ruc, RucType.JURIDICO),
        )
        process = Mortal(**death)
        life = Life(process, box, tenant, client_of(tenant))
        try:
            with seams(process):
                life_of(life)
            assert bool(process.deaths) == bool(death)
            return process.passed, end_of(life)
        finally:
            forget(tenant)

    return live


@pytest.mark.parametrize("life_of", [by_polling, by_webhook], ids=lambda life: life.__name__)
def test_wherever_the_process_dies_the_end_is_the_same(
    life_of: Callable[[Life], None],
    live: Live,
    subtests: pytest.Subtests,
) -> None:
    boundaries, undisturbed = live(life_of)
    assert MET[life_of] <= set(boundaries)
    assert undisturbed.items() >= GOOD_END.items()
    for (position, name), side in itertools.product(enumerate(boundaries, 1), (BEFORE, AFTER)):
        with subtests.test(f"{side} boundary {position} of {len(boundaries)}: {name}"):
            passed, end = live(life_of, dies_at=(position, side))
            assert passed[:position] == boundaries[:position]
            assert end == undisturbed


@pytest.mark.parametrize("life_of", [by_polling, by_webhook], ids=lambda life: life.__name__)
def test_processes_that_die_young_come_to_the_same_end(
    life_of: Callable[[Life], None],
    live: Live,
    subtests: pytest.Subtests,
) -> None:
    """One after the other, each with what the last one left behind."""
    _, undisturbed = live(life_of)
    for age in (7, 8, 9):
        with subtests.test(f"each before its boundary {age}"):
            _, end = live(life_of, lives_for=age)
            assert end == undisturbed
