"""The page of one document: all of it told, none of it changeable, few queries."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from conftest import body, sign_in, staff_of
from invoicing.admin import timeline
from invoicing.models import (
    Document,
    DocumentLine,
    EmailDelivery,
    File,
    HistoryEntry,
    PacExchange,
)
from invoicing.services.files import new_file
from invoicing.tests.admin.conftest import DOUBT, LIST, issued, page_of, rejected
from pac.sandbox import Sandbox
from tenants.models import Tenant, User

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

SCRIPT = "<script>alert(1)</script>"


def test_an_invoice_is_shown_with_all_that_happened(desk: Client, invoice: Document) -> None:
    page = desk.get(page_of(invoice)).content.decode()
    for told in (
        invoice.invoice_number,
        "Autorizada por la DGI",
        "Alice Comercial, S.A.",
        "155596713-2-2015 DV 59",
        "Cliente Prueba, S.A.",
        "Soporte mensual",
        "B/. 203.30",
        "Cuota al 22/12/2099",
        "Factura de operación interna",
        "Enviada al PAC",
        f"{invoice.invoice_number}.pdf",
        "pagos@cliente.test",
        "Llamada al PAC: POST",
        "&quot;information&quot;",
        "Correo: Enviado",
        "data:image/svg+xml;base64,",
    ):
        assert str(told) in page


def test_what_happened_is_told_newest_first_from_every_table(invoice: Document) -> None:
    entries = timeline.timeline_of(invoice).entries
    titles = [entry.title.partition(":")[0] for entry in entries]
    assert {"Emitida", "Autorizada por la DGI", "Llamada al PAC", "Archivo guardado"} <= set(titles)
    assert "Correo" in titles
    assert titles[-1] == "Emitida"
    assert [entry.at for entry in entries] == sorted((e.at for e in entries), reverse=True)


def test_the_oldest_of_a_long_past_are_left_out_and_that_is_said(
    desk: Client, invoice: Document
) -> None:
    HistoryEntry.unscoped.bulk_create(
        HistoryEntry(tenant=invoice.tenant, owner=invoice, event="asked", actor=f"n{number}")
        for number in range(timeline.AT_MOST)
    )
    shown = timeline.timeline_of(invoice)
    assert (len(shown.entries), shown.is_cut) == (timeline.AT_MOST, True)
    assert "n199" in {entry.actor for entry in shown.entries}
    assert "Solo se muestran los 200" in desk.get(page_of(invoice)).content.decode()


def test_its_price_is_the_same_however_much_there_is_to_tell(
    desk: Client, invoice: Document
) -> None:
    desk.get(page_of(invoice))
    with CaptureQueriesContext(connection) as few:
        desk.get(page_of(invoice))
    tenant = invoice.tenant
    for number in range(2, 12):
        rows = {"tenant": tenant, "owner": invoice}
        HistoryEntry.unscoped.create(event="asked", **rows)
        PacExchange.unscoped.create(method="GET", path="/x", elapsed_ms=1, **rows)
        EmailDelivery.unscoped.create(occasion=f"resend:{number}", to=["a@b.test"], **rows)
        note = Document.unscoped.get(pk=invoice.pk)
        note.pk, note.invoice, note.document_type = None, invoice, "02"
        note.computed_cufe = note.invoice_number = note.document_id = note.legal_status = None
        note.number, note.attempts, note._state.adding = f"{number:010d}", 0, True
        note.dgi_document_type = "04"
        note.save(force_insert=True)
    with CaptureQueriesContext(connection) as many:
        page = desk.get(page_of(invoice)).content.decode()
    assert "0001-001-0000000011" in page
    assert len(many) == len(few)
    assert len(many) <= 25


def test_a_document_of_many_lines_costs_no_more(desk: Client, api: APIClient, box: Sandbox) -> None:
    line = body()["lines"][0]
    one, many = issued(api, done=False), issued(api, done=False, lines=[line] * 30)
    desk.get(page_of(one))
    counts = []
    for document in (one, many):
        with CaptureQueriesContext(connection) as queries:
            assert desk.get(page_of(document)).status_code == 200
        counts.append(len(queries))
    assert DocumentLine.unscoped.filter(owner=many).count() == 30
    assert counts[0] == counts[1]


def test_nothing_from_outside_becomes_markup(
    desk: Client, api: APIClient, box: Sandbox, alice: Tenant
) -> None:
    receiver = body()["receiver"] | {"name": SCRIPT, "address": SCRIPT}
    lines = [body()["lines"][0] | {"description": SCRIPT}]
    document = issued(api, done=False, receiver=receiver, lines=lines, notes=SCRIPT)
    fault = {"code": SCRIPT, "message": SCRIPT, "field": None}
    Document.unscoped.filter(pk=document.pk).update(
        pac_errors=[fault],
        warnings=[fault],
        submission_error=fault,
        external_id=SCRIPT,
        qr_code_url="javascript:alert(1)",
        pac_response={"said": SCRIPT},
    )
    rows = {"tenant": alice, "owner": document}
    PacExchange.unscoped.create(
        method="GET", path=f"/{SCRIPT}", elapsed_ms=1, error=SCRIPT, response=SCRIPT, **rows
    )
    HistoryEntry.unscoped.create(event="failed", data={"error": fault, SCRIPT: SCRIPT}, **rows)
    EmailDelivery.unscoped.create(occasion="resend:1", to=[SCRIPT], message=SCRIPT, **rows)
    for address in (page_of(document), LIST):
        page = desk.get(address).content.decode()
        assert SCRIPT not in page
        assert "&lt;script&gt;alert(1)" in page
        assert 'href="javascript:' not in page


def test_secrets_are_masked_in_what_was_said(desk: Client, invoice: Document) -> None:
    PacExchange.unscoped.create(
        tenant=invoice.tenant,
        owner=invoice,
        method="PATCH",
        path="/x",
        elapsed_ms=1,
        request={"password": "hunter2"},
    )
    assert "hunter2" not in desk.get(page_of(invoice)).content.decode()


def test_its_pdf_opens_inside_the_page_and_nowhere_else(desk: Client, invoice: Document) -> None:
    file = invoice.files.get()
    assert f'src="{LIST}files/{file.pk}"' in desk.get(page_of(invoice)).content.decode()
    pdf = desk.get(f"{LIST}files/{file.pk}")
    assert b"".join(pdf.streaming_content).startswith(b"%PDF-")  # type: ignore[arg-type]
    assert pdf["Content-Type"] == "application/pdf"
    assert pdf["X-Frame-Options"] == "SAMEORIGIN"
    assert pdf["Content-Disposition"].startswith("inline")
    assert desk.get(page_of(invoice))["X-Frame-Options"] == "DENY"


def test_a_file_that_could_run_in_the_browser_is_saved_instead(
    desk: Client, invoice: Document
) -> None:
    file = new_file(invoice, "XML", "a.xml", b"<script/>")
    File.unscoped.bulk_create([file])
    answer = desk.get(f"{LIST}files/{file.pk}")
    assert b"".join(answer.streaming_content) == b"<script/>"  # type: ignore[arg-type]
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Content-Type"] == "application/octet-stream"


def test_related_documents_lead_to_each_other(
    desk: Client, api: APIClient, invoice: Document
) -> None:
    pk = api.post("/api/v1/credit-notes", {"invoice": str(invoice.pk)}).data["id"]
    note = f"/admin/invoicing/creditnote/{pk}/change/"
    assert note in desk.get(page_of(invoice)).content.decode()
    assert page_of(invoice) in desk.get(note).content.decode()


def test_a_rejected_one_says_why_and_what_can_be_done(
    desk: Client, api: APIClient, box: Sandbox
) -> None:
    page = desk.get(page_of(rejected(api))).content.decode()
    assert "Necesita atención" in page
    assert "1602" in page
    assert 'id="action-reissue"' in page
    assert 'id="qr"' not in page


def test_a_proforma_and_a_doubtful_match_are_shown_too(
    desk: Client, api: APIClient, box: Sandbox
) -> None:
    proforma = issued(api, generation_mode="PROFORM")
    assert 'id="action-void"' in desk.get(page_of(proforma)).content.decode()
    doubted = issued(api, done=False)
    Document.unscoped.filter(pk=doubted.pk).update(
        submission_state="UNCERTAIN", next_attempt_at=None, submission_error=DOUBT
    )
    assert 'id="action-decide"' in desk.get(page_of(doubted)).content.decode()


@pytest.mark.parametrize("kind", ["invoice", "creditnote", "debitnote"])
def test_nobody_adds_changes_or_deletes_one_by_hand(
    desk: Client, invoice: Document, kind: str
) -> None:
    assert desk.get(f"/admin/invoicing/{kind}/add/").status_code == 403
    assert desk.get(f"/admin/invoicing/{kind}/").status_code == 200
    assert desk.post(f"{LIST}{invoice.pk}/delete/").status_code == 403
    assert desk.post(page_of(invoice), {"total": "1"}).status_code == 403
    assert desk.get(f"{LIST}no-key/change/").status_code == 302
    assert desk.get(f"/admin/invoicing/debitnote/{invoice.pk}/change/").status_code == 302


def test_who_is_bound_to_a_tenant_sees_that_tenant_alone(
    client: Client, invoice: Document, bob: Tenant
) -> None:
    sign_in(client, staff_of("operador", tenant=bob))
    page = client.get(LIST)
    assert page.status_code == 200
    assert str(invoice.pk) not in page.content.decode()
    assert str(invoice.pk) not in client.get(LIST, {"attention": "any"}).content.decode()
    found = client.get(LIST, {"q": invoice.number, "tenant__id__exact": str(invoice.tenant_id)})
    assert str(invoice.pk) not in found.content.decode()
    assert client.get(page_of(invoice)).status_code == 302
    file = invoice.files.get()
    assert client.get(f"{LIST}files/{file.pk}").status_code == 404
    for action in ("ask", "email", "void", "handle", "reissue"):
        address = f"{LIST}{invoice.pk}/do/{action}/"
        assert client.get(address).status_code == client.post(address).status_code == 404


def test_who_may_not_see_documents_gets_neither_page_nor_file(
    client: Client, invoice: Document
) -> None:
    user = User.objects.create_user("luis", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="resend_document"))
    sign_in(client, user)
    file = invoice.files.get()
    for address in (
        LIST,
        page_of(invoice),
        f"{LIST}files/{file.pk}",
        f"{LIST}{invoice.pk}/do/ask/",
    ):
        assert client.get(address).status_code == 403
