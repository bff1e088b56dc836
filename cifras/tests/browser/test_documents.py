"""What staff do about documents, as they do it: by the pages, from the dashboard on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone
from playwright.sync_api import expect

from cifras.tests.browser.visitor import PHONE
from conftest import body, staff_of, work
from invoicing.models import Document, FiscalEvent, PumpLease
from invoicing.tests.rows import document_row
from pac.sandbox.records import Document as Accepted

WHY = "Lo confirmó el contribuyente por teléfono"
REASON = "El cliente devolvió la compra el mismo día"


def issued(api, *, description="Asesoría técnica", **changes):
    """An invoice issued over REST, and worked on until nothing is left to do."""
    line = body()["lines"][0] | {"description": description}
    pk = api.post("/api/v1/invoices", body(lines=[line]) | changes).data["id"]
    work()
    return Document.unscoped.get(pk=pk)


def page_of(document):
    return f"/admin/invoicing/invoice/{document.pk}/change/"


@pytest.fixture
def a_week(bob):
    """What another taxpayer issued in the last days, and workers that are alive."""
    now = timezone.now()
    for role in ("pac", "mail"):
        PumpLease.objects.create(
            name=role, role=role, holder="worker-1", renewed_at=now, expires_at=now
        )
    for day, count in enumerate((1, 1, 3, 2, 3, 1, 2)):
        moment = now - timedelta(days=day)
        for _ in range(count):
            document_row(bob, issued_at=moment, legal_status="DGI_AUTHORIZED")
    document_row(bob, issued_at=now - timedelta(days=2), legal_status="PAC_AUTHORIZED")


def test_a_rejected_invoice_is_found_from_the_dashboard_and_issued_anew(
    new_visitor, a_week, api, box
):
    issued(api)
    box.options.reject_rate = 1
    issued(api, external_id="OC-7", receiver=body()["receiver"] | {"name": "Peñón Café, S.A."})
    box.options.reject_rate = 0  # what the DGI objected to has been put right

    visitor = new_visitor(staff_of("operador"))
    page = visitor.page
    visitor.open("/admin/")
    visitor.picture("dashboard")
    row = page.locator("#attention tr").filter(has_text="Rechazada por la DGI")
    visitor.follow("1", within=row)
    visitor.sees("Peñón Café, S.A.")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    visitor.follow("0001-001-0000000002")
    visitor.sees("Rechazada por la DGI", "Necesita atención")
    visitor.follow("Emitir de nuevo")
    visitor.write({"Por qué": WHY})
    visitor.press("Emitir de nuevo")
    visitor.sees("Emitido de nuevo con el número 0000000003.", "Emitido en lugar de")
    work()
    visitor.reload()
    visitor.sees("Autorizada por la DGI")
    visitor.open("/admin/")
    expect(row.get_by_role("link")).to_have_text("0")
    statuses = Document.unscoped.filter(external_id="OC-7").order_by("pk")
    assert list(statuses.values_list("legal_status", flat=True)) == [
        "DGI_REJECTED",
        "DGI_AUTHORIZED",
    ]

    visitor.open("/admin/invoicing/invoice/")
    rows = page.locator("#result_list tbody tr")
    visitor.picture("documents")
    visitor.picture("phone", size=PHONE, until=rows.nth(1))
    visitor.open("/admin/invoicing/document/monthly/")
    visitor.picture("month")


def test_a_line_that_the_dgi_rejects_is_told_on_the_page_and_marked_as_handled(
    new_visitor, api, box
):
    document = issued(api, description="REJECT-DGI")
    visitor = new_visitor(staff_of("operador"))
    visitor.open("/admin/")
    row = visitor.page.locator("#attention tr").filter(has_text="Rechazada por la DGI")
    visitor.follow("1", within=row)
    visitor.follow(f"0001-001-{document.number}")
    visitor.sees("Rechazada por la DGI", "REJECT-DGI")
    visitor.follow("Marcar como atendido")
    visitor.press("Marcar como atendido")  # without a reason
    visitor.sees("Este campo es requerido.")
    visitor.write({"Por qué": WHY})
    visitor.press("Marcar como atendido")
    visitor.sees("Marcado como atendido: ya no pide atención.", WHY)
    visitor.open("/admin/")
    expect(row.get_by_role("link")).to_have_text("0")


def test_a_lost_answer_whose_match_is_doubtful_is_decided_with_both_sides_in_view(
    new_visitor, api, box, monkeypatch
):
    wire = Accepted.wire

    def telling_wire(self, *args, **links):
        return wire(self, *args, **links) | {"receiverName": "Cliente Prueba, Sociedad Anónima"}

    monkeypatch.setattr(Accepted, "wire", telling_wire)
    box.options.drop_next = 1
    document = issued(api)
    assert document.submission_error["code"] == "match_doubted"

    visitor = new_visitor(staff_of("operador"))
    page = visitor.page
    visitor.open("/admin/")
    row = page.locator("#attention tr").filter(has_text="Coincidencia dudosa")
    visitor.follow("1", within=row)
    visitor.follow(f"0001-001-{document.number}")
    visitor.sees("Coincidencia dudosa: decidir si es la nuestra")
    visitor.follow("Decidir la coincidencia")
    differing = page.locator("#sides tr.doc-differs")
    expect(differing).to_have_count(1)
    expect(differing.get_by_role("cell")).to_have_text(
        ["Nombre del receptor", "Cliente Prueba, S.A.", "Cliente Prueba, Sociedad Anónima"]
    )
    expect(page.locator("#sides")).to_contain_text(document.computed_cufe)
    visitor.picture("doubtful-match")
    page.get_by_label("Es el nuestro: adoptarlo").check()
    visitor.write({"Por qué": WHY})
    visitor.press("Decidir la coincidencia")
    visitor.sees("Adoptado: se sigue hasta el veredicto de la DGI.")
    work()
    visitor.reload()
    visitor.sees("Autorizada por la DGI", WHY)
    assert sum(box.posts.values()) == 1


def test_an_invoice_is_voided_with_a_reason(new_visitor, api, box):
    document = issued(api)
    visitor = new_visitor(staff_of("operador"))
    visitor.open(page_of(document))
    visitor.picture(
        "document", until=visitor.page.locator(".doc-stack").first.locator("> *").nth(4)
    )
    visitor.follow("Anular")
    visitor.write({"Motivo de la anulación": REASON})
    visitor.picture("void")
    visitor.write({"Motivo de la anulación": "Equivocación"})
    visitor.press("Anular")
    visitor.sees("al menos 15")
    assert not FiscalEvent.unscoped.exists()
    visitor.write({"Motivo de la anulación": REASON})
    visitor.press("Anular")
    visitor.sees("La anulación está pedida; la respuesta llega en unos segundos.")
    work()
    visitor.reload()
    visitor.sees(REASON)
    expect(visitor.page.locator("#action-void")).to_have_count(0)
    assert Document.unscoped.get().status == "VOID"
    assert [row.void_reason for row in box.documents] == [REASON]


def test_the_email_is_sent_again_to_somebody_else(new_visitor, api, box):
    document = issued(api)
    visitor = new_visitor(staff_of("soporte"))
    visitor.open(page_of(document))
    visitor.follow("Enviar el correo otra vez")
    visitor.write({"Para": "caja@ejemplo.test, gerencia@ejemplo.test", "Mensaje": "Según pidió."})
    visitor.picture("email")
    visitor.write({"Para": "sin arroba"})
    visitor.press("Enviar el correo otra vez")
    visitor.sees("«sin arroba» no es una dirección de correo.")
    visitor.write({"Para": "caja@ejemplo.test, gerencia@ejemplo.test"})
    visitor.press("Enviar el correo otra vez")
    visitor.sees("El correo está en cola para caja@ejemplo.test, gerencia@ejemplo.test.")
    work()
    visitor.reload()
    first, again = mail.outbox
    assert first.to == ["pagos@cliente.test"]
    assert again.to == ["caja@ejemplo.test", "gerencia@ejemplo.test"]
    assert "Según pidió." in again.body
    assert [type_ for _, _, type_ in again.attachments] == ["application/pdf"]


def test_support_is_offered_no_void_and_a_forged_one_is_refused(new_visitor, api, box):
    document = issued(api)
    visitor = new_visitor(staff_of("soporte"))
    visitor.open(page_of(document))
    expect(visitor.page.locator("#action-email")).to_be_visible()
    expect(visitor.page.locator("#action-void")).to_have_count(0)
    visitor.follow("Enviar el correo otra vez")  # a page with the token that a form needs

    forge = """async ([action, reason]) => {
        const token = document.querySelector('[name=csrfmiddlewaretoken]').value
        const body = new URLSearchParams({csrfmiddlewaretoken: token, reason, to: 'no es'})
        return (await fetch(`../${action}/`, {method: 'POST', body})).status
    }"""
    reason = "El cliente no compró nada"
    assert visitor.page.evaluate(forge, ["email", reason]) == 200  # so it is not for the token
    with visitor.refused(403):
        assert visitor.page.evaluate(forge, ["void", reason]) == 403
        visitor.open(f"/admin/invoicing/invoice/{document.pk}/do/void/")
        visitor.sees("Su papel no permite esto.")
        visitor.follow("Ir al tablero")
    work()
    assert not FiscalEvent.unscoped.exists()
    assert Document.unscoped.get().status == "UNPAID"
