"""A person at the wizard."""

from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from pac.client import PacClient
from pac.sandbox import Sandbox
from tenants.models import ApiKey, Office, OnboardingStatus, Tenant
from tenants.tests.onboarding.material import COMPANY, OFFICE, PASSWORD, make_p12

CREATE_COMPANY = "POST /pan/v1/companies"
CREATE_OFFICE = "POST /pan/v1/companies/{company}/offices"
BEGIN = "/admin/tenants/tenant/onboarding/"
P12 = make_p12()

COMPANY_FIELDS = {
    "ruc": COMPANY.ruc,
    "ruc_type": str(COMPANY.ruc_type),
    "dv": "",
    "name": COMPANY.name,
    "trade_name": COMPANY.trade_name,
    "email": COMPANY.email,
    "logo_url": "",
    "company_type": "associated",
    "pac_company_id": "",
}
OFFICE_FIELDS = {
    "office_code": "0001",
    "office_type": "main",
    "address": OFFICE.address,
    "location": OFFICE.location,
    "coordinates": OFFICE.coordinates,
    "telephone": OFFICE.telephone,
    "email": OFFICE.email,
    "first_number": "",
}


def p12(content: bytes = P12, name: str = "firma.p12") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def certificates(content: bytes = P12, password: str = PASSWORD) -> dict[str, Any]:
    return {"signature_certificate": p12(content), "certificate_password": password}


def company(**changes: Any) -> dict[str, Any]:
    return COMPANY_FIELDS | certificates() | changes


def office(**changes: Any) -> dict[str, Any]:
    return OFFICE_FIELDS | changes


def url_of(tenant: Tenant) -> str:
    return reverse("admin:tenants_tenant_onboarding", args=[tenant.pk])


def begin(browser: Client, **changes: Any) -> HttpResponse:
    """Fills in the first form and presses its button."""
    return browser.post(BEGIN, company(**changes), follow=True)


def press(browser: Client, step: str, **data: Any) -> Any:
    """Presses a button of the wizard's page of the only tenant."""
    return browser.post(url_of(Tenant.objects.get()), {"step": step, **data}, follow=True)


def as_far_as(browser: Client, step: str) -> None:
    """The steps before `step`."""
    begin(browser)
    if step == "acceptance":
        return
    press(browser, "acceptance")
    if step == "office":
        return
    press(browser, "office", **office())


def said(answer: Any) -> str:
    """The messages on the page."""
    return " ".join(str(message) for message in answer.context["messages"])


def created(box: Sandbox) -> tuple[int, int]:
    """How many companies and offices there are at the PAC."""
    client = PacClient(base_url=box.url, token=settings.PAC_API_KEY)
    try:
        companies = client.list_companies()
        return len(companies), sum(len(client.list_offices(each.id)) for each in companies)
    finally:
        client.close()


def assert_ready(box: Any) -> None:
    tenant = Tenant.objects.get()
    assert tenant.onboarding_status == OnboardingStatus.READY
    assert tenant.onboarding_error == ""
    assert created(box) == (1, 1)
    assert box.routes[CREATE_COMPANY] == box.routes[CREATE_OFFICE] == 1
    assert ApiKey.objects.count() == Office.unscoped.count() == 1
