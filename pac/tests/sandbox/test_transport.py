"""HTTP itself: tokens, media types, methods, connections."""

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from pac.sandbox import Options, Sandbox
from pac.tests.sandbox.caller import Caller


@pytest.mark.parametrize("header", [None, "Basic eDp5", "Bearer ", "Bearer"])
def test_a_bearer_token_is_needed(box, header):
    headers = {"Authorization": header} if header else {}
    for path in ("/pan/v1/companies", "/pan/v1/nothing"):
        assert requests.get(f"{box.url}{path}", headers=headers, timeout=5).status_code == 401


def test_another_path_is_404_and_another_method_405(alice):
    assert alice.call("GET", "/pan/v1/nothing").status_code == 404
    assert alice.call("GET", "/").status_code == 404
    answer = alice.call("PUT", "/pan/v1/invoices", {})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST")


def post(alice, content, media_type="application/json"):
    url = f"{alice.box.url}/pan/v1/invoices?idCompany={alice.ids.company_id}"
    return alice.session.post(url, content, headers={"Content-Type": media_type}, timeout=5)


def test_a_body_has_to_be_called_json(alice):
    assert post(alice, b"{}", "text/plain").status_code == 415
    assert post(alice, b"{}", "application/json; charset=utf-8").status_code == 400


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"a":NaN}',
        b"\xff",
        b"[" * 100_000,
        b'{"a":1e99999999999999999999}',
    ],
    ids=["nothing", "cut", "list", "null", "nan", "bytes", "nested", "exponent"],
)
def test_a_body_has_to_be_a_json_object(alice, content):
    assert post(alice, content).status_code == 400


def exchange(box, text):
    host, port = box.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(text.encode())
        return connection.makefile("rb").read().split(b"\r\n")[0]


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Transfer-Encoding: chunked", b"411"),
        ("Content-Length: 99999999", b"413"),
        ("Content-Length: -1", b"400"),
    ],
)
def test_a_body_of_unknown_or_great_length_is_not_read(box, header, status):
    assert status in exchange(box, f"POST /pan/v1/invoices HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n")


def test_a_connection_is_kept_alive(alice):
    first = alice.session.get(f"{alice.box.url}/nothing", timeout=5, stream=True)
    port = first.raw.connection.sock.getsockname()[1]
    assert first.json()
    second = alice.session.get(f"{alice.box.url}/nothing", timeout=5, stream=True)
    assert second.raw.connection.sock.getsockname()[1] == port
    second.close()


def test_many_callers_at_once_get_one_number_each(alice, box):
    def issue(number):
        with Caller(box, ids=alice.ids).session as session:
            session.headers["Authorization"] = "Bearer t0ken"
            url = f"{box.url}/pan/v1/invoices?idCompany={alice.ids.company_id}"
            return session.post(url, json=alice.invoice(number), timeout=5).status_code

    with ThreadPoolExecutor(16) as pool:
        statuses = list(pool.map(issue, [1 + n % 40 for n in range(80)]))
    assert (statuses.count(201), statuses.count(400)) == (40, 40)
    assert len(box.documents) == 40
    assert set(box.posts.values()) == {2}


def test_it_stops_with_connections_open_and_leaves_its_port():
    box = Sandbox(Options())
    with box, requests.Session() as session:
        session.get(f"{box.url}/nothing", timeout=5)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{box.url}/nothing", timeout=5)
