"""Documents in the admin: all of it visible, none of it changeable, few queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core import mail
from django.test import Client
from rest_framework.test import APIClient

from conftest import body, work
from invoicing.models import Document, EmailDelivery
from pac.sandbox import Sandbox
from tenants.models import Tenant, User

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/invoicing/invoice/"


@pytest.fixture
def desk(client: Client, db: None) -> Client:
    """A member of the operator's staff, signed in."""
    client.force_login(User.objects.create_superuser("rosa", "rosa@cifras.test", "x"))
    return client


@pytest.fixture
def invoice(api: APIClient, box: Sandbox) -> Document:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    work()
    return Document.unscoped.get(pk=pk)


def test_an_invoice_is_shown_with_all_that_happened(desk: Client, invoice: Document) -> None:
    page = desk.get(f"{LIST}{invoice.pk}/change/").content.decode()
    for told in (
        invoice.invoice_number,
        "Autorizada por la DGI",
        "Cliente Prueba, S.A.",
        "203.30",
        "Enviada al PAC",
        f"{invoice.invoice_number}.pdf",
        "pagos@cliente.test",
        "POST",
    ):
        assert str(told) in page


def test_its_pdf_can_be_opened(desk: Client, invoice: Document) -> None:
    file = invoice.files.get()
    pdf = desk.get(f"{LIST}files/{file.pk}")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")  # type: ignore[arg-type]


@pytest.mark.parametrize("term", ["0000000001", "155646463-2-2017", "OC-1"])
def test_it_is_found_by_number_ruc_and_order(
    desk: Client, api: APIClient, box: Sandbox, term: str
) -> None:
    pk = api.post("/api/v1/invoices", body(external_id="OC-1")).data["id"]
    assert pk in desk.get(LIST, {"q": term}).content.decode()


def test_the_list_takes_the_same_queries_however_long(
    desk: Client, api: APIClient, box: Sandbox, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        api.post("/api/v1/invoices", body())
    desk.get(LIST)
    with django_assert_max_num_queries(6):
        assert desk.get(LIST).status_code == 200


@pytest.mark.parametrize("kind", ["invoice", "creditnote", "debitnote"])
def test_nobody_adds_changes_or_deletes_one_by_hand(
    desk: Client, invoice: Document, kind: str
) -> None:
    assert desk.get(f"/admin/invoicing/{kind}/add/").status_code == 403
    assert desk.get(f"/admin/invoicing/{kind}/").status_code == 200
    assert desk.post(f"{LIST}{invoice.pk}/delete/").status_code == 403
    assert desk.post(f"{LIST}{invoice.pk}/change/", {"total": "1"}).status_code == 403


def act(desk: Client, action: str, invoice: Document) -> str:
    sent = {"action": action, "_selected_action": [str(invoice.pk)]}
    return desk.post(LIST, sent, follow=True).content.decode()


def test_a_mail_is_sent_again(desk: Client, invoice: Document) -> None:
    assert "correo en cola" in act(desk, "mail_again", invoice)
    work()
    assert len(mail.outbox) == 2
    assert EmailDelivery.unscoped.count() == 2


def test_what_failed_is_sent_again(desk: Client, api: APIClient, box: Sandbox) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    Document.unscoped.filter(pk=pk).update(submission_state="FAILED", next_attempt_at=None)
    failed = Document.unscoped.get(pk=pk)
    assert "en cola" in act(desk, "send_again", failed)
    work()
    assert Document.unscoped.get(pk=pk).legal_status == "DGI_AUTHORIZED"
    assert "judged" in act(desk, "send_again", failed)


def test_the_pac_is_asked_now(desk: Client, invoice: Document) -> None:
    assert "al día" in act(desk, "ask_the_pac", invoice)


def test_who_is_bound_to_a_tenant_sees_that_tenant_alone(
    client: Client, invoice: Document, bob: Tenant
) -> None:
    user = User.objects.create_user("luis", password="x", is_staff=True, tenant=bob)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view"))
    client.force_login(user)
    page = client.get(LIST)
    assert page.status_code == 200
    assert str(invoice.pk) not in page.content.decode()
    assert client.get(f"{LIST}{invoice.pk}/change/").status_code == 302
    file = invoice.files.get()
    assert client.get(f"{LIST}files/{file.pk}").status_code == 404


@pytest.mark.parametrize(("action", "state"), [("adopt_match", "DONE"), ("disown_match", "FAILED")])
def test_a_doubtful_match_is_decided(
    desk: Client, api: APIClient, box: Sandbox, action: str, state: str
) -> None:
    pk = api.post("/api/v1/invoices", body()).data["id"]
    error = {"code": "match_doubted", "message": "?", "document_id": "01J0AAAAAAAAAAAAAAAAAAAAAA"}
    Document.unscoped.filter(pk=pk).update(
        submission_state="UNCERTAIN", next_attempt_at=None, submission_error=error
    )
    act(desk, action, Document.unscoped.get(pk=pk))
    assert Document.unscoped.get(pk=pk).submission_state == state
    assert "No decision" in act(desk, action, Document.unscoped.get(pk=pk))
