"""The door of the PAC's webhooks: who gets in, with what, and what it costs."""

from __future__ import annotations

import http.client
import io
import json
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from conftest import WEBHOOK_SECRET
from tenants.models import Tenant
from webhooks.models import InboxState, PacDelivery
from webhooks.views import LIMIT

pytestmark = pytest.mark.django_db

BODY = b'{"id": "01DOCUMENT0000000000000000", "legalStatus": "DGI_AUTHORIZED"}'


def address(company: Tenant | str) -> str:
    return f"/webhooks/pac/{company if isinstance(company, str) else company.pac_company_id}"


def deliver(
    company: Tenant | str, body: bytes = BODY, secret: str | None = WEBHOOK_SECRET, **environ: Any
) -> HttpResponse:
    headers = {} if secret is None else {"X-Pac-Signature": secret}
    return Client().generic(
        "POST", address(company), body, "application/json", headers=headers, **environ
    )


def stored() -> int:
    return PacDelivery.unscoped.count()


def test_a_delivery_is_stored_word_for_word_and_is_due(alice: Tenant) -> None:
    answer = deliver(alice)
    assert (answer.status_code, answer.json()) == (200, {"received": True})
    delivery = PacDelivery.unscoped.get()
    assert (delivery.tenant, delivery.body) == (alice, BODY.decode())
    assert (delivery.state, delivery.tries) == (InboxState.WAITING, 0)
    assert delivery.next_try_at is not None


def test_it_costs_one_look_up_and_one_insert(alice: Tenant) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        deliver(alice)
    verbs = [query["sql"].split()[0] for query in queries]
    assert verbs == ["SELECT", "INSERT"]


def test_a_repeated_delivery_is_one_row_that_is_due_again_as_if_new(alice: Tenant) -> None:
    deliver(alice)
    PacDelivery.unscoped.update(next_try_at=None, tries=12, state=InboxState.UNMATCHED)
    assert deliver(alice).status_code == 200
    delivery = PacDelivery.unscoped.get()
    assert delivery.next_try_at is not None
    assert (delivery.tries, delivery.state) == (0, InboxState.WAITING)


def test_the_same_body_for_two_companies_is_two_deliveries(alice: Tenant, bob: Tenant) -> None:
    deliver(alice)
    deliver(bob)
    assert set(PacDelivery.unscoped.values_list("tenant", flat=True)) == {alice.pk, bob.pk}


# --- 404 before 403 before 413 before 400 ---------------------------------------------------------


@pytest.mark.parametrize(
    "company", ["01NOBODY000000000000000000", "x" * 500, "%00", "%ED%A0%80", "%FF", "ñ", "' OR 1=1"]
)
def test_an_unknown_company_is_404_whatever_the_secret(alice: Tenant, company: str) -> None:
    assert deliver(company).status_code == 404
    assert deliver(company, secret=None).status_code == 404


def test_a_tenant_without_a_company_at_the_pac_has_no_door(alice: Tenant) -> None:
    Tenant.objects.update(pac_company_id=None)
    assert deliver("None").status_code == 404
    assert deliver("").status_code == 404


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        " ",
        "wrong",
        WEBHOOK_SECRET[:-1],
        WEBHOOK_SECRET + "x",
        WEBHOOK_SECRET.upper(),
        "contraseña",
        "\xff\xfe",
    ],
)
def test_a_wrong_or_missing_secret_is_403_and_stores_nothing(
    alice: Tenant, secret: str | None
) -> None:
    answer = deliver(alice, b"not even JSON" * LIMIT, secret)
    assert answer.status_code == 403
    assert WEBHOOK_SECRET not in answer.content.decode()
    assert stored() == 0


def test_the_secret_of_another_company_is_403(alice: Tenant, bob: Tenant) -> None:
    Tenant.objects.filter(pk=bob.pk).update(webhook_secret="the secret of bob")
    assert deliver(alice, secret="the secret of bob").status_code == 403
    assert deliver(bob).status_code == 403
    assert deliver(bob, secret="the secret of bob").status_code == 200


@pytest.mark.parametrize("secret", [None, "", "None", WEBHOOK_SECRET])
def test_where_nobody_has_a_secret_every_webhook_is_refused(
    alice: Tenant, settings: Settings, secret: str | None
) -> None:
    settings.PAC_WEBHOOK_SECRET = ""
    Tenant.objects.update(webhook_secret="")
    assert deliver(alice, secret=secret).status_code == 403


def test_the_secret_of_the_settings_counts_where_the_tenant_has_none(
    alice: Tenant, settings: Settings
) -> None:
    settings.PAC_WEBHOOK_SECRET = "the secret of the settings"
    assert deliver(alice, secret="the secret of the settings").status_code == 403
    Tenant.objects.update(webhook_secret="")
    assert deliver(alice, secret="the secret of the settings").status_code == 200
    assert deliver(alice, secret="").status_code == 403


def test_while_the_secret_changes_the_old_and_the_new_one_count(alice: Tenant) -> None:
    Tenant.objects.update(webhook_secret="the new one", previous_webhook_secret=WEBHOOK_SECRET)
    assert deliver(alice, secret="the new one").status_code == 200
    assert deliver(alice, secret=WEBHOOK_SECRET).status_code == 200
    assert deliver(alice, secret="").status_code == 403
    Tenant.objects.update(previous_webhook_secret="")
    assert deliver(alice, secret=WEBHOOK_SECRET).status_code == 403
    assert deliver(alice, secret="").status_code == 403


def test_a_suspended_tenant_still_hears_of_its_documents(alice: Tenant) -> None:
    Tenant.objects.update(is_active=False)
    assert deliver(alice).status_code == 200


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_anything_but_a_post_is_405(alice: Tenant, method: str) -> None:
    answer = Client().generic(method, address(alice), headers={"X-Pac-Signature": WEBHOOK_SECRET})
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_no_csrf_token_is_asked_for(alice: Tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(
        address(alice), BODY, "application/json", headers={"X-Pac-Signature": WEBHOOK_SECRET}
    )
    assert answer.status_code == 200


# --- what it says -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"not JSON",
        b"{",
        b"{'id': 1}",
        b"id=1&legalStatus=DGI_AUTHORIZED",
        b"NaN",
        b'{"total": Infinity}',
        b'"\xff\xfe"',
        b'{"id": "\xed\xa0\x80"}',
        b'{"id": "a raw NUL \x00"}',
        '{"id": "x"}'.encode("utf-16"),
        b"[" * 60_000,
        b"[" * 30_000 + b"]" * 30_000,
        b'{"a":' * 12_000 + b"1" + b"}" * 4_000,
    ],
)
def test_what_is_no_json_is_400_and_not_stored(alice: Tenant, body: bytes) -> None:
    answer = deliver(alice, body)
    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Not JSON")
    assert stored() == 0


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b"true",
        b"5",
        b'"text"',
        b'[{"id": "01DOCUMENT0000000000000000"}]',
        b'{"id": null, "legalStatus": 7, "cufe": {"a": []}}',
        b'{"id": "unknown", "cufe": "unknown", "legalStatus": "SOMETHING_NEW"}',
        b'{"id": "\\u0000", "cufe": "FE\\u0000"}',
        b'{"id": "\\ud800", "\\udfff": "\\ud83d"}',
        b'{"id": 1e999999999}',
        b'{"id": -1E+99999999999999999999999999, "cufe": 0.1e-999999999999999999999}',
        b'{"id": ' + b"9" * 50_000 + b"}",
        b"[" * 300 + b"]" * 300,
        b'{"id": "' + b"x" * 60_000 + b'"}',
        b'\xef\xbb\xbf{"id": "after a byte order mark"}',
        '{"message": "Autorización: ñandú 🧾"}'.encode(),
        b'{"id": "a", "id": "b"}',
        b'{"id": "../../companies"}',
    ],
)
def test_every_other_json_is_taken_and_attended_without_harm(alice: Tenant, body: bytes) -> None:
    from webhooks import inbox

    assert deliver(alice, body).status_code == 200
    assert stored() == 1
    assert inbox.attend() == 1
    assert PacDelivery.unscoped.get().tries == 1


def json_of(size: int) -> bytes:
    return b'"' + b"x" * (size - 2) + b'"'


def test_64_kib_are_taken_and_a_byte_more_is_413(alice: Tenant) -> None:
    assert deliver(alice, json_of(LIMIT)).status_code == 200
    answer = deliver(alice, json_of(LIMIT + 1))
    assert (answer.status_code, stored()) == (413, 1)


@pytest.mark.parametrize("length", ["9" * 13, "9" * 5000, str(LIMIT + 1), "1000000000000"])
def test_a_size_announced_over_the_limit_is_413_without_reading(alice: Tenant, length: str) -> None:
    assert deliver(alice, CONTENT_LENGTH=length).status_code == 413


@pytest.mark.parametrize("length", ["abc", "-1", "+5", "1_0", "٣", "1.5", "0x10", "5, 5"])
def test_a_size_that_is_no_number_is_400(alice: Tenant, length: str) -> None:
    assert deliver(alice, CONTENT_LENGTH=length).status_code == 400
    assert stored() == 0


def test_of_a_body_longer_than_announced_only_so_much_is_read(alice: Tenant) -> None:
    assert deliver(alice, json_of(5 * LIMIT), CONTENT_LENGTH="20").status_code == 400
    assert deliver(alice, BODY + json_of(5 * LIMIT), CONTENT_LENGTH=str(len(BODY))).status_code == (
        200
    )
    assert PacDelivery.unscoped.get().body == BODY.decode()


class BrokenOff(io.RawIOBase):
    """A connection that the sender closes in the middle."""

    def readinto(self, buffer: Any) -> int:
        raise OSError("connection reset by peer")

    def read(self, size: int = -1) -> bytes:
        raise OSError("connection reset by peer")


@pytest.mark.parametrize("environ", [{"CONTENT_LENGTH": "50"}, {"wsgi.input_terminated": True}])
def test_a_body_that_breaks_off_is_400(alice: Tenant, environ: dict[str, Any]) -> None:
    answer = deliver(alice, b"", **{"wsgi.input": BrokenOff()}, **environ)
    assert answer.status_code == 400


def test_a_body_in_chunks_is_read_where_the_server_knows_its_end(alice: Tenant) -> None:
    def in_chunks(body: bytes) -> HttpResponse:
        terminated = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True}
        return deliver(alice, b"", HTTP_TRANSFER_ENCODING="chunked", **terminated)

    assert in_chunks(BODY).status_code == 200
    assert in_chunks(json_of(LIMIT + 1)).status_code == 413
    assert in_chunks(b"").status_code == 400
    assert PacDelivery.unscoped.get().body == BODY.decode()


# --- over real HTTP -----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestOverHttp:
    """With lengths that lie, which only a real connection can send."""

    def say(self, server: LiveServer, company: Tenant, head: str, body: bytes = b"") -> int:
        connection = http.client.HTTPConnection(server.thread.host, server.thread.port, timeout=5)
        connection.connect()
        request = (
            f"POST {address(company)} HTTP/1.1\r\nHost: localhost\r\n"
            f"X-Pac-Signature: {WEBHOOK_SECRET}\r\nConnection: close\r\n{head}\r\n"
        )
        connection.sock.sendall(request.encode("latin-1") + body)
        answer = http.client.HTTPResponse(connection.sock, method="POST")
        try:
            answer.begin()
            payload = json.loads(answer.read())
            assert isinstance(payload, dict)
            return answer.status
        finally:
            answer.close()
            connection.close()

    def test_no_length_and_false_lengths_are_never_a_500(
        self, alice: Tenant, live_server: LiveServer
    ) -> None:
        assert self.say(live_server, alice, "", BODY) == 400
        chunk = f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n"
        assert self.say(live_server, alice, "Transfer-Encoding: chunked\r\n", chunk) == 400
        assert self.say(live_server, alice, "Content-Length: many\r\n", BODY) == 400
        assert self.say(live_server, alice, "Content-Length: 99999999999999999\r\n") == 413
        assert self.say(live_server, alice, "Content-Length: 7\r\n", BODY) == 400
        assert stored() == 0
        assert self.say(live_server, alice, f"Content-Length: {len(BODY)}\r\n", BODY) == 200
        assert stored() == 1

    def test_a_secret_in_bytes_that_are_no_ascii_is_403(
        self, alice: Tenant, live_server: LiveServer
    ) -> None:
        server = live_server.thread
        connection = http.client.HTTPConnection(server.host, server.port, timeout=5)
        headers = {"X-Pac-Signature": "ñ\xff".encode("latin-1")}
        connection.request("POST", address(alice), BODY, headers)
        assert connection.getresponse().status == 403
        connection.close()
