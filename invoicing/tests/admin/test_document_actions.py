"""What staff may do about a document: confirmed, by right, on record, and never an error page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.core import mail
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from conftest import sign_in, staff_of, work
from invoicing.admin.actions import ACTIONS
from invoicing.models import (
    Document,
    EmailDelivery,
    File,
    FiscalEvent,
    HistoryEntry,
    PacExchange,
    VoidState,
)
from invoicing.services import attention
from invoicing.tests.admin.conftest import DOUBT, LIST, act_on, issued, page_of, rejected
from pac.sandbox import Sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

WHY = "Lo confirmó el cliente por teléfono"
ROLES = {
    "operador": {action.name for action in ACTIONS},
    "soporte": {"send-again", "ask", "attach", "email"},
    "auditor": set(),
}


def do(desk: Client, document: Document, action: str, **said: Any) -> str:
    """Confirms an action; the page that comes next."""
    answer = desk.post(act_on(document, action), said, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def now_of(document: Document) -> Document:
    row: Document = Document.unscoped.get(pk=document.pk)
    return row


def doubted(api: APIClient) -> Document:
    document = issued(api, done=False)
    Document.unscoped.filter(pk=document.pk).update(
        submission_state="UNCERTAIN",
        next_attempt_at=None,
        doubtful_since=timezone.now(),
        submission_error=DOUBT,
    )
    return now_of(document)


def failed(api: APIClient) -> Document:
    document = issued(api, done=False)
    Document.unscoped.filter(pk=document.pk).update(submission_state="FAILED", next_attempt_at=None)
    return now_of(document)


def last_told(document: Document, event: str) -> HistoryEntry:
    row: HistoryEntry = HistoryEntry.unscoped.filter(owner=document, event=event).latest("id")
    return row


@pytest.mark.parametrize("role", ROLES)
def test_what_a_role_may_not_do_is_refused_and_not_offered(
    role: str, api: APIClient, box: Sandbox
) -> None:
    browser = sign_in(Client(), staff_of(role))
    documents = [issued(api), rejected(api), failed(api), doubted(api)]
    offered = "".join(browser.get(page_of(document)).content.decode() for document in documents)
    listed = browser.get(LIST).content.decode()
    for action in ACTIONS:
        allowed = action.name in ROLES[role]
        for method in (browser.get, browser.post):
            refused = method(act_on(documents[0], action.name)).status_code == 403
            assert refused is not allowed
        if not allowed:
            assert f'id="action-{action.name}"' not in offered
        if action.in_bulk:
            sent = {"action": action.name, "_selected_action": [str(documents[0].pk)]}
            assert (browser.post(LIST, sent).status_code == 403) is not allowed
            assert (f'value="{action.name}"' in listed) is allowed
    assert ('id="action-void"' in offered) is (role == "operador")
    assert ('id="action-email"' in offered) is (role != "auditor")


def test_asking_for_an_action_does_nothing_yet(desk: Client, invoice: Document) -> None:
    before = HistoryEntry.unscoped.count(), PacExchange.unscoped.count()
    for action in ACTIONS:
        assert desk.get(act_on(invoice, action.name)).status_code == 200
    assert (HistoryEntry.unscoped.count(), PacExchange.unscoped.count()) == before
    assert now_of(invoice).updated_at == invoice.updated_at
    assert desk.get(act_on(invoice, "fly")).status_code == 404


def test_what_failed_is_sent_again(desk: Client, api: APIClient, box: Sandbox) -> None:
    document = failed(api)
    assert 'id="action-send-again"' in desk.get(page_of(document)).content.decode()
    assert "En cola" in do(desk, document, "send-again", reason=WHY)
    told = last_told(document, "retried")
    assert (told.actor, told.data["reason"]) == ("rosa", WHY)
    assert WHY in LogEntry.objects.get(object_id=str(document.pk)).get_change_message()
    work()
    assert now_of(document).legal_status == "DGI_AUTHORIZED"
    assert "nada que reenviar" in do(desk, document, "send-again")


def test_the_pac_is_asked_and_who_asked_is_on_record(desk: Client, invoice: Document) -> None:
    assert "Autorizada por la DGI" in do(desk, invoice, "ask")
    assert last_told(invoice, "asked").actor == "rosa"


@pytest.mark.parametrize("action", ["ask", "attach"])
def test_a_pac_that_is_away_is_a_sentence(
    desk: Client, api: APIClient, box: Sandbox, action: str
) -> None:
    document = issued(api)
    box.options.update({"down": "refuse"})
    assert "El PAC no contesta ahora" in do(desk, document, action)
    box.options.update({"down": "503"})
    assert "El PAC no contesta ahora" in do(desk, document, action)


def test_a_missing_pdf_is_fetched(desk: Client, api: APIClient, box: Sandbox) -> None:
    document = issued(api)
    File.unscoped.filter(owner=document).delete()
    assert 'id="action-attach"' in desk.get(page_of(document)).content.decode()
    assert "El PDF del PAC está adjunto" in do(desk, document, "attach")
    assert File.unscoped.get(owner=document).kind == "PDF"


def test_it_is_voided_with_a_reason_of_the_dgis_length(desk: Client, invoice: Document) -> None:
    for reason in ("", "corto", "x" * 14, " " * 20, "x" * 1001):
        assert "id_reason" in do(desk, invoice, "void", reason=reason)
    assert not FiscalEvent.unscoped.exists()
    assert "La anulación está pedida" in do(desk, invoice, "void", reason="El cliente no compró")
    assert last_told(invoice, "void_requested").actor == "rosa"
    work()
    assert now_of(invoice).status == "VOID"
    assert "Ya está anulado" in do(desk, invoice, "void", reason="El cliente no compró")


def test_a_void_that_is_too_late_says_what_to_do_instead(
    desk: Client, api: APIClient, box: Sandbox, settings: Any
) -> None:
    document = issued(api)
    settings.PAC_VOID_WINDOW_HOURS = 0
    assert "nota de crédito" in do(desk, document, "void", reason="El cliente no compró")


def test_it_is_mailed_again_to_whom_one_says(desk: Client, invoice: Document) -> None:
    page = desk.get(act_on(invoice, "email")).content.decode()
    sending = page.partition('name="sending" value="')[2][:36]
    said = {"to": "a@b.test; c@d.test", "message": "Hola", "sending": sending}
    assert "a@b.test, c@d.test" in do(desk, invoice, "email", **said)
    do(desk, invoice, "email", **said)  # a second click
    work()
    assert [sent.to for sent in mail.outbox] == [["pagos@cliente.test"], ["a@b.test", "c@d.test"]]
    assert last_told(invoice, "email_queued").actor == "rosa"
    do(desk, invoice, "email", sending="01a2057f-2b29-7485-91ec-864493368302")
    assert EmailDelivery.unscoped.latest("id").to == ["pagos@cliente.test"]


@pytest.mark.parametrize("to", ["no-address", ", ".join(f"a{n}@b.test" for n in range(11)), "a@"])
def test_a_wrong_address_is_told_and_nothing_sent(desk: Client, invoice: Document, to: str) -> None:
    page = do(desk, invoice, "email", to=to, sending="01a2057f-2b29-7485-91ec-864493368302")
    assert 'name="sending"' in page
    assert EmailDelivery.unscoped.count() == 1


@pytest.mark.parametrize(("decision", "state"), [("adopt", "DONE"), ("disown", "FAILED")])
def test_a_doubtful_match_is_decided_with_both_sides_shown(
    desk: Client, api: APIClient, box: Sandbox, decision: str, state: str
) -> None:
    document = doubted(api)
    page = desk.get(act_on(document, "decide")).content.decode()
    for told in (document.computed_cufe, "203.30", "999.00", "Otro Receptor, S.A."):
        assert str(told) in page
    assert "id_reason" in do(desk, document, "decide", decision=decision)  # without a reason
    assert now_of(document).submission_state == "UNCERTAIN"
    do(desk, document, "decide", decision=decision, reason=WHY)
    assert now_of(document).submission_state == state
    told = HistoryEntry.unscoped.get(owner=document, actor="rosa")
    assert told.data["reason"] == WHY
    again = do(desk, document, "decide", decision=decision, reason=WHY)
    assert "Ya no espera ninguna decisión" in again


def test_the_pacs_side_is_read_from_its_answer(desk: Client, api: APIClient, box: Sandbox) -> None:
    document = doubted(api)
    theirs = {
        "id": DOUBT["document_id"],
        "cufe": document.computed_cufe,
        "issueDate": "2026-11-22T10:15:00-05:00",
        "receiver": {"name": "<b>Otro</b>", "ruc": {"ruc": "8-1-1"}},
        "totals": {"total": Decimal("555.50")},
    }
    PacExchange.unscoped.create(
        tenant=document.tenant,
        owner=document,
        method="GET",
        path="/x",
        elapsed_ms=1,
        response={"document": theirs},
    )
    page = desk.get(act_on(document, "decide")).content.decode()
    for told in ("&lt;b&gt;Otro&lt;/b&gt;", "8-1-1", "555.50", "22/11/2026 10:15", "doc-differs"):
        assert told in page


def test_an_id_that_somebody_found_at_the_pac_is_looked_at(
    desk: Client, api: APIClient, box: Sandbox
) -> None:
    document = issued(api, done=False)
    Document.unscoped.filter(pk=document.pk).update(
        submission_state="UNCERTAIN", doubtful_since=timezone.now()
    )
    assert 'id="action-identify"' in desk.get(page_of(document)).content.decode()
    do(desk, document, "identify", document_id=DOUBT["document_id"], reason=WHY)
    assert now_of(document).hinted_document_id == DOUBT["document_id"]


@pytest.mark.parametrize(("decision", "status"), [("void", "VOID"), ("not_void", "UNPAID")])
def test_a_void_in_doubt_is_decided(
    desk: Client, invoice: Document, decision: str, status: str
) -> None:
    do(desk, invoice, "void", reason="El cliente no compró")
    FiscalEvent.unscoped.update(
        next_attempt_at=None, error={"code": "void_doubted", "message": "?", "errors": []}
    )
    page = desk.get(page_of(invoice)).content.decode()
    assert 'id="action-decide-void"' in page
    assert "Anulación rechazada" in page
    do(desk, invoice, "decide-void", decision=decision, reason=WHY)
    assert now_of(invoice).status == status
    assert FiscalEvent.unscoped.get().state != VoidState.REQUESTED


def test_what_was_settled_outside_is_marked_and_taken_back(
    desk: Client, api: APIClient, box: Sandbox
) -> None:
    document = rejected(api)
    assert "id_reason" in do(desk, document, "handle", reason="")
    page = do(desk, document, "handle", reason=WHY)
    assert 'id="action-take-back"' in page
    assert 'id="action-handle"' not in page
    assert not attention.documents().exists()
    told = last_told(document, "handled")
    assert (told.actor, told.data["reason"]) == ("rosa", WHY)
    assert WHY in page
    do(desk, document, "take-back")
    assert list(attention.documents()) == [now_of(document)]


def test_a_rejected_one_is_issued_anew_and_both_lead_to_each_other(
    desk: Client, api: APIClient, box: Sandbox
) -> None:
    document = rejected(api, external_id="OC-7")
    page = do(desk, document, "reissue", reason=WHY)
    new = Document.unscoped.exclude(pk=document.pk).get()
    assert (new.external_id, new.number) == ("OC-7", "0000000002")
    assert page_of(document) in page
    assert "Emitido en lugar de" in page
    assert page_of(new) in desk.get(page_of(document)).content.decode()
    again = do(desk, document, "reissue")
    assert "Ya se emitió de nuevo" in again
    assert Document.unscoped.count() == 2


def test_one_that_breaks_todays_rules_is_not_issued_anew_and_says_why(
    desk: Client, api: APIClient, box: Sandbox, settings: Any
) -> None:
    document = rejected(api)
    Document.unscoped.filter(pk=document.pk).update(external_id="x" * 99)
    tenant = document.tenant
    tenant.pac_company_id = None
    tenant.save()
    assert "no están dados de alta" in do(desk, document, "reissue")
    assert Document.unscoped.count() == 1


def select(desk: Client, action: str, *documents: Document, **said: Any) -> str:
    sent = {"action": action, "_selected_action": [str(document.pk) for document in documents]}
    return desk.post(LIST, sent | said, follow=True).content.decode()


def test_several_are_sent_again_after_one_confirmation(
    desk: Client, api: APIClient, box: Sandbox
) -> None:
    documents = [failed(api), failed(api), issued(api, done=False)]
    asked = select(desk, "send-again", *documents)
    assert 'name="confirmed"' in asked
    assert now_of(documents[0]).submission_state == "FAILED"
    done = select(desk, "send-again", *documents, confirmed="yes", reason=WHY)
    assert [now_of(document).submission_state for document in documents] == ["QUEUED"] * 3
    assert done.count("En cola: se envía") == 2
    assert "nada que reenviar" in done
    assert HistoryEntry.unscoped.filter(event="retried", actor="rosa").count() == 2


def test_several_are_mailed_and_asked_about_at_once(desk: Client, invoice: Document) -> None:
    sending = "01a2057f-2b29-7485-91ec-864493368302"
    assert "correo está en cola" in select(desk, "email", invoice, confirmed="yes", sending=sending)
    assert "Preguntado" in select(desk, "ask", invoice, confirmed="yes")


def test_what_takes_too_long_is_left_for_another_go(
    desk: Client, invoice: Document, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoicing.admin.acting.BULK_SECONDS", -1.0)
    assert "Quedó 1 sin hacer" in select(desk, "ask", invoice, confirmed="yes")
    assert not HistoryEntry.unscoped.filter(event="asked").exists()


@pytest.mark.parametrize("action", ["void", "reissue", "delete_selected", "fly"])
def test_what_harms_is_not_done_in_bulk(desk: Client, invoice: Document, action: str) -> None:
    select(desk, action, invoice, confirmed="yes", reason="El cliente no compró nada")
    assert now_of(invoice).updated_at == invoice.updated_at
    assert not FiscalEvent.unscoped.exists()


def test_a_key_that_is_none_is_refused(desk: Client, invoice: Document) -> None:
    sent = {"action": "ask", "_selected_action": ["moon"]}
    assert desk.post(LIST, sent).status_code == 400
