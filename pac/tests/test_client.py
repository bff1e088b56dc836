import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from decimal import Decimal

import pytest
import responses
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from pac import transport
from pac.client import Kind, PacClient
from pac.errors import (
    AlreadyVoid,
    Ambiguous,
    Duplicate,
    InsideTransaction,
    NotFound,
    Rejected,
    Unauthorized,
    Unavailable,
)

HOST = "https://pac.example"
API = f"{HOST}/pan/v1"
TOKEN = "eyJ-very-secret"
DOCUMENT = {"document": {"id": "01J0", "legalStatus": "PAC_AUTHORIZED"}}


@pytest.fixture
def kept():
    return []


@pytest.fixture
def client(kept):
    client = PacClient(base_url=f"{HOST}/", token=TOKEN, record=kept.append)
    yield client
    client.close()


@pytest.fixture
def pac():
    with responses.RequestsMock() as pac:
        yield pac


ID = "01HX"
CALLS = [
    (lambda c: c.create_company({"ruc": "1"}), "POST", "/companies", {"id": ID}),
    (lambda c: c.update_company(ID, {"name": "x"}), "PATCH", f"/companies/{ID}", {}),
    (lambda c: c.get_company(ID), "GET", f"/companies/{ID}", {"id": ID}),
    (lambda c: c.list_companies(), "GET", "/companies", [{"id": ID}]),
    (
        lambda c: c.affiliate(ID, 3),
        "GET",
        f"/company-affiliate?idCompany={ID}&affiliationType=3",
        {"qr": "https://qr"},
    ),
    (lambda c: c.create_office(ID, {}), "POST", f"/companies/{ID}/offices", {"id": "o"}),
    (lambda c: c.list_offices(ID), "GET", f"/companies/{ID}/offices", {"offices": []}),
    (lambda c: c.get_office(ID, "o"), "GET", f"/companies/{ID}/offices/o", {"id": "o"}),
    (lambda c: c.update_office(ID, "o", {}), "PATCH", f"/companies/{ID}/offices/o", None),
    (
        lambda c: c.check_digit("8-1-2", "NATURAL"),
        "GET",
        "/check-digit?ruc=8-1-2&type=NATURAL",
        {"checkDigit": "01"},
    ),
    (lambda c: c.catalogue("countries"), "GET", "/dgi/countries", []),
    (lambda c: c.issue(Kind.INVOICE, ID, {}), "POST", f"/invoices?idCompany={ID}", DOCUMENT),
    (
        lambda c: c.read(Kind.CREDIT_NOTE, ID, "01J0"),
        "GET",
        f"/credit-notes/01J0?idCompany={ID}&documents=pdf",
        DOCUMENT,
    ),
    (
        lambda c: c.find(Kind.DEBIT_NOTE, ID, "0000000001", "001"),
        "GET",
        f"/debit-notes?idCompany={ID}&numeration=0000000001&billingPoint=001",
        {"metadata": {}, "documents": []},
    ),
    (
        lambda c: c.void(Kind.INVOICE, ID, "01J0", "error de digitación"),
        "DELETE",
        f"/invoices/01J0?idCompany={ID}",
        {},
    ),
    (
        lambda c: c.notify_email(Kind.CREDIT_NOTE, ID, "01J0", "a@b.test"),
        "POST",
        f"/documents/notify-email?idCompany={ID}",
        {},
    ),
    (
        lambda c: c.notify_webhook(ID, "01J0", "https://w.test", "u", "s"),
        "POST",
        f"/documents/notify-webhook?idCompany={ID}",
        {},
    ),
]


@pytest.mark.parametrize(("call", "method", "path", "answer"), CALLS)
def test_each_call_goes_to_its_address_with_the_token(client, pac, call, method, path, answer):
    pac.add(method, API + path, json=answer)
    call(client)
    request = pac.calls[0].request
    assert request.url == API + path
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["Accept"] == "application/json"
    assert request.headers.get("Content-Type") == ("application/json" if request.body else None)


def test_decimals_travel_digit_by_digit(client, pac):
    pac.post(f"{API}/invoices", status=201, json=DOCUMENT)
    client.issue(Kind.INVOICE, ID, {"amount": Decimal("223.30"), "name": "Ñandú"})
    assert pac.calls[0].request.body == '{"amount":223.30,"name":"Ñandú"}'.encode()


def test_the_notified_document_type_is_singular(client, pac):
    pac.post(f"{API}/documents/notify-email", status=204)
    client.notify_email(Kind.DEBIT_NOTE, ID, "01J0", "a@b.test", "Hola")
    assert json.loads(pac.calls[0].request.body) == {
        "documentId": "01J0",
        "mail": "a@b.test",
        "message": "Hola",
        "documentType": "debit-note",
    }


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (302, Ambiguous),
        (400, Rejected),
        (401, Unauthorized),
        (403, Unauthorized),
        (404, NotFound),
        (408, Ambiguous),
        (422, Rejected),
        (429, Unavailable),
        (500, Ambiguous),
        (503, Ambiguous),
    ],
)
def test_each_status_is_raised_by_its_meaning(client, pac, status, meaning):
    headers = {"Location": f"{HOST}/elsewhere", "Retry-After": "7"}
    pac.post(f"{API}/invoices", status=status, json={"message": "no"}, headers=headers)
    with pytest.raises(meaning) as caught:
        client.issue(Kind.INVOICE, ID, {})
    assert type(caught.value) is meaning
    assert (caught.value.message, caught.value.status) == ("no", status)
    assert caught.value.retry_after == 7.0
    assert len(pac.calls) == 1


def test_a_used_numbering_is_a_duplicate_by_the_codes_in_use(pac):
    pac.post(f"{API}/invoices", status=400, json={"errors": [{"code": "77", "message": "x"}]})
    client = PacClient(base_url=HOST, token=TOKEN, duplicate_codes=frozenset({"77"}))
    with pytest.raises(Duplicate):
        client.issue(Kind.INVOICE, ID, {})
    client.close()


@pytest.mark.parametrize(("code", "meaning"), [("77", Duplicate), ("78", Rejected)])
def test_a_rejection_inside_a_200_is_raised_like_one_of_4xx(kept, pac, code, meaning):
    document = {
        "legalStatus": "PAC_REJECTED",
        "governmentResponse": [{"code": code, "message": "Número repetido"}],
    }
    pac.post(f"{API}/invoices", status=200, json={"document": document})
    client = PacClient(
        base_url=HOST, token=TOKEN, duplicate_codes=frozenset({"77"}), record=kept.append
    )
    with pytest.raises(Rejected) as caught:
        client.issue(Kind.INVOICE, ID, {})
    client.close()
    assert type(caught.value) is meaning
    assert (caught.value.message, caught.value.status) == ("Número repetido", 200)
    assert caught.value.answer.raw == {"document": document}
    assert (kept[0].status, kept[0].error) == (200, f"{meaning.__name__}: Número repetido")


def test_a_second_void_is_already_void(client, pac):
    pac.delete(f"{API}/invoices/01J0", status=400, json={"message": "Documento ya anulado"})
    with pytest.raises(AlreadyVoid):
        client.void(Kind.INVOICE, ID, "01J0", "error de digitación")


@pytest.mark.parametrize("status", [404, 405])
def test_a_pac_without_the_list_answers_none(client, pac, status):
    pac.get(f"{API}/invoices", status=status)
    assert client.find(Kind.INVOICE, ID, "0000000001", "001") is None


@pytest.mark.parametrize("body", [b"", b"OK", b"[]", b'{"document": {}}', b'{"id": NaN}', b"\xff"])
def test_a_2xx_that_is_not_understood_is_ambiguous(client, kept, pac, body):
    pac.post(f"{API}/invoices", status=200, body=body)
    with pytest.raises(Ambiguous) as caught:
        client.issue(Kind.INVOICE, ID, {})
    assert caught.value.status == 200
    assert kept[0].error.startswith("Ambiguous: ")


def test_an_exchange_is_kept_for_a_call_that_worked(client, kept, pac):
    pac.post(f"{API}/invoices", status=201, body=b'{"id": "01J0", "total": 1.10}')
    client.issue(Kind.INVOICE, ID, {"amount": Decimal("1.10")})
    (exchange,) = kept
    assert (exchange.method, exchange.path) == ("POST", f"/pan/v1/invoices?idCompany={ID}")
    assert (exchange.status, exchange.error) == (201, "")
    assert exchange.request == {"amount": Decimal("1.10")}
    assert exchange.response == {"id": "01J0", "total": Decimal("1.10")}
    assert exchange.elapsed_ms >= 0


def test_an_exchange_is_kept_for_a_call_that_failed(client, kept, pac):
    pac.get(f"{API}/invoices/01J0", status=502, body="<html>\0" + "x" * 9000)
    with pytest.raises(Ambiguous):
        client.read(Kind.INVOICE, ID, "01J0")
    (exchange,) = kept
    assert (exchange.status, exchange.request) == (502, None)
    assert exchange.response.startswith("<html>\ufffdxxx")
    assert len(exchange.response) == 2000
    assert exchange.error == "Ambiguous: The PAC answered 502 without a message."


def test_an_exchange_can_be_stored_as_json(client, kept, pac):
    pac.post(f"{API}/invoices", status=201, body=rb'{"id": "01J0", "x": "\u0000", "total": 1.10}')
    client.issue(Kind.INVOICE, ID, {"lines": ({"amount": Decimal("1.10")},)})
    stored = json.loads(json.dumps(asdict(kept[0]), cls=DjangoJSONEncoder))
    assert stored["request"] == {"lines": [{"amount": "1.10"}]}
    assert stored["response"] == {"id": "01J0", "x": "\ufffd", "total": "1.10"}


def test_an_exchange_is_kept_when_the_worker_is_stopped_in_the_middle(client, kept, monkeypatch):
    def stop(*args, **options):
        raise SystemExit

    monkeypatch.setattr(transport, "send", stop)
    with pytest.raises(SystemExit):
        client.issue(Kind.INVOICE, ID, {})
    assert (kept[0].status, kept[0].error) == (None, "Interrupted")


def test_no_secret_is_kept_or_logged(client, kept, pac, caplog):
    caplog.set_level("DEBUG")
    secrets = {
        "webhookSecret": "hush-1",
        "deep": [{"headers": {"X-Pac-Signature": "hush-2"}, "password": "hush-3"}],
        "certificates": {"signature": {"content": "hush-4"}},
        "kept": "yes",
    }
    pac.post(f"{API}/invoices", status=400, json={"message": "no", **secrets})
    with pytest.raises(Rejected):
        client.issue(Kind.INVOICE, ID, secrets)
    client_saw = f"{kept} {caplog.text}"
    assert "hush" not in client_saw
    assert TOKEN not in client_saw
    assert kept[0].request["kept"] == "yes"


def test_no_body_of_a_company_call_is_kept(client, kept, pac):
    pac.post(f"{API}/companies", json={"id": ID, "echo": "p12"})
    client.create_company({"certificates": "p12"})
    assert (kept[0].request, kept[0].response, kept[0].status) == (None, None, 200)


def test_an_answer_survives_a_recorder_that_fails(pac, caplog):
    def fail(exchange):
        raise OSError("disk full")

    pac.post(f"{API}/invoices", json=DOCUMENT)
    client = PacClient(base_url=HOST, token=TOKEN, record=fail)
    assert client.issue(Kind.INVOICE, ID, {}).id == "01J0"
    assert "could not be recorded" in caplog.text
    client.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.issue(Kind.INVOICE, "", {}),
        lambda c: c.read(Kind.INVOICE, ID, ""),
        lambda c: c.void(Kind.INVOICE, ID, "", "error de digitación"),
    ],
)
def test_a_missing_id_is_refused_before_it_names_something_else(client, call):
    with pytest.raises(ValueError, match=r"company|missing"):
        call(client)


def test_an_id_cannot_climb_out_of_its_path(client, pac):
    pac.get(f"{API}/companies/..%2F..%2Fx%3Fy", json={"id": ID})
    assert client.get_company("../../x?y").id == ID


@pytest.mark.parametrize("token", ["two\r\nlines", "naïve—"])
def test_a_token_that_no_header_can_carry_is_unauthorized_and_not_told(token):
    client = PacClient(base_url=HOST, token=token)
    with pytest.raises(Unauthorized) as caught:
        client.list_companies()
    assert token not in str(caught.value)
    client.close()


@pytest.mark.parametrize("base_url", ["", "pac.example", "ftp://pac.example", "http://[::1"])
def test_an_address_that_is_none_is_unavailable(base_url):
    client = PacClient(base_url=base_url, token=TOKEN)
    with pytest.raises(Unavailable):
        client.list_companies()
    client.close()


def test_the_total_deadline_is_both_time_outs_together():
    client = PacClient(base_url=HOST, token=TOKEN, connect_timeout=2, read_timeout=8)
    assert client.total_deadline == 10
    client.close()


def test_clients_may_share_a_session_without_sharing_a_token(client, pac):
    pac.get(f"{API}/companies", json=[])
    other = PacClient(base_url=HOST, token="other", session=client._session)
    other.list_companies()
    other.close()
    client.list_companies()
    sent = [call.request.headers["Authorization"] for call in pac.calls]
    assert sent == ["Bearer other", f"Bearer {TOKEN}"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "call", [lambda c: c.list_companies(), lambda c: c.download("https://files.example/a.pdf")]
)
def test_no_call_is_made_inside_a_transaction(client, kept, call):
    with transaction.atomic(), pytest.raises(InsideTransaction, match="commit first"):
        call(client)
    assert kept == []


@pytest.mark.django_db
def test_another_thread_s_transaction_does_not_matter(client, pac):
    pac.get(f"{API}/companies", json=[])
    with transaction.atomic(), ThreadPoolExecutor(1) as threads:
        assert threads.submit(client.list_companies).result() == []
