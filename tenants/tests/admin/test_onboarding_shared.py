"""The wizard beside the command, its trial invoice, who may use it, and what its pages cost."""

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from conftest import every_document, work
from tenants.models import ApiKey, Office, OnboardingStatus, Tenant
from tenants.services.onboarding import Halt
from tenants.tests.admin.conftest import browser_of, staff
from tenants.tests.admin.wizard import (
    BEGIN,
    as_far_as,
    assert_ready,
    begin,
    company,
    created,
    office,
    press,
    said,
    url_of,
)
from tenants.tests.onboarding.material import COMPANY, OFFICE, PASSWORD, RUC, make_p12, run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _webhook(settings: Any) -> None:
    settings.PAC_WEBHOOK_URL = "https://cifras.test/webhooks/pac"


# One began it, the other finishes it.


def command(**options: Any) -> None:
    call_command("onboard_tenant", **options, stdout=io.StringIO(), stderr=io.StringIO())


@pytest.fixture
def options(tmp_path: Any) -> dict[str, Any]:
    """A complete command line."""
    (tmp_path / "firma.p12").write_bytes(make_p12())
    (tmp_path / "password").write_text(PASSWORD)
    return {
        "ruc": RUC,
        "ruc_type": "JURIDICO",
        "name": COMPANY.name,
        "email": COMPANY.email,
        "coordinates": OFFICE.coordinates,
        "address": OFFICE.address,
        "telephone": OFFICE.telephone,
        "location": OFFICE.location,
        "signature_certificate": str(tmp_path / "firma.p12"),
        "certificate_password_file": str(tmp_path / "password"),
    }


def test_what_the_command_began_the_wizard_finishes(box, root, options):
    box.options.affiliation_pending = True
    with pytest.raises(CommandError, match="not accepted"):
        command(**options)
    box.options.affiliation_pending = False
    answer = press(root, "acceptance")  # the office is known: nobody is asked for it
    assert answer.context["standing"].need == "key"
    assert press(root, "key").context["api_key"]
    assert_ready(box)


def test_what_the_command_could_not_send_the_wizard_sends(box, root, options):
    box.options.down = "503"
    with pytest.raises(CommandError):
        command(**options)
    box.options.down = ""
    press(root, "company", **company())
    press(root, "acceptance")
    press(root, "key")
    assert_ready(box)


@pytest.mark.parametrize("step", ["company", "acceptance", "office", "key"])
def test_what_the_wizard_began_the_command_finishes(box, root, options, step):
    if step == "company":
        box.options.down = "503"
        begin(root)
        box.options.down = ""
    else:
        as_far_as(root, step)
    command(**options)
    assert_ready(box)


def test_a_halt_of_the_command_is_read_in_spanish(box, root, alice):
    alice.onboarding_error = Halt.COMPANY_UNCLEAR
    alice.onboarding_status = OnboardingStatus.STARTED
    alice.pac_company_id = None
    alice.save()
    page = root.get(url_of(alice)).content.decode()
    assert "Busque su id en el PAC" in page


def at_once(browser: Client, step: str) -> list[int]:
    """Three clicks at the same moment, each a request of its own; their statuses."""

    def click(_: int) -> int:
        mine = Client(SERVER_NAME="localhost")
        mine.cookies = browser.cookies
        data = {"company": company, "office": office}.get(step, dict)()
        url = BEGIN if step == "company" else url_of(Tenant.objects.get())
        try:
            return int(mine.post(url, {"step": step, **data}).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        return list(pool.map(click, range(3)))


def test_three_clicks_at_the_same_moment_create_one(box, root):
    box.options.latency = 30.0
    assert set(at_once(root, "company")) == {302}
    press(root, "retry")  # whatever the loser of a race left to do
    press(root, "acceptance")
    assert set(at_once(root, "office")) == {302}
    statuses = at_once(root, "key")
    assert sorted(statuses) == [200, 302, 302]  # one shows the key
    assert_ready(box)


# The trial invoice.


def test_in_production_there_is_no_trial_invoice(box, root, alice):
    assert "Emitir la factura de prueba" in root.get(url_of(alice)).content.decode()
    Tenant.objects.update(pac_environment=1)
    page = root.get(url_of(alice)).content.decode()
    assert "Emitir la factura de prueba" not in page
    assert "Ambiente de producción" in page
    answer = root.post(url_of(alice), {"step": "trial"}, follow=True)
    assert "En producción no se emiten facturas de prueba" in said(answer)
    assert not every_document().exists()


def test_a_rejected_trial_invoice_may_be_repeated(box, root, alice):
    box.options.reject_rate = 1.0
    root.post(url_of(alice), {"step": "trial"})
    work()
    answer = root.get(url_of(alice))
    assert answer.context["trial"].is_over
    assert not answer.context["trial"].is_authorized
    assert "Emitir la factura de prueba" in answer.content.decode()
    box.options.reject_rate = 0.0
    root.post(url_of(alice), {"step": "trial"})
    work()
    answer = root.get(url_of(alice))
    assert answer.context["trial"].is_authorized
    assert "Emitir la factura de prueba" not in answer.content.decode()


# Who may.


def test_without_the_right_there_is_no_wizard(box, alice):
    viewer = browser_of(staff("view_tenant", "change_tenant", "add_tenant", name="viewer"))
    for url in (BEGIN, url_of(alice), "/admin/tenants/tenant/onboarding/places/"):
        assert viewer.get(url).status_code == 403
        assert viewer.post(url, {}).status_code in (403, 405)
    page = viewer.get(reverse("admin:tenants_tenant_changelist")).content.decode()
    assert "Nuevo contribuyente" not in page


def test_who_is_bound_to_a_tenant_has_that_tenants_wizard_alone(box, alice, bob):
    bound = browser_of(staff("view_tenant", "onboard_tenant", tenant=alice, name="bound"))
    assert bound.get(url_of(alice)).status_code == 200
    assert bound.get(url_of(bob)).status_code == 404
    assert bound.post(url_of(bob), {"step": "trial"}).status_code == 404
    assert bound.get(BEGIN).status_code == bound.post(BEGIN, company()).status_code == 403
    page = bound.get(reverse("admin:tenants_tenant_changelist")).content.decode()
    assert "Nuevo contribuyente" not in page
    assert bob.name not in page
    assert Tenant.objects.count() == 2


def test_an_operator_begins_at_the_list(box, operator_browser):
    page = operator_browser.get(reverse("admin:tenants_tenant_changelist")).content.decode()
    assert "Nuevo contribuyente" in page
    answer = operator_browser.get(reverse("admin:tenants_tenant_new_taxpayer"), follow=True)
    assert answer.redirect_chain[-1][0] == BEGIN


def test_a_tenant_with_a_token_of_its_own_is_registered_first_and_goes_on_here(box, root):
    Tenant.objects.all().delete()
    data = {
        "ruc": RUC, "ruc_type": "JURIDICO", "dv": "53", "name": COMPANY.name,
        "email": COMPANY.email, "company_type": "associated", "new_pac_token": "t0ken-2",
    }  # fmt: skip
    answer = root.post(reverse("admin:tenants_tenant_add"), data, follow=True)
    assert answer.redirect_chain[-1][0] == url_of(Tenant.objects.get())
    press(root, "company", **company())
    assert created(box) == (0, 0)  # those of the other token
    assert Tenant.objects.get().pac_company_id


# What it costs.


def queries(browser: Any, url: str) -> int:
    browser.get(url)
    with CaptureQueriesContext(connection) as captured:
        assert browser.get(url).status_code == 200
    return len(captured)


def test_the_pages_cost_a_fixed_number_of_queries(box, root, alice, bob):
    urls = [
        reverse("admin:tenants_tenant_changelist"),
        reverse("admin:tenants_tenant_change", args=[alice.pk]),
        url_of(alice),
    ]
    before = [queries(root, url) for url in urls]
    for number in range(3):
        run(company=another(number))
        Office.unscoped.create(tenant=alice, code=f"10{number:02}", pac_office_id=f"01X{number}")
        ApiKey.objects.issue(tenant=alice, name="Otra")
    assert [queries(root, url) for url in urls] == before
    assert before == LIST_PAGE_WIZARD


LIST_PAGE_WIZARD = [5, 7, 6]


def another(number: int) -> Any:
    return replace(COMPANY, ruc=f"15570000{number}-2-2021", dv="")
