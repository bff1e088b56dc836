"""What is known of a RUC: asked once, kept for its time, never waited for in an outage."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from pac.dgi.ruc import RucType
from pac.sandbox import Sandbox
from tenants.models import RucVerification, Tenant
from tenants.services import rucs

pytestmark = pytest.mark.django_db(transaction=True)

RUC = "155646463-2-2017"
UNKNOWN = "155000000-2-2000"
STATE = "8-NT-1-24"
NO_TAXPAYER = "8-888-8888"
ASKED = "GET /pan/v1/check-digit"


def verified(age: timedelta = timedelta(), **changes: Any) -> RucVerification:
    values = {"ruc": RUC, "ruc_type": "JURIDICO", "exists": True, "receiver_type": "CONTRIBUYENTE"}
    return RucVerification.objects.create(**values | changes, verified_at=timezone.now() - age)


def look_up(tenant: Tenant, text: str = RUC, ruc_type: RucType = RucType.JURIDICO) -> Any:
    return rucs.look_up(tenant, text, ruc_type)


@pytest.mark.parametrize(
    ("text", "ruc_type", "receiver_type"),
    [
        (RUC, RucType.JURIDICO, "CONTRIBUYENTE"),
        (STATE, RucType.JURIDICO, "GOBIERNO"),
        (NO_TAXPAYER, RucType.NATURAL, "CONSUMIDOR_FINAL"),
    ],
)
def test_it_is_told_what_the_pac_says(
    text: str, ruc_type: RucType, receiver_type: str, alice: Tenant, box: Sandbox
) -> None:
    report = look_up(alice, text, ruc_type)
    assert (report.exists, report.receiver_type) == (True, receiver_type)
    assert (report.valid, report.ruc) == (True, text)
    assert timezone.now() - report.verified_at < timedelta(seconds=10)
    kept = RucVerification.objects.get()
    assert (kept.ruc, kept.ruc_type, kept.exists) == (text, ruc_type, True)


def test_the_pac_is_asked_once_for_all_tenants(alice: Tenant, bob: Tenant, box: Sandbox) -> None:
    first = look_up(alice)
    assert look_up(bob, f" {RUC} ") == first
    assert box.routes[ASKED] == 1
    look_up(bob, "8-NT-1-123456", RucType.NATURAL)
    look_up(bob, "8-NT-1-123456", RucType.JURIDICO)
    assert box.routes[ASKED] == 3  # the text alone can be either
    assert RucVerification.objects.count() == 3


@pytest.mark.parametrize(("age", "asked"), [(29, 0), (31, 1)])
def test_a_yes_counts_for_thirty_days(age: int, asked: int, alice: Tenant, box: Sandbox) -> None:
    verified(timedelta(days=age))
    report = look_up(alice)
    assert report.exists
    assert box.routes[ASKED] == asked
    kept = RucVerification.objects.get()
    assert report.verified_at == kept.verified_at
    assert (timezone.now() - kept.verified_at < timedelta(days=1)) is bool(asked)


def test_how_long_a_yes_counts_is_a_setting(
    alice: Tenant, box: Sandbox, settings: Settings
) -> None:
    verified(timedelta(days=29))
    settings.RUC_VERIFICATION_DAYS = 7
    look_up(alice)
    assert box.routes[ASKED] == 1


@pytest.mark.parametrize(("minutes", "asked"), [(59, 0), (61, 1)])
def test_a_no_counts_for_an_hour(minutes: int, asked: int, alice: Tenant, box: Sandbox) -> None:
    verified(timedelta(minutes=minutes), exists=False, receiver_type="")
    assert look_up(alice).exists is bool(asked)  # since then, it was registered
    assert box.routes[ASKED] == asked


def test_what_does_not_exist_is_told_and_kept(alice: Tenant, box: Sandbox) -> None:
    report = look_up(alice, UNKNOWN)
    assert (report.valid, report.exists, report.receiver_type) == (True, False, None)
    assert report.verified_at
    assert not RucVerification.objects.get().exists
    assert look_up(alice, UNKNOWN) == report
    assert box.routes[ASKED] == 1


def test_a_malformed_ruc_is_not_asked_for(alice: Tenant, box: Sandbox) -> None:
    report = look_up(alice, "155646463")
    assert (report.valid, report.dv, report.exists, report.verified_at) == (
        False, None, None, None,
    )  # fmt: skip
    assert not box.routes[ASKED]


@pytest.mark.parametrize("outage", [{"down": "refuse"}, {"down": "503"}, {"unauthorized": True}])
def test_an_outage_leaves_it_open_and_keeps_nothing(
    outage: dict[str, Any], alice: Tenant, box: Sandbox
) -> None:
    box.options.update(outage)
    report = look_up(alice)
    assert (report.valid, report.dv) == (True, "86")
    assert (report.exists, report.receiver_type, report.verified_at) == (None, None, None)
    assert not RucVerification.objects.exists()


@pytest.mark.parametrize("status", [404, 409, 422, 429])
def test_only_a_400_means_that_there_is_none(
    status: int, alice: Tenant, settings: Settings
) -> None:
    with responses.RequestsMock() as pac:
        pac.get(f"{settings.PAC_BASE_URL}/pan/v1/check-digit", json={}, status=status)
        assert look_up(alice).exists is None
    assert not RucVerification.objects.exists()


def test_a_later_word_takes_the_place_of_the_earlier(alice: Tenant) -> None:
    first = verified(timedelta(days=40), exists=False, receiver_type="")
    now = timezone.now()
    rucs.keep(
        RucVerification(
            ruc=RUC, ruc_type="JURIDICO", exists=True, receiver_type="GOBIERNO", verified_at=now
        )
    )
    kept = RucVerification.objects.get()
    assert kept.pk == first.pk
    assert (kept.exists, kept.receiver_type, kept.verified_at) == (True, "GOBIERNO", now)


def test_of_many_those_are_confirmed_that_were_found_not_too_long_ago(
    alice: Tenant, django_assert_num_queries: Any
) -> None:
    verified()
    verified(ruc="8-1-1", ruc_type="NATURAL", age=timedelta(days=31))
    verified(ruc="8-1-2", ruc_type="NATURAL", exists=False)
    verified(ruc="8-NT-1-24", ruc_type="JURIDICO")
    wanted = {
        (RUC, "JURIDICO"), ("8-1-1", "NATURAL"), ("8-1-2", "NATURAL"), ("8-1-3", "NATURAL"),
        ("8-NT-1-24", "NATURAL"),
    }  # fmt: skip
    with django_assert_num_queries(1):
        assert rucs.confirmed(wanted) == {(RUC, "JURIDICO")}
    with django_assert_num_queries(0):
        assert rucs.confirmed(set()) == set()


def test_many_who_wait_for_one_answer_ask_once(alice: Tenant, box: Sandbox) -> None:
    box.options.update({"latency": 50})
    question = rucs.Question(alice, RUC, "JURIDICO")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: question.answer(), range(8)))
    assert {id(answer) for answer in answers} == {id(answers[0])}
    assert box.routes[ASKED] == 1
    for _ in range(3):
        question.keep()
    assert RucVerification.objects.get().exists
    assert [exchange.method for exchange in question.exchanges] == ["GET"]


def test_a_question_without_an_answer_keeps_nothing(alice: Tenant, box: Sandbox) -> None:
    box.options.update({"down": "refuse"})
    question = rucs.Question(alice, RUC, "JURIDICO")
    assert question.answer() is None
    question.keep()
    assert not RucVerification.objects.exists()


def test_the_api_tells_what_is_known(api: APIClient, box: Sandbox) -> None:
    known = api.get(f"/api/v1/ruc/{RUC}?type=JURIDICO").json()
    assert known | {"verified_at": None} == {
        "ruc": RUC,
        "type": "JURIDICO",
        "dv": "86",
        "valid": True,
        "receiver_type": "CONTRIBUYENTE",
        "exists": True,
        "verified_at": None,
    }
    assert known["verified_at"].endswith("-05:00")
    box.options.update({"down": "refuse"})
    assert api.get(f"/api/v1/ruc/{RUC}?type=JURIDICO").json() == known
