"""Where the PAC's lists are refused or unclear: never a guess, never a second creation."""

from typing import Any

import pytest

from pac.answers import Company, PacOffice
from pac.client import PacClient
from pac.errors import Ambiguous, NotFound, Unauthorized
from pac.sandbox import Sandbox
from tenants.errors import OnboardingHalted
from tenants.models import Office, OnboardingStatus
from tenants.services.onboarding import Halt
from tenants.tests.onboarding.material import RUC, at, only_tenant, run

pytestmark = pytest.mark.django_db(transaction=True)

CREATE_COMPANY = "POST /pan/v1/companies"
CREATE_OFFICE = "POST /pan/v1/companies/{company}/offices"

REFUSALS = [
    NotFound("Cannot GET /pan/v1/companies", status=404),
    Unauthorized("Forbidden", status=403),
    Ambiguous("The PAC answered without a list.", status=200),
]


def listing(monkeypatch: pytest.MonkeyPatch, call: str, result: Any) -> None:
    def answer(*_: Any) -> Any:
        if isinstance(result, Exception):
            raise result
        return result

    monkeypatch.setattr(PacClient, call, answer)


def lose_the_answer(box: Sandbox, heard: str = "") -> None:
    def break_it() -> None:
        box.options.drop_next = 1

    if not heard:
        break_it()
    with pytest.raises(OnboardingHalted):
        run(tell=at(heard, break_it) if heard else lambda _: None)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_first_attempt_needs_no_list(box, monkeypatch, refusal):
    listing(monkeypatch, "list_companies", refusal)
    listing(monkeypatch, "list_offices", refusal)
    assert run().tenant.onboarding_status == OnboardingStatus.READY


@pytest.mark.parametrize("refusal", REFUSALS)
def test_after_a_lost_answer_it_halts_and_asks_for_the_companys_id(box, monkeypatch, refusal):
    lose_the_answer(box)
    company_id = box.add_subscribed_company(ruc="155711111-2-2022", token="t0ken").company_id
    with monkeypatch.context() as patch:
        listing(patch, "list_companies", refusal)
        for _ in range(2):
            with pytest.raises(OnboardingHalted, match=rf"{refusal}.*--pac-company-id"):
                run()
        assert only_tenant().onboarding_error == Halt.COMPANY_UNCLEAR
        assert box.routes[CREATE_COMPANY] == 1
        with pytest.raises(OnboardingHalted, match=f"{company_id} is .* not {RUC}"):
            run(pac_company_id=company_id)
        mine = box._application.state.companies  # what a person reads off the PAC's panel
        [own] = [each.id for each in mine.values() if each.ruc == RUC]
        assert run(pac_company_id=own).api_key
    assert box.routes[CREATE_COMPANY] == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_after_a_lost_answer_it_halts_and_asks_for_the_offices_id(box, monkeypatch, refusal):
    lose_the_answer(box, "is affiliated")
    listing(monkeypatch, "list_offices", refusal)
    with pytest.raises(OnboardingHalted, match="enter it at the office in the admin"):
        run()
    assert box.routes[CREATE_OFFICE] == 1
    Office.unscoped.update(pac_office_id="01HYYYYYYYYYYYYYYYYYYYYYYY")
    assert run().office == only_tenant().main_office
    assert box.routes[CREATE_OFFICE] == 1


def test_a_definite_refusal_leaves_no_doubt_behind(box, monkeypatch):
    box.options.rate_limit_next = 1
    with pytest.raises(OnboardingHalted):
        run()
    assert only_tenant().pac_doubtful_since is None
    listing(monkeypatch, "list_companies", REFUSALS[0])
    assert run().api_key


def test_a_definite_refusal_does_not_settle_an_earlier_doubt(box, monkeypatch):
    lose_the_answer(box)
    doubtful_since = only_tenant().pac_doubtful_since
    listing(monkeypatch, "list_companies", [])
    with pytest.raises(OnboardingHalted, match="already exists"):
        run()
    assert only_tenant().pac_doubtful_since == doubtful_since is not None


def company(**told: Any) -> Company:
    return Company.parse({"id": "01HZZZZZZZZZZZZZZZZZZZZZZZ", **told})


@pytest.mark.parametrize(
    "listed",
    [
        [company()],
        [company(ruc=RUC, typeRuc={"code": 2}), company(ruc=RUC, typeRuc={"code": 2})],
    ],
)
def test_a_list_that_can_be_read_in_two_ways_is_no_answer(box, monkeypatch, listed):
    lose_the_answer(box)
    listing(monkeypatch, "list_companies", listed)
    with pytest.raises(OnboardingHalted, match="--pac-company-id"):
        run()
    assert box.routes[CREATE_COMPANY] == 1


def test_a_company_of_the_other_type_is_another_company(box, monkeypatch):
    listing(monkeypatch, "list_companies", [company(ruc=RUC, typeRuc={"code": 1})])
    assert run().tenant.pac_company_id != "01HZZZZZZZZZZZZZZZZZZZZZZZ"


def test_a_company_without_a_type_is_ours_where_the_ruc_can_be_of_one_type_only(box, monkeypatch):
    ids = box.add_subscribed_company(ruc=RUC, token="t0ken")
    listing(monkeypatch, "list_companies", [Company.parse({"id": ids.company_id, "ruc": RUC})])
    assert run().tenant.pac_company_id == ids.company_id


def test_offices_without_their_codes_are_no_answer(box, monkeypatch):
    lose_the_answer(box, "is affiliated")
    listing(monkeypatch, "list_offices", [PacOffice.parse({"id": "01HZZZZZZZZZZZZZZZZZZZZZZZ"})])
    with pytest.raises(OnboardingHalted, match="offices without a code"):
        run()
    assert box.routes[CREATE_OFFICE] == 1
