"""Which language is spoken where: Spanish or English to the staff, English by the API, and Spanish
to receivers, whoever makes it be written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core import mail
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.formats import date_format, number_format
from django.utils.translation import trans_real
from django_q.models import Failure
from pypdf import PdfReader
from rest_framework.test import APIClient

from cifras.tests.test_translations import catalogue
from conftest import body, sign_in, work
from invoicing import schedules
from invoicing.models import Breaker, Document, PumpLease
from pac.sandbox import Sandbox
from tenants.models import Tenant, User
from webhooks.models import PacDelivery

# Words that stand in one of the two languages only, and in nobody's name.
SPANISH = re.compile(
    r"\b(el|los|las|del|para|por|una|sus?|está|más|aquí|hasta|desde|ningun[ao]|cada)\b", re.I
)
ENGLISH = re.compile(r"\b(the|of|is|are|to|your|this|with|select|search|all|show|by|from)\b", re.I)
# What tests, the PAC and django-q wrote into rows stays as it is.
DATA = re.compile(
    r"Can (add|change|delete|view) |Puede |Pago a|Alice|Autorizad[ao] el uso|cifras\.test"
    r"|reap webhooks|set to|look at|\.[a-z_]+\b.*\.[a-z_]+"
)

pytestmark = pytest.mark.any_database


@pytest.fixture
def desk(db: None) -> Client:
    """A superuser's browser."""
    return sign_in(Client(), User.objects.create_superuser("rosa", "rosa@cifras.test", "x"))


def choose(browser: Client, language: str) -> None:
    answer = browser.post(reverse("set_language"), {"language": language, "next": "/admin/"})
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


# --- who chooses ----------------------------------------------------------------------------------


def test_staff_read_spanish_whatever_their_browser_asks_for(desk: Client) -> None:
    page = desk.get("/admin/", headers={"accept-language": "en"}).content.decode()
    assert '<html lang="es"' in page
    assert "Facturas" in page


def test_staff_choose_english_in_the_admin_and_it_is_kept(desk: Client) -> None:
    assert f'action="{reverse("set_language")}"' in desk.get("/admin/").content.decode()
    choose(desk, "en")
    page = desk.get("/admin/").content.decode()
    assert '<html lang="en"' in page
    assert "Credit notes" in page
    cookie = desk.cookies["django_language"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (31536000, True, "Lax")
    choose(desk, "es")
    assert "Notas de crédito" in desk.get("/admin/").content.decode()


def test_the_choice_holds_at_the_door_already(client: Client, db: None) -> None:
    choose(client, "en")
    door = texts(client.get(reverse("admin:login")).content.decode())
    assert {"Authorized staff", "Verification code", "Sign in", "español"} <= door
    client.force_login(User.objects.create_user("new", is_staff=True))
    shown = texts(client.get(reverse("admin:second_factor")).content.decode())
    assert "Before you sign in for the first time" in shown
    assert not [text for text in door | shown if SPANISH.search(text)]


@pytest.mark.parametrize("chosen", ["fr", "en\r\nX: y", "../en", ""])
def test_a_cookie_of_no_language_of_ours_is_spanish(client: Client, db: None, chosen: str) -> None:
    client.cookies["django_language"] = chosen
    assert "Personal autorizado" in client.get(reverse("admin:login")).content.decode()


def test_the_api_speaks_english_whatever_the_cookie_says(api: APIClient) -> None:
    api.cookies["django_language"] = "es"
    refused = api.post("/api/v1/invoices", {"lines": []}).json()
    assert "This field is required." in {error["detail"] for error in refused["errors"]}


def test_the_schema_is_english(client: Client, db: None) -> None:
    schema = client.get("/api/schema/").content.decode()
    assert "Authorized by the DGI" in schema
    assert "Autorizada por la DGI" not in schema


@pytest.mark.parametrize("language", ["es", "en"])
def test_dates_and_money_have_panamas_form(language: str) -> None:
    with translation.override(language):
        moment = timezone.datetime(2026, 11, 22, 15, 43)
        assert date_format(moment, "SHORT_DATETIME_FORMAT") == "22/11/2026 15:43"
        assert date_format(moment, "DATE_FORMAT") == "22/11/2026"
        assert number_format(1234.56, 2, use_l10n=True, force_grouping=True) == "1,234.56"


# --- receivers read Spanish -----------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_proforma_posted_through_the_api_is_printed_in_spanish(api: APIClient) -> None:
    made = api.post("/api/v1/invoices", body(generation_mode="PROFORM")).data
    answer = api.get(f"/api/v1/invoices/{made['id']}/pdf")
    [page] = PdfReader(BytesIO(answer.getvalue())).pages
    assert {"Cantidad", "Crédito", "Contribuyente", "Vence"} <= set(page.extract_text().split())


@pytest.mark.django_db(transaction=True)
def test_the_e_mail_is_spanish_whoever_sends_it_again(
    api: APIClient, box: Sandbox, desk: Client
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    work()
    choose(desk, "en")
    mail.outbox.clear()
    page = f"/admin/invoicing/invoice/{pk}/do/email/"
    assert desk.post(page, {"to": "", "sending": str(uuid4())}).status_code == 302
    work()
    assert [message.subject.split()[0] for message in mail.outbox] == ["Factura"]


# --- every page in one language -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_no_page_mixes_the_languages(
    api: APIClient, box: Sandbox, alice: Tenant, desk: Client
) -> None:
    fill(api, alice)
    pages = sorted(addresses(desk))
    assert len(pages) > 50
    spanish = {text.strip() for text in differing(catalogue("en"))}
    english = {text.strip() for text in differing(trans_real.translation("es")._catalog)}
    english -= spanish | {"English"}  # a language is named in itself
    wrong = []
    for language, foreign, words in (("en", spanish, SPANISH), ("es", english, ENGLISH)):
        choose(desk, language)
        for page in pages:
            answer = desk.get(page, follow=True)
            assert answer.status_code == 200, page
            for text in texts(answer.content.decode()):
                if text in foreign or (words.search(text) and not DATA.search(text)):
                    wrong.append(f"{language} {page}: {text}")
    assert not wrong, "\n".join(wrong)


def fill(api: APIClient, alice: Tenant) -> None:
    """A row of as many pages as there may be."""
    pk = api.post("/api/v1/invoices", body()).data["id"]
    api.post("/api/v1/customers", {"type": "CONSUMIDOR_FINAL", "name": "Ana"})
    work()
    invoice = Document.unscoped.get(pk=pk)
    other = api.post("/api/v1/invoices", body()).data["id"]
    work()
    api.post("/api/v1/credit-notes", {"invoice": other})
    api.post("/api/v1/invoices", body(generation_mode="PROFORM"))
    work()
    api.post(f"/api/v1/invoices/{pk}/void", {"reason": "Lorem ipsum dolor sit amet"})
    work()
    rosa = User.objects.get(username="rosa")
    LogEntry.objects.log_actions(rosa.pk, [invoice], CHANGE, change_message="x", single_object=True)
    now = timezone.now()
    PacDelivery.unscoped.create(tenant=alice, body="{}", digest="0")
    PumpLease.objects.create(name="p", role="pac", holder="h", renewed_at=now, expires_at=now)
    Breaker.objects.create(key="k" * 64, failures=9, retry_at=now, reason="x")
    Failure.objects.create(id="1" * 32, name="n", func="f", started=now, stopped=now, success=False)
    schedules.install()


def addresses(desk: Client) -> Iterator[str]:
    """The index, every list, every page to add, one row of each, and what stands beside them."""
    for name in (
        "index",
        "password_change",
        "tenants_tenant_onboarding_begin",
        "invoicing_document_monthly",
    ):
        yield reverse(f"admin:{name}")
    asked = desk.get("/admin/").wsgi_request
    for model, page in admin.site._registry.items():
        names = (model._meta.app_label, model._meta.model_name)
        yield reverse("admin:{}_{}_changelist".format(*names))
        row = page.get_queryset(asked).order_by("pk").first()
        if row is not None:
            yield reverse("admin:{}_{}_change".format(*names), args=[row.pk])
    for model in (User, Tenant):
        yield add_page(model)
    tenant = Tenant.objects.get()
    yield reverse("admin:tenants_tenant_history", args=[tenant.pk])
    yield reverse("admin:tenants_tenant_onboarding", args=[tenant.pk])
    invoice = Document.unscoped.filter(document_type="01").earliest("pk")
    for name in ("email", "void", "handle", "decide-void"):
        yield reverse("admin:invoicing_invoice_act", args=[invoice.pk, name])
    for name in ("suspend", "renew", "new_office", "new_numbers", "rotate_webhook"):
        yield reverse(f"admin:tenants_tenant_{name}", args=[tenant.pk])


def add_page(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")


def differing(translations: Any) -> Iterator[str]:
    """The msgids that are shown as they are, and have another text in the other language."""
    for key, text in translations.items():
        if isinstance(key, str) and key and "%(" not in key and text != key:
            yield key


class Texts(HTMLParser):
    """What a page lets people read: its texts, and the attributes that are shown."""

    SHOWN = ("title", "placeholder", "aria-label", "alt")
    UNREAD = ("script", "style", "code", "pre")

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.found.update(given[name] or "" for name in self.SHOWN if name in given)
        if tag == "input" and given.get("type") in ("submit", "button"):
            self.found.add(given.get("value") or "")
        if tag not in VOID:
            is_icon = "material-symbols-outlined" in (given.get("class") or "")
            self.open.append((tag, is_icon or tag in self.UNREAD))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(is_unread for _, is_unread in self.open):
            self.found.add(" ".join(data.split()))


VOID = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "path"))


def texts(page: str) -> set[str]:
    parser = Texts()
    parser.feed(page)
    return parser.found - {""}
