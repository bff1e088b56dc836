import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from pac import transport
from pac.client import Kind, PacClient
from pac.errors import Ambiguous, Unavailable
from pac.tests.local_server import http, reset

TIMEOUTS = {"connect_timeout": 0.1, "read_timeout": 0.2}
DEADLINE = 0.3
SLACK = 1.0  # seconds for a busy machine; the servers here would hold a caller for longer


def issue(url, **options):
    client = PacClient(base_url=url, token="t", **{**TIMEOUTS, **options})
    try:
        return client.issue(Kind.INVOICE, "01HX", {})
    finally:
        client.close()


def within_deadline(call, *args):
    started = time.monotonic()
    with pytest.raises(Ambiguous) as caught:
        call(*args)
    assert time.monotonic() - started < DEADLINE + SLACK
    return caught.value


def test_a_refused_connection_is_unavailable():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unavailable, match="refused"):
        issue(f"http://127.0.0.1:{port}")


def test_an_unknown_name_is_unavailable(monkeypatch):
    def unknown(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Unavailable, match="not known"):
        issue("http://pac.invalid")


def test_a_connect_time_out_is_unavailable():
    # Room for one in the queue, and one in it: the next SYN is not answered.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        with pytest.raises(Unavailable, match="timed out"):
            issue(f"http://127.0.0.1:{address[1]}")
        for one in waiting:
            one.close()


def test_a_failed_handshake_is_unavailable(serve):
    server = serve(lambda connection: connection.sendall(b"this is not TLS"))
    with pytest.raises(Unavailable):
        issue(f"https://127.0.0.1:{server.port}")


def test_a_reset_after_sending_is_ambiguous(serve):
    server = serve(reset)
    assert "reset" in within_deadline(issue, server.url).message
    assert len(server.requests) == 1


def test_a_connection_closed_without_an_answer_is_ambiguous(serve):
    server = serve(lambda connection: None)
    within_deadline(issue, server.url)
    assert len(server.requests) == 1


def test_a_reset_inside_the_body_is_ambiguous(serve):
    def script(connection):
        connection.sendall(http("201 Created", b'{"id": "01J0"}')[:-4])
        reset(connection)

    within_deadline(issue, serve(script).url)


def test_a_body_cut_short_is_ambiguous(serve):
    server = serve(lambda connection: connection.sendall(http("200 OK", b'{"id": "1"}')[:-4]))
    within_deadline(issue, server.url)


def test_a_silent_server_is_given_up_after_the_read_time_out(serve):
    server = serve(lambda connection: server.stopping.wait(5))
    assert "timed out" in within_deadline(issue, server.url).message


@pytest.mark.parametrize(
    ("first", "then"),
    [
        (b"", b"HTTP/1.1 200 OK\r\n" * 99),
        (b"HTTP/1.1 200 OK\r\n", b"X-Header: endless\r\n" * 99),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", b" " * 9999),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 999),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0" * 9999),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 9999),
        (b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 9999\r\n\r\n", b" " * 9999),
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 9999\r\n\r\n", b" " * 9999),
    ],
    ids=["status", "headers", "body", "chunks", "chunk-size", "until-close", "redirect", "error"],
)
def test_a_dripping_server_is_given_up_at_the_total_deadline(serve, first, then):
    server = serve(lambda connection: server.drip(connection, first, then))
    assert "time" in within_deadline(issue, server.url).message


def test_a_server_that_does_not_read_is_given_up_at_the_total_deadline(serve):
    server = serve(lambda connection: server.stopping.wait(5))
    body = b"x" * 20_000_000  # more than the buffers of both ends hold
    with transport.open_session() as session:
        request = session.prepare_request(requests.Request("POST", server.url, data=body))
        within_deadline(lambda: transport.send(session, request, **TIMEOUTS))


def test_nothing_is_sent_after_the_deadline(serve, monkeypatch):
    server = serve(lambda connection: None)
    look_up = socket.getaddrinfo

    def slow(*args, **options):
        time.sleep(DEADLINE + 0.05)
        return look_up(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(Unavailable, match="whole call"):
        issue(server.url)
    monkeypatch.undo()
    assert b"".join(server.requests) == b""


def test_a_redirect_is_not_followed(serve):
    redirect = http("302 Found", b"", "Location: /pan/v1/elsewhere")
    server = serve(lambda connection: connection.sendall(redirect))
    within_deadline(issue, server.url)
    assert len(server.requests) == 1


def test_a_body_of_more_than_10_mib_is_ambiguous(serve):
    def script(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(11):
            connection.sendall(b" " * 1024 * 1024)

    with pytest.raises(Ambiguous, match="10 MiB"):
        issue(serve(script).url, read_timeout=5)


def test_a_cookie_is_not_sent_back(serve):
    answer = http("200 OK", b'{"id": "01J0"}', "Set-Cookie: a=b; Path=/")
    server = serve(lambda connection: connection.sendall(answer))
    client = PacClient(base_url=server.url, token="t")
    for _ in range(2):
        client.issue(Kind.INVOICE, "01HX", {})
    client.close()
    assert len(server.requests) == 2
    assert b"ookie" not in b"".join(server.requests)


def test_neither_a_proxy_nor_a_netrc_is_heeded(serve, monkeypatch, tmp_path):
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server = serve(lambda connection: connection.sendall(http("200 OK", b'{"id": "01J0"}')))
    assert issue(server.url).id == "01J0"
    assert b"Authorization: Bearer t" in server.requests[0].splitlines()


def test_a_connection_is_used_again_and_threads_share_the_session(serve):
    answer = http("200 OK", b'{"id": "01J0"}').replace(b"close", b"keep-alive")

    def script(connection):
        connection.sendall(answer)
        while connection.recv(65536):
            connection.sendall(answer)

    server = serve(script)
    client = PacClient(base_url=server.url, token="t")
    with ThreadPoolExecutor(32) as threads:
        calls = [threads.submit(client.get_company, "01HX") for _ in range(200)]
        assert {call.result().id for call in calls} == {"01J0"}
    client.close()
    assert len(server.requests) <= transport.POOL_SIZE


def test_a_session_never_looks_at_a_redirect():
    with transport.open_session() as session:
        response = requests.Response()
        response.status_code, response.headers = 302, {"Location": "/x"}
        assert session.get_redirect_target(response) is None
