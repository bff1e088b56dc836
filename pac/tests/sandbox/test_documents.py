"""Reading, listing, announcing again, voiding."""

import pytest

from pac.tests.sandbox.caller import messages, put

REASON = {"reason": "Se emitió por un error de captura"}


def test_the_dgi_authorizes_with_its_protocol(alice):
    document = alice.issued(alice.invoice())
    assert alice.read(document["id"])["legalStatus"] == "PAC_AUTHORIZED"
    alice.box.settle()
    settled = alice.read(document["id"])
    assert settled["legalStatus"] == "DGI_AUTHORIZED"
    assert len(settled["authorizationProtocol"]) == 15
    assert (settled["cufe"], settled["qr"]) == (document["cufe"], document["qr"])


def test_reject_dgi_is_accepted_and_then_rejected(alice):
    body = put(alice.invoice(), "items.1.description", "Libro REJECT-DGI")
    rejected = alice.authorized(body)
    assert rejected["legalStatus"] == "DGI_REJECTED"
    [reason] = rejected["governmentResponse"]
    assert reason["code"] == "1602"
    assert rejected["authorizationProtocol"] is None


def test_the_verdict_comes_after_its_delay(alice, box, clock):
    box.options.dgi_delay = 30
    document_id = alice.issued(alice.invoice())["id"]
    clock.advance(seconds=29)
    assert alice.read(document_id)["legalStatus"] == "PAC_AUTHORIZED"
    clock.advance(seconds=1)
    assert alice.read(document_id)["legalStatus"] == "DGI_AUTHORIZED"


def test_without_delay_the_first_look_shows_the_verdict(alice, box):
    box.options.dgi_delay = 0
    document = alice.issued(alice.invoice())
    assert document["legalStatus"] == "PAC_AUTHORIZED"
    assert alice.read(document["id"])["legalStatus"] == "DGI_AUTHORIZED"


def test_documents_are_listed_by_number_and_billing_point(alice):
    first = alice.issued(alice.invoice(7))
    alice.issued(alice.invoice(8))
    other_point = alice.issued(alice.invoice(7, billingPoint="002"))

    def ids(**query):
        answer = alice.about("GET", "invoices", **query).json()
        assert answer["metadata"]["total"] == len(answer["documents"])
        return [each["id"] for each in answer["documents"]]

    assert ids(numeration="0000000007", billingPoint="001") == [first["id"]]
    assert ids(numeration="0000000007") == [other_point["id"], first["id"]]
    assert ids(numeration="0000000007", documentType="08") == []
    assert ids(numeration="0000000009") == []
    assert len(ids()) == 3


def test_the_list_may_be_missing(alice, box):
    box.options.list_missing = True
    assert alice.about("GET", "invoices", numeration="0000000001").status_code == 404


def test_the_list_may_lag_behind(alice, box):
    document_id = alice.issued(alice.invoice(1))["id"]
    box.options.list_behind = True
    assert alice.about("GET", "invoices", numeration="0000000001").json()["documents"] == []
    assert alice.read(document_id)["id"] == document_id
    box.options.list_behind = False
    assert alice.about("GET", "invoices", numeration="0000000001").json()["documents"]


def test_nobody_reads_another_companys_documents(alice, new_caller):
    document_id = alice.authorized(alice.invoice())["id"]
    for other in (new_caller(), new_caller("another-token")):
        assert other.about("GET", f"invoices/{document_id}").status_code == 404
        assert other.about("DELETE", f"invoices/{document_id}", REASON).status_code == 404
        assert other.about("GET", "invoices").json()["documents"] == []


def test_a_document_is_found_under_its_own_family_only(alice):
    document_id = alice.issued(alice.invoice())["id"]
    assert alice.about("GET", f"credit-notes/{document_id}").status_code == 404


def test_a_voided_document_stays_authorized(alice):
    document_id = alice.authorized(alice.invoice())["id"]
    answer = alice.about("DELETE", f"invoices/{document_id}", REASON)
    assert answer.status_code == 200
    assert alice.read(document_id)["legalStatus"] == "DGI_AUTHORIZED"
    assert alice.box.documents[0].void_reason == REASON["reason"]


def test_a_second_void_says_already(alice):
    document_id = alice.authorized(alice.invoice())["id"]
    alice.about("DELETE", f"invoices/{document_id}", REASON)
    again = alice.about("DELETE", f"invoices/{document_id}", REASON)
    assert again.status_code == 400
    assert "already" in again.json()["message"]
    assert "anulado" in again.json()["message"]


@pytest.mark.parametrize("reason", ["too short", "x" * 1001, None])
def test_a_void_needs_a_reason(alice, reason):
    document_id = alice.authorized(alice.invoice())["id"]
    answer = alice.about("DELETE", f"invoices/{document_id}", {"reason": reason})
    assert messages(answer)[0].startswith("instance.reason")


def test_only_what_the_dgi_authorized_is_voided(alice):
    document_id = alice.issued(alice.invoice())["id"]
    assert alice.about("DELETE", f"invoices/{document_id}", REASON).status_code == 400


def test_the_window_to_void_closes_after_182_hours(alice, clock):
    first = alice.authorized(alice.invoice(1))["id"]
    second = alice.authorized(alice.invoice(2))["id"]
    clock.advance(hours=182)
    assert alice.about("DELETE", f"invoices/{first}", REASON).status_code == 200
    clock.advance(seconds=1)
    late = alice.about("DELETE", f"invoices/{second}", REASON)
    assert late.status_code == 400
    assert "182" in late.json()["message"]


def test_the_pac_takes_orders_to_mail_a_document(alice):
    order = {"documentId": alice.issued(alice.invoice())["id"], "mail": "a@b.test", "message": ""}

    def send(**changes):
        return alice.about("POST", "documents/notify-email", order | changes)

    assert send(documentType="invoice").status_code == 200
    assert send(documentType="credit-note").status_code == 404
    assert send(documentType="invoices").status_code == 400
