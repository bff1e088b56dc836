import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest
import responses
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pac import download
from pac.client import PacClient
from pac.download import Downloader
from pac.errors import Ambiguous, BadFile, Unavailable
from pac.tests.local_server import http

ORIGIN = "https://pac.example"
LINK = "https://files.example/a.pdf?signature=s"
PDF = b"%PDF-1.7 a file"


@pytest.fixture
def fetch():
    downloader = Downloader(ORIGIN, connect_timeout=0.1, read_timeout=0.2)
    yield downloader.fetch
    downloader.close()


def resolve_to(monkeypatch, *addresses):
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]
    monkeypatch.setattr(download.socket, "getaddrinfo", lambda *args, **options: found)


@responses.activate
def test_a_file_is_fetched_without_the_token():
    responses.get(LINK, body=PDF)
    client = PacClient(base_url=ORIGIN, token="secret")
    assert client.download(LINK) == PDF
    client.close()
    assert "Authorization" not in responses.calls[0].request.headers


@responses.activate
def test_another_kind_of_file_may_be_expected(fetch):
    responses.get(LINK, body=b"<?xml version='1.0'?>")
    assert fetch(LINK, b"<?xml").startswith(b"<?xml")
    with pytest.raises(BadFile, match="PDF"):
        fetch(LINK)


@responses.activate
@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (206, BadFile),
        (302, BadFile),
        (401, BadFile),
        (403, BadFile),
        (404, BadFile),
        (429, Unavailable),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_each_status_of_a_file_s_host_has_a_meaning(fetch, status, meaning):
    responses.get(LINK, body=PDF, status=status, headers={"Location": LINK, "Retry-After": "4"})
    with pytest.raises(meaning) as caught:
        fetch(LINK)
    assert (caught.value.status, len(responses.calls)) == (status, 1)
    assert caught.value.retry_after == (4.0 if meaning is Unavailable else None)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "2002:7f00:1::",
    ],
)
def test_a_host_at_a_private_address_is_refused(fetch, monkeypatch, address):
    resolve_to(monkeypatch, "93.184.215.14", address)
    with pytest.raises(BadFile, match="public address"):
        fetch(LINK)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example/a.pdf",
        "https://127.0.0.1/a.pdf",
        "https://[::1]/a.pdf",
        "https://2130706433/a.pdf",
        "https://user:word@files.example/a.pdf",
        "http://pac.example/a.pdf",
        "https://localhost:443/a.pdf",
        "file:///etc/passwd",
        "ftp://files.example/a.pdf",
        "/etc/passwd",
        "",
        "https://",
        "https://[::1/a.pdf",
        "https://pac.example:99999/a.pdf",
        f"https://{'a' * 70}.example/a.pdf",
    ],
)
def test_an_address_that_is_not_https_and_public_is_refused(fetch, url):
    with pytest.raises(BadFile):
        fetch(url)


def test_another_port_of_the_pac_s_host_is_not_its_origin(serve):
    server = serve(lambda connection: connection.sendall(http("200 OK", PDF)))
    downloader = Downloader("http://127.0.0.1:1", connect_timeout=0.1, read_timeout=0.2)
    with pytest.raises(BadFile):
        downloader.fetch(f"{server.url}/a.pdf")
    downloader.close()
    assert server.requests == []


def test_the_pac_s_own_origin_may_be_anywhere(serve):
    server = serve(lambda connection: connection.sendall(http("200 OK", PDF)))
    downloader = Downloader(server.url, connect_timeout=0.1, read_timeout=0.2)
    assert downloader.fetch(f"{server.url}/files/a.pdf?s=1") == PDF
    downloader.close()
    assert server.requests[0].startswith(b"GET /files/a.pdf?s=1 HTTP/1.1\r\n")


def test_a_file_of_more_than_10_mib_is_refused(serve):
    def script(connection):
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n%PDF-")
        for _ in range(11):
            connection.sendall(b" " * 1024 * 1024)

    server = serve(script)
    downloader = Downloader(server.url, connect_timeout=0.1, read_timeout=5)
    with pytest.raises(BadFile, match="10 MiB"):
        downloader.fetch(f"{server.url}/a.pdf")
    downloader.close()


def test_a_name_without_an_address_is_unavailable(fetch, monkeypatch):
    def unknown(*args, **options):
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(download.socket, "getaddrinfo", unknown)
    with pytest.raises(Unavailable):
        fetch(LINK)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """The path of a key and a certificate for files.example, its own authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "files.example")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("files.example")]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "files.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + built.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def pinned(monkeypatch, certificate):
    """A downloader for which 127.0.0.1 is public, at any name, and asked for only once."""
    asked = []

    def look_up(host, port, **options):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    connect = socket.getaddrinfo
    monkeypatch.setattr(
        download.socket,
        "getaddrinfo",
        lambda host, *rest, **options: (
            connect(host, *rest, **options) if host == "127.0.0.1" else look_up(host, *rest)
        ),
    )
    monkeypatch.setattr(download, "_is_public", lambda address: bool(ip_address(address)))
    downloader = Downloader(ORIGIN, connect_timeout=0.2, read_timeout=0.2)
    downloader._session.verify = str(certificate)
    yield downloader, asked
    downloader.close()


def test_the_checked_address_is_connected_to_under_the_link_s_name(serve, tls, pinned):
    downloader, asked = pinned
    server = serve(lambda connection: connection.sendall(http("200 OK", PDF)), tls=tls)
    assert downloader.fetch(f"https://files.example:{server.port}/a.pdf") == PDF
    assert asked == ["files.example"]
    assert f"Host: files.example:{server.port}".encode() in server.requests[0].splitlines()


def test_a_certificate_for_another_name_is_unavailable(serve, tls, pinned):
    downloader, _ = pinned
    server = serve(lambda connection: connection.sendall(http("200 OK", PDF)), tls=tls)
    with pytest.raises(Unavailable):
        downloader.fetch(f"https://other.example:{server.port}/a.pdf")
    assert b"".join(server.requests) == b""


def test_a_dripping_file_over_tls_is_given_up_at_the_total_deadline(serve, tls, pinned):
    downloader, _ = pinned
    head = b"HTTP/1.1 200 OK\r\n\r\n%PDF-"
    server = serve(lambda connection: server.drip(connection, head, b" " * 9999), tls=tls)
    with pytest.raises(Ambiguous, match="time"):
        downloader.fetch(f"https://files.example:{server.port}/a.pdf")
