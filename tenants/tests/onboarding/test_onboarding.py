"""The five steps against the sandbox: whole, broken at each of them, and resumed."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from pac.client import PacClient
from pac.dgi.ruc import RucType
from pac.errors import InsideTransaction
from pac.sandbox import Sandbox
from tenants.errors import OnboardingHalted
from tenants.models import ApiKey, Office, OnboardingStatus, Tenant
from tenants.services.onboarding import Progress, registration
from tenants.tests.onboarding.material import COMPANY, OFFICE, RUC, Killed, at, only_tenant, run

pytestmark = pytest.mark.django_db(transaction=True)

CREATE_COMPANY = "POST /pan/v1/companies"
CREATE_OFFICE = "POST /pan/v1/companies/{company}/offices"
CHANGE_COMPANY = "PATCH /pan/v1/companies/{company}"


def created(box: Sandbox) -> tuple[int, int]:
    """How many companies and offices there are at the PAC."""
    client = PacClient(base_url=box.url, token="t0ken")
    try:
        companies = client.list_companies()
        return len(companies), sum(len(client.list_offices(each.id)) for each in companies)
    finally:
        client.close()


def company_at_the_pac(box: Sandbox) -> dict[str, Any]:
    client = PacClient(base_url=box.url, token="t0ken")
    try:
        return client.list_companies()[0].raw
    finally:
        client.close()


def assert_healed(box: Sandbox) -> None:
    tenant = only_tenant()
    assert tenant.onboarding_status == OnboardingStatus.READY
    assert tenant.onboarding_error == ""
    assert tenant.pac_doubtful_since is tenant.pac_lease_expires_at is None
    office = Office.unscoped.get()
    assert tenant.main_office == office
    assert office.pac_office_id
    assert office.pac_doubtful_since is office.pac_lease_expires_at is None
    assert created(box) == (1, 1)
    assert ApiKey.objects.count() == 1


def test_a_taxpayer_becomes_an_issuer_in_one_run(box):
    heard: list[Progress] = []
    done = run(tell=heard.append)
    assert_healed(box)
    assert done.api_key.startswith(ApiKey.objects.get().prefix)
    assert done.tenant.affiliation_qr.startswith("https://")
    assert [progress.step for progress in heard] == [1, 1, 2, 3, 4, 5]


def test_the_pac_is_told_what_it_needs_and_not_to_write_to_receivers(box):
    tenant = run().tenant
    told = company_at_the_pac(box)
    assert told["typeRuc"] == {"code": 2}
    assert told["checkDigit"] == "53"
    assert told["emails"] == {"active": False, "replyTo": COMPANY.email, "message": ""}
    assert told["webhooks"]["documents"]["emissionFinished"] == {
        "status": "active",
        "url": f"https://cifras.test/webhooks/pac/{tenant.pac_company_id}",
        "headers": {"X-Pac-Signature": tenant.webhook_secret},
    }
    assert len(tenant.webhook_secret) == 43


def test_a_second_run_creates_nothing_and_makes_no_second_key(box):
    first = run()
    before = box.routes
    second = run()
    assert second.api_key == ""
    assert second.tenant == first.tenant
    assert box.routes == before
    assert_healed(box)


def test_the_check_digit_is_worked_out_where_it_is_not_given(box):
    assert run(company=replace(COMPANY, dv="")).tenant.dv == "53"


def test_natural_and_juridical_persons_with_one_ruc_are_two_tenants(box):
    ruc = "8-NT-1-123456"
    for ruc_type in RucType:
        run(company=replace(COMPANY, ruc=ruc, ruc_type=ruc_type, dv=""))
    assert {tenant.dv for tenant in Tenant.objects.filter(ruc=ruc)} == {"76", "52"}
    assert created(box) == (2, 2)


# One failure for each step: (what is heard just before it, where it leaves the tenant).
STEPS = [
    ("", OnboardingStatus.STARTED),
    ("Company", OnboardingStatus.COMPANY_CREATED),
    ("Webhook", OnboardingStatus.COMPANY_CREATED),
    ("Affiliation requested", OnboardingStatus.AFFILIATION_REQUESTED),
    ("is affiliated", OnboardingStatus.AFFILIATED),
]


@pytest.mark.parametrize(("heard", "status"), STEPS)
@pytest.mark.parametrize("trouble", [{"unauthorized": True}, {"down": "503"}, {"down": "refuse"}])
def test_a_failed_step_is_recorded_and_the_next_run_continues_there(box, heard, status, trouble):
    def break_it() -> None:
        box.options.update(trouble)

    if not heard:
        break_it()
    with pytest.raises(OnboardingHalted, match="Run again to continue there"):
        run(tell=at(heard, break_it) if heard else lambda _: None)
    tenant = only_tenant()
    assert tenant.onboarding_status == status
    assert tenant.onboarding_error
    box.options.update({"unauthorized": False, "down": False})
    assert run().api_key
    assert_healed(box)


def test_the_fifth_step_fails_as_a_whole_and_is_repeated_as_a_whole(box, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(type(ApiKey.objects), "issue", _killed)
        with pytest.raises(Killed):
            run()
    assert only_tenant().onboarding_status == OnboardingStatus.OFFICE_CREATED
    assert run().api_key
    assert_healed(box)


def _killed(*args: Any, **options: Any) -> None:
    raise Killed


def test_the_error_is_in_the_words_of_the_pac(box):
    box.options.unauthorized = True
    with pytest.raises(OnboardingHalted, match="The PAC says: Unauthorized"):
        run()
    assert only_tenant().onboarding_error == "Unauthorized"


@pytest.mark.parametrize("fault", ["drop_next", "error_after_next"])
@pytest.mark.parametrize("heard", ["", "Company", "is affiliated"])
def test_a_lost_answer_is_looked_for_and_nothing_is_created_twice(box, fault, heard):
    """Lost: the answer to POST companies, to PATCH webhook, to POST offices."""

    def break_it() -> None:
        setattr(box.options, fault, 1)

    if not heard:
        break_it()
    with pytest.raises(OnboardingHalted):
        run(tell=at(heard, break_it) if heard else lambda _: None)
    assert run().api_key
    assert_healed(box)
    assert box.routes[CREATE_COMPANY] == box.routes[CREATE_OFFICE] == 1


@pytest.mark.parametrize("call", ["create_company", "update_company", "create_office"])
def test_a_kill_between_the_answer_and_the_commit_heals_on_the_next_run(box, monkeypatch, call):
    real = getattr(PacClient, call)

    def killed(*args: Any, **options: Any) -> None:
        real(*args, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PacClient, call, killed)
        with pytest.raises(Killed):
            run()
    assert run(sleep=_killed).api_key
    assert_healed(box)
    assert box.routes[CREATE_COMPANY] == box.routes[CREATE_OFFICE] == 1


@pytest.mark.parametrize("call", ["create_company", "create_office"])
def test_after_a_kill_before_the_post_its_time_is_waited_out(box, monkeypatch, call):
    """Whether the other run is dead or slow cannot be seen: its POST may still arrive."""
    with monkeypatch.context() as patch:
        patch.setattr(PacClient, call, _killed)
        with pytest.raises(Killed):
            run()
    waits: list[float] = []
    assert run(sleep=waits.append).api_key
    assert len(waits) == 1
    assert 30 < waits[0] <= 35
    assert_healed(box)


def test_a_post_that_arrives_while_its_time_is_waited_out_is_found(box, monkeypatch):
    real = PacClient.create_company
    late: list[tuple[Any, ...]] = []

    def hung(*args: Any) -> None:
        late.append(args)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(PacClient, "create_company", hung)
        with pytest.raises(Killed):
            run()
    run(sleep=lambda _: real(*late[0]))
    assert_healed(box)


def test_of_two_runs_at_once_one_creates(box, monkeypatch):
    real = PacClient.list_companies
    inner: list[OnboardingHalted] = []

    def interleaved(self: PacClient) -> Any:
        listed = real(self)
        if not inner:  # another run overtakes this one, between its look and its POST
            inner.append(OnboardingHalted("", ""))
            run()
        return listed

    monkeypatch.setattr(PacClient, "list_companies", interleaved)
    with pytest.raises(OnboardingHalted, match="Another run is at this step"):
        run()
    run()
    assert_healed(box)


def test_until_the_taxpayer_accepts_the_run_halts_and_shows_the_qr(box):
    box.options.affiliation_pending = True
    with pytest.raises(OnboardingHalted, match=r"Scan this QR .* run again: https://"):
        run()
    tenant = only_tenant()
    assert tenant.onboarding_status == OnboardingStatus.AFFILIATION_REQUESTED
    assert "not accepted by the taxpayer yet" in tenant.onboarding_error
    assert tenant.affiliation_qr.startswith("https://")
    box.options.affiliation_pending = False
    run()
    assert_healed(box)
    assert box.routes["GET /pan/v1/company-affiliate"] == 3


def test_the_taxpayer_is_asked_before_the_affiliation_is_finished(box):
    asked: list[str] = []
    box.options.affiliation_pending = True

    def confirm(qr: str) -> None:
        asked.append(qr)
        box.options.affiliation_pending = False

    run(confirm=confirm)
    assert asked == [only_tenant().affiliation_qr]


def test_what_the_pac_has_not_yet_may_be_put_right_by_the_next_run(box):
    box.options.down = "503"
    with pytest.raises(OnboardingHalted):
        run()
    box.options.down = ""
    mended = replace(COMPANY, email="otra@ejemplo.test")
    run(company=mended, office=replace(OFFICE, address="Calle 51"))
    assert company_at_the_pac(box)["emails"]["replyTo"] == "otra@ejemplo.test"
    assert Office.unscoped.get().address == "Calle 51"


def test_what_the_pac_has_is_left_as_registered_and_said(box):
    run()
    heard: list[Progress] = []
    run(company=replace(COMPANY, name="Otra, S.A."), tell=heard.append)
    assert only_tenant().name == COMPANY.name
    assert heard[0].message == "Settled already, left as registered: name."


def test_an_office_with_another_code_is_a_second_office(box):
    run()
    run(office=replace(OFFICE, code="0002", type="associated"))
    assert created(box) == (1, 2)
    assert only_tenant().main_office.code == "0001"
    assert only_tenant().onboarding_status == OnboardingStatus.READY


def test_a_company_that_the_pac_knows_already_is_taken_and_its_mails_are_switched_off(box):
    ids = box.add_subscribed_company(ruc=RUC, token="t0ken")
    done = run(company=COMPANY)
    assert done.tenant.pac_company_id == ids.company_id
    assert done.office.pac_office_id == ids.office_id
    assert box.routes[CREATE_COMPANY] == box.routes[CREATE_OFFICE] == 0
    assert company_at_the_pac(box)["emails"]["active"] is False
    assert_healed(box)


def test_a_company_may_be_named_and_then_no_certificate_is_needed(box):
    ids = box.add_subscribed_company(ruc=RUC, token="t0ken")
    done = run(pac_company_id=ids.company_id, certificates=None)
    assert done.tenant.pac_company_id == ids.company_id
    assert box.routes["GET /pan/v1/companies"] == 0


def test_a_company_of_another_ruc_is_not_taken(box):
    ids = box.add_subscribed_company(ruc="155711111-2-2022", token="t0ken")
    with pytest.raises(OnboardingHalted, match="not 155700000-2-2021"):
        run(pac_company_id=ids.company_id)
    assert only_tenant().pac_company_id is None


def test_the_webhook_follows_its_setting(box, settings):
    settings.PAC_WEBHOOK_URL = ""
    heard: list[Progress] = []
    run(tell=heard.append)
    assert any("PAC_WEBHOOK_URL is empty" in progress.message for progress in heard)
    assert box.routes[CHANGE_COMPANY] == 0
    for url in ("https://one.test/webhooks/pac", "https://two.test/webhooks/pac"):
        settings.PAC_WEBHOOK_URL = url
        run()
        target = company_at_the_pac(box)["webhooks"]["documents"]["emissionFinished"]
        assert target["url"] == f"{url}/{only_tenant().pac_company_id}"
    run()
    assert box.routes[CHANGE_COMPANY] == 2


def test_it_refuses_to_run_inside_a_transaction(box):
    with transaction.atomic(), pytest.raises(InsideTransaction):
        run()


def test_of_two_runs_that_store_the_same_office_the_later_works_on_the_first_ones(box, monkeypatch):
    real = registration._store_tenant

    def overtaken(company: Any) -> Tenant:
        tenant = real(company)
        Office.unscoped.get_or_create(tenant=tenant, **OFFICE.values())
        return tenant

    monkeypatch.setattr(registration, "_store_tenant", overtaken)
    assert run().office == Office.unscoped.get()
    assert_healed(box)
