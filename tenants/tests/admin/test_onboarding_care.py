"""What is done to a taxpayer from its own page: each with its right, its reason and its log."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from conftest import body, every_document, work
from pac.client import PacClient
from tenants.models import NumberSeries, Office, OnboardingStatus, Tenant
from tenants.tests.admin.conftest import browser_of, staff
from tenants.tests.admin.wizard import certificates, created, office, p12, said
from tenants.tests.onboarding.material import make_p12

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

WHY = {"reason": "Lo pidió el contribuyente"}
ACTIONS = {
    "new_office": "onboard_tenant",
    "new_numbers": "onboard_tenant",
    "renew": "onboard_tenant",
    "rotate_webhook": "rotate_secrets",
    "suspend": "suspend_tenant",
    "resume": "suspend_tenant",
}


def url_of(action: str, tenant: Tenant) -> str:
    return reverse(f"admin:tenants_tenant_{action}", args=[tenant.pk])


def do(browser: Any, action: str, tenant: Tenant, **data: Any) -> Any:
    return browser.post(url_of(action, tenant), data, follow=True)


def last_log() -> str:
    entry = LogEntry.objects.order_by("pk").last()
    return f"{entry.user.username}: {entry.get_change_message()}"


@pytest.fixture
def with_webhook(alice: Tenant) -> Tenant:
    alice.pac_webhook_url = f"https://cifras.test/webhooks/pac/{alice.pac_company_id}"
    alice.save()
    return alice


def at_the_pac(tenant: Tenant) -> dict[str, Any]:
    from tenants.pac import pac_client

    return pac_client(tenant).get_company(tenant.pac_company_id or "").raw


# Offices and numbers.


def test_an_office_is_added_here_and_at_the_pac_once(box, root, alice):
    data = office(office_code="0002", office_type="associated", first_number="201")
    for _ in range(2):
        do(root, "new_office", alice, **data)
    added = Office.unscoped.get(code="0002")
    assert added.pac_office_id
    assert created(box) == (1, 2)
    alice.refresh_from_db()
    assert alice.main_office.code == "0001"
    assert set(added.numberseries_set.values_list("last_number", flat=True)) == {200}
    assert "Incorporación" in last_log()


@pytest.mark.parametrize("fault", ["drop_next", "error_after_next"])
def test_an_office_whose_answer_was_lost_is_waiting_and_sent_again(box, root, alice, fault):
    setattr(box.options, fault, 1)
    data = office(office_code="0002", office_type="associated")
    assert "nada se repite" in said(do(root, "new_office", alice, **data))
    page = root.get(url_of("new_office", alice))
    assert "La sucursal 0002 espera todavía al PAC" in page.content.decode()
    assert page.context["form"]["office_code"].value() == "0002"
    do(root, "new_office", alice, **data)
    assert created(box) == (1, 2)
    assert Office.unscoped.get(code="0002").pac_office_id


def test_an_office_needs_an_onboarding_that_has_ended(box, root, alice):
    Tenant.objects.update(onboarding_status=OnboardingStatus.AFFILIATION_REQUESTED)
    answer = root.get(url_of("new_office", alice))
    assert answer.headers["Location"].endswith("/onboarding/")


def test_a_billing_point_begins_where_it_says_and_is_never_lowered(root, alice):
    data = {"office": str(alice.main_office_id), "billing_point": "002", "first_number": "1"}
    do(root, "new_numbers", alice, **data)
    series = NumberSeries.unscoped.filter(billing_point="002")
    assert set(series.values_list("last_number", flat=True)) == {0}
    do(root, "new_numbers", alice, **data | {"first_number": "51"})
    assert set(series.values_list("last_number", flat=True)) == {50}
    assert "0001-002: el próximo es 51" in last_log()
    answer = do(root, "new_numbers", alice, **data | {"first_number": "50"})
    assert "nunca se baja a 50" in str(answer.context["form"].errors["first_number"])
    assert set(series.values_list("last_number", flat=True)) == {50}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"billing_point": "000"}, "billing_point"),
        ({"first_number": "0"}, "first_number"),
        ({"first_number": "uno"}, "first_number"),
        ({"office": "of-bob"}, "office"),
    ],
)
def test_a_billing_point_is_checked(root, alice, bob, changes, field):
    data = {"office": str(alice.main_office_id), "billing_point": "002", "first_number": "1"}
    if changes.get("office"):
        changes = {"office": str(bob.main_office_id)}
    answer = do(root, "new_numbers", alice, **data | changes)
    assert set(answer.context["form"].errors) == {field}
    assert not NumberSeries.unscoped.exists()


# Certificates.


def test_certificates_are_renewed_at_the_pac_and_their_end_is_kept(box, root, alice, monkeypatch):
    sent: list[Any] = []
    real = PacClient.update_company

    def noting(self: PacClient, company_id: str, changes: Any) -> None:
        sent.append(changes)
        real(self, company_id, changes)

    monkeypatch.setattr(PacClient, "update_company", noting)
    end = datetime(2028, 5, 6, 15, tzinfo=UTC)
    answer = do(root, "renew", alice, **certificates(make_p12(valid_to=end)))
    assert "valen hasta el 06/05/2028" in said(answer)
    assert [list(each) for each in sent] == [["certificates"]]
    alice.refresh_from_db()
    assert str(alice.certificates_expire_on) == "2028-05-06"
    assert "root: Certificados renovados" in last_log()


def test_certificates_that_are_no_good_are_not_sent(box, root, alice):
    old = make_p12(valid_to=datetime.now(UTC) - timedelta(days=1))
    answer = do(root, "renew", alice, **certificates(), authentication_certificate=p12(old))
    assert set(answer.context["form"].errors) == {"authentication_certificate"}
    answer = do(root, "renew", alice, certificate_password="x")
    assert set(answer.context["form"].errors) == {"signature_certificate"}
    assert not box.routes


@pytest.mark.parametrize(
    ("action", "trouble"),
    [
        ("renew", {"down": "503"}),
        ("renew", {"drop_next": 1}),
        ("rotate_webhook", {"unauthorized": True}),
        ("rotate_webhook", {"error_after_next": 1}),
    ],
)
def test_a_pac_that_fails_is_a_message_and_a_log(box, root, with_webhook, trouble, action):
    box.options.update(trouble)
    data = certificates() if action == "renew" else WHY
    answer = do(root, action, with_webhook, **data)
    assert answer.status_code == 200
    assert "El PAC" in said(answer) or "del PAC se perdió" in said(answer)
    assert "no se pudo" in last_log()
    with_webhook.refresh_from_db()
    assert with_webhook.certificates_expire_on is None


# The webhook's secret.


def test_the_webhook_secret_is_rotated_with_a_reason(box, root, with_webhook):
    before = with_webhook.webhook_secret
    answer = do(root, "rotate_webhook", with_webhook, **WHY)
    with_webhook.refresh_from_db()
    assert with_webhook.webhook_secrets() == [with_webhook.webhook_secret]
    assert with_webhook.webhook_secret != before
    hook = at_the_pac(with_webhook)["webhooks"]["documents"]["emissionFinished"]
    assert hook["headers"] == {"X-Pac-Signature": with_webhook.webhook_secret}
    assert "root: Rotar el secreto del webhook: Lo pidió el contribuyente" in last_log()
    everything = answer.content.decode() + repr(list(LogEntry.objects.values()))
    assert with_webhook.webhook_secret not in everything


def test_without_a_webhook_there_is_nothing_to_rotate(box, root, alice):
    answer = do(root, "rotate_webhook", alice, **WHY)
    assert "no hay qué rotar" in said(answer)
    assert not LogEntry.objects.exists()


# The door.


def test_a_suspended_tenants_keys_do_not_enter_and_its_queue_is_finished(
    box, root, alice, client_of
):
    client = client_of(alice)
    assert client.post("/api/v1/invoices", body()).status_code == 201
    do(root, "suspend", alice, **WHY)
    assert client.get("/api/v1/invoices").status_code == 401
    assert last_log() == "root: Suspender: Lo pidió el contribuyente"
    work()
    assert every_document().get().legal_status == "DGI_AUTHORIZED"
    page = root.get(reverse("admin:tenants_tenant_change", args=[alice.pk])).content.decode()
    assert url_of("resume", alice) in page
    assert url_of("suspend", alice) not in page
    do(root, "resume", alice, **WHY)
    assert client.get("/api/v1/invoices").status_code == 200
    assert last_log() == "root: Reanudar: Lo pidió el contribuyente"


def test_suspending_twice_is_said_and_logged_once(root, alice):
    do(root, "suspend", alice, **WHY)
    assert "Ya estaba suspendido" in said(do(root, "suspend", alice, **WHY))
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("action", ["suspend", "resume", "rotate_webhook"])
def test_why_has_to_be_said(root, alice, action):
    Tenant.objects.update(is_active=action != "resume")
    for reason in ("", "  ", "abc", "x" * 501):
        answer = do(root, action, alice, reason=reason)
        assert set(answer.context["form"].errors) == {"reason"}
    alice.refresh_from_db()
    assert alice.is_active is (action != "resume")
    assert not LogEntry.objects.exists()


def test_an_action_confirms_before_it_does_anything(root, alice):
    for action in ACTIONS:
        Tenant.objects.update(is_active=action != "resume")
        page = root.get(url_of(action, alice)).content.decode()
        assert "No hacer nada y volver" in page
        alice.refresh_from_db()
        assert alice.is_active is (action != "resume")


@pytest.mark.parametrize(
    ("action", "right"), [each for each in ACTIONS.items() if each[0] not in ("renew", "resume")]
)
def test_an_action_demands_its_right_and_the_tenant(alice, bob, action, right):
    Tenant.objects.update(is_active=action != "resume")
    others = sorted({"view_tenant", "change_tenant", *ACTIONS.values()} - {right})
    without = browser_of(staff(*others, name="without"))
    bound = browser_of(staff("view_tenant", right, tenant=bob, name="bound"))
    for method in ("get", "post"):
        assert getattr(without, method)(url_of(action, alice), WHY).status_code == 403
        refused = getattr(bound, method)(url_of(action, alice), WHY).status_code
        assert refused in (403, 404)
    page = without.get(reverse("admin:tenants_tenant_change", args=[alice.pk])).content.decode()
    assert url_of(action, alice) not in page
    assert bound.get(url_of(action, bob)).status_code == 200
    alice.refresh_from_db()
    assert alice.is_active is (action != "resume")


def test_who_edits_a_tenant_does_not_suspend_it_by_the_form(root, alice):
    data = {
        "name": alice.name, "email": alice.email, "main_office": str(alice.main_office_id),
    }  # fmt: skip
    url = reverse("admin:tenants_tenant_change", args=[alice.pk])
    assert root.post(url, data).status_code == 302
    alice.refresh_from_db()
    assert alice.is_active
