"""The wizard against the sandbox: whole, broken at each step, and shared with the command."""

import re
import time
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zxingcpp
from django.contrib.admin.models import LogEntry
from django.urls import reverse
from PIL import Image, ImageDraw

from conftest import every_document, work
from pac.client import PacClient
from pac.errors import NotFound
from tenants.models import ApiKey, NumberSeries, Office, OnboardingStatus, Tenant
from tenants.tests.admin.wizard import (
    as_far_as,
    assert_ready,
    begin,
    certificates,
    company,
    created,
    office,
    p12,
    press,
    said,
    url_of,
)
from tenants.tests.onboarding.material import COMPANY, RUC, make_p12

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]


@pytest.fixture(autouse=True)
def _webhook(settings: Any) -> None:
    settings.PAC_WEBHOOK_URL = "https://cifras.test/webhooks/pac"


def states(answer: Any) -> list[str]:
    return [step.state for step in answer.context["standing"].steps]


def status() -> str:
    return Tenant.objects.get().onboarding_status


def test_a_taxpayer_goes_from_nothing_to_an_authorised_invoice(box, root):
    answer = begin(root, ruc=f" {RUC.lower()} ")
    tenant = Tenant.objects.get()
    assert (tenant.ruc, tenant.dv) == (RUC, "53")
    assert states(answer) == ["done", "done", "here", "later", "later"]
    page = answer.content.decode()
    assert 'src="data:image/svg+xml;base64,' in page
    assert tenant.affiliation_qr in page
    assert states(press(root, "acceptance")) == ["done"] * 3 + ["here", "later"]
    assert states(press(root, "office", **office())) == ["done"] * 4 + ["here"]
    text = press(root, "key").context["api_key"]
    assert ApiKey.objects.get_from_key(text).tenant == tenant
    assert_ready(box)
    again = root.get(url_of(tenant))
    assert text not in again.content.decode()
    assert states(again) == ["done"] * 5
    assert not press(root, "trial").context["trial"].is_over
    work()
    trial = root.get(reverse("admin:tenants_tenant_onboarding_trial", args=[tenant.pk])).context[
        "trial"
    ]
    assert (trial.is_over, trial.is_authorized) == (True, True)
    document = every_document().get()
    assert trial.url == reverse("admin:invoicing_invoice_change", args=[document.pk])
    assert str(document.total) == "1.07"
    told = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert len(told) == 5
    assert all(entry.user.username == "root" for entry in LogEntry.objects.all())


def test_the_day_on_which_the_certificates_end_is_kept(box, root):
    soon, later = (datetime(2027, month, 2, 3, tzinfo=UTC) for month in (3, 9))
    begin(
        root,
        signature_certificate=p12(make_p12(valid_to=later)),
        authentication_certificate=p12(make_p12(valid_to=soon), "id.pfx"),
    )
    # Three in the morning of the second in UTC is still the first in Panama.
    assert f"{Tenant.objects.get().certificates_expire_on}" == "2027-03-01"


def test_all_faults_of_the_first_form_are_told_at_once_in_spanish_and_nothing_is_stored(box, root):
    answer = begin(
        root,
        ruc="8-1",
        name="",
        email="x",
        logo_url="ftp://x",
        signature_certificate=p12(b"no certificate"),
    )
    errors = answer.context["form"].errors
    assert set(errors) == {"ruc", "name", "email", "logo_url", "signature_certificate"}
    assert "no abre con la contraseña" in str(errors["signature_certificate"])
    assert not Tenant.objects.exists()
    assert not box.routes


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"dv": "54"}, "dv", "El DV de 155700000-2-2021 es 53, no 54."),
        ({"signature_certificate": ""}, "signature_certificate", "El PAC lo necesita"),
        (certificates(password="otra"), "signature_certificate", "no abre con la contraseña"),
        (
            certificates(make_p12(valid_to=datetime.now(UTC) - timedelta(days=1))),
            "signature_certificate",
            "El certificado venció el ",
        ),
        ({"name": "x" * 101}, "name", "A lo sumo 100 caracteres; estos son 101."),
        ({"pac_company_id": "no such"}, "pac_company_id", "26 letras y cifras"),
    ],
)
def test_a_fault_is_at_its_field(box, root, changes, field, words):
    answer = begin(root, **changes)
    assert set(answer.context["form"].errors) == {field}
    assert words in str(answer.context["form"].errors[field])
    assert not Tenant.objects.exists()


def test_a_company_that_the_pac_has_is_named_and_needs_no_certificates(box, root):
    ids = box.add_subscribed_company(ruc=RUC)
    begin(root, pac_company_id=ids.company_id, signature_certificate="")
    tenant = Tenant.objects.get()
    assert tenant.pac_company_id == ids.company_id
    assert tenant.onboarding_status == OnboardingStatus.AFFILIATED
    assert tenant.certificates_expire_on is None


def test_who_is_registered_already_is_continued_and_not_changed(box, root):
    begin(root)
    answer = begin(root, name="Otro nombre, S.A.")
    assert "ya está registrado: continúe aquí" in said(answer)
    assert Tenant.objects.get().name == COMPANY.name
    assert created(box) == (1, 0)


@pytest.mark.parametrize("trouble", [{"unauthorized": True}, {"down": "503"}])
@pytest.mark.parametrize("step", ["company", "acceptance", "office"])
def test_a_pac_that_fails_is_a_sentence_and_a_button_to_try_again(box, root, step, trouble):
    if step == "company":
        box.options.update(trouble)
        answer = begin(root)
    else:
        as_far_as(root, step)
        box.options.update(trouble)
        answer = press(root, step, **(office() if step == "office" else {}))
    assert "Puede reintentar: nada se repite" in said(answer)
    assert Tenant.objects.get().onboarding_error in answer.content.decode()
    assert Tenant.objects.get().onboarding_error
    box.options.update({"unauthorized": False, "down": False})
    given = {"company": company(), "office": office()}
    press(root, step, **given.get(step, {}))
    for follows in {"company": ["acceptance", "office"], "acceptance": ["office"]}.get(step, []):
        press(root, follows, **given.get(follows, {}))
    press(root, "key")
    assert_ready(box)


@pytest.mark.parametrize("fault", ["drop_next", "error_after_next"])
def test_an_answer_that_was_lost_creates_nothing_twice(box, root, fault):
    setattr(box.options, fault, 1)
    answer = begin(root)
    assert answer.context["standing"].need == "company"
    press(root, "company", **company())
    press(root, "acceptance")
    setattr(box.options, fault, 1)
    press(root, "office", **office())
    assert status() == OnboardingStatus.AFFILIATED
    press(root, "office", **office())
    press(root, "key")
    assert_ready(box)


def test_certificates_are_asked_for_again_where_the_company_was_not_created(box, root):
    box.options.down = "503"
    answer = begin(root)
    assert "certificate_password" in answer.context["form"].fields
    assert "ruc" not in answer.context["form"].fields
    box.options.down = ""
    answer = press(root, "company", **company(signature_certificate=""))
    assert set(answer.context["form"].errors) == {"signature_certificate"}
    assert status() == OnboardingStatus.STARTED
    press(root, "company", **company(email="otra@ejemplo.test"))
    assert Tenant.objects.get().email == "otra@ejemplo.test"
    assert status() == OnboardingStatus.AFFILIATION_REQUESTED


def test_what_broke_after_the_company_was_created_takes_no_more_than_a_button(box, root):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PacClient, "update_company", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            begin(root)
    answer = root.get(url_of(Tenant.objects.get()))
    assert answer.context["standing"].need == "retry"
    press(root, "retry")
    assert Tenant.objects.get().pac_webhook_url
    assert status() == OnboardingStatus.AFFILIATION_REQUESTED


def test_until_the_taxpayer_accepts_it_says_so_and_stays(box, root):
    begin(root)
    box.options.affiliation_pending = True
    for _ in range(2):
        answer = press(root, "acceptance")
        assert "todavía no ha aceptado" in said(answer)
        assert "Company QR not accepted by the taxpayer yet" in answer.content.decode()
        assert status() == OnboardingStatus.AFFILIATION_REQUESTED
    box.options.affiliation_pending = False
    press(root, "acceptance")
    assert status() == OnboardingStatus.AFFILIATED


def test_a_second_click_on_each_button_changes_nothing(box, root):
    begin(root)
    begin(root)
    for step in ("acceptance", "office", "key"):
        data = office() if step == "office" else {}
        press(root, step, **data)
        answer = press(root, step, **data)
        assert "Ese paso ya se había dado" in said(answer)
    assert_ready(box)
    for _ in range(2):
        answer = press(root, "trial")
    assert "ya se emitió" in said(answer)
    assert every_document().count() == 1


def test_a_click_while_another_request_is_at_it_does_not_wait_and_creates_nothing(
    box, root, monkeypatch
):
    real = PacClient.create_company
    inner: list[Any] = []

    def during(self: PacClient, payload: Any) -> Any:
        inner.append(press(root, "company", **company()))
        return real(self, payload)

    monkeypatch.setattr(PacClient, "create_company", during)
    begin(root)
    assert "Otro intento está en camino" in said(inner[0])
    assert len(inner) == 1
    assert created(box) == (1, 0)
    assert Tenant.objects.get().onboarding_error == ""


def test_a_run_ends_within_its_time(box, root, monkeypatch):
    monkeypatch.setattr("tenants.admin.onboarding.pages.TIME_LIMIT", 6.5)
    asked: list[float] = []
    began = time.monotonic()
    real = PacClient.list_companies

    def slow(self: PacClient) -> Any:
        asked.append(self.total_deadline)
        monkeypatch.setattr("time.monotonic", lambda: began + 2)
        return real(self)

    monkeypatch.setattr(PacClient, "list_companies", slow)
    answer = begin(root)
    assert asked == [2.0]
    assert "El PAC tarda demasiado" in said(answer)
    assert status() == OnboardingStatus.COMPANY_CREATED


def test_an_office_has_all_its_faults_at_once_and_its_numbers_begin_where_it_says(box, root):
    as_far_as(root, "office")
    answer = press(
        root, "office", **office(location="8", telephone="x", address="", first_number="uno")
    )
    errors = answer.context["form"].errors
    assert set(errors) == {"location", "telephone", "address", "first_number"}
    assert not Office.unscoped.exists()
    press(root, "office", **office(first_number="501"))
    assert set(NumberSeries.unscoped.values_list("last_number", flat=True)) == {500}
    assert status() == OnboardingStatus.OFFICE_CREATED


def test_a_corregimiento_is_found_by_its_words_whatever_the_accents(root):
    answer = root.get("/admin/tenants/tenant/onboarding/places/", {"location": "bella vista"})
    assert 'data-code="8-8-7"' in answer.content.decode()
    answer = root.get("/admin/tenants/tenant/onboarding/places/", {"location": "<script>"})
    assert "<script>" not in answer.content.decode()
    assert "Ninguno con esas palabras" in answer.content.decode()


def test_an_id_that_staff_found_at_the_pac_answers_a_list_that_does_not_tell(
    box, root, monkeypatch
):
    box.options.drop_next = 1
    begin(root)
    with monkeypatch.context() as patch:
        patch.setattr(PacClient, "list_companies", _refused)
        answer = press(root, "company", **company())
        assert "Busque su id en el PAC" in said(answer)
        [own] = list(box._application.state.companies)  # what a person reads off the PAC's panel
        press(root, "company", **company(signature_certificate="", pac_company_id=own))
    assert Tenant.objects.get().pac_company_id == own
    assert created(box) == (1, 0)


def _refused(*_: Any) -> None:
    raise NotFound("Cannot GET /pan/v1/companies", status=404)


def test_the_qr_on_the_page_is_the_link_of_the_pac(box, root):
    page = begin(root).content.decode()
    svg = b64decode(page.split("data:image/svg+xml;base64,")[1].split('"')[0]).decode()
    side = int(svg.split('width="')[1].split('"')[0])
    picture = Image.new("L", (side, side), 255)
    draw = ImageDraw.Draw(picture)
    for shape in re.findall(r"M(\d+) (\d+)h(\d+)v(\d+)", svg):
        x, y, width, height = map(int, shape)
        draw.rectangle((x, y, x + width - 1, y + height - 1), fill=0)
    [read] = zxingcpp.read_barcodes(picture)
    assert read.text == Tenant.objects.get().affiliation_qr
