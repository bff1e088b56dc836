"""Fetching a file by a link that somebody else wrote, without becoming their errand boy."""

from __future__ import annotations

import socket
from ipaddress import IPv6Address, ip_address
from typing import Any
from urllib.parse import urlsplit

import requests

from pac import transport
from pac.errors import BadFile, Unavailable, retry_after_seconds

PDF = b"%PDF-"
_PORTS = {"http": 80, "https": 443}


class Downloader:
    """Fetches links on a bare session: no token, no cookie, no redirect, 10 MiB at most.

    A link is https to a public address, or points at `origin` itself (scheme, host and port).
    Every address of the host is checked and the connection goes to a checked one, so that a name
    that changes its answer in between (DNS rebinding) gains nothing.
    """

    def __init__(self, origin: str, *, connect_timeout: float, read_timeout: float) -> None:
        self._timeouts = {"connect_timeout": connect_timeout, "read_timeout": read_timeout}
        self._session = transport.open_session(_CheckedAdapter(origin))

    def fetch(self, url: str, expect: bytes = PDF) -> bytes:
        """The file at `url`, which begins with `expect`, within the total deadline.

        Raises `BadFile` for a refused address, an answer other than 200, a file too large or of
        another kind; `Unavailable` and `Ambiguous` when the network or the host fails.
        """
        try:
            parts = urlsplit(url)
            if parts.scheme not in _PORTS or "@" in parts.netloc:
                raise BadFile("A link is https, without a user name in it.")
            request = self._session.prepare_request(requests.Request("GET", url))
            reply = transport.send(self._session, request, **self._timeouts)
        except ValueError as error:
            raise BadFile("The link is not an address.") from error
        except transport.TooLarge as error:
            raise BadFile("The file is larger than 10 MiB.") from error
        _check_status(reply)
        if not reply.content.startswith(expect):
            raise BadFile(f"The file does not begin with {expect!r}.", status=reply.status)
        return reply.content

    def close(self) -> None:
        self._session.close()


def _check_status(reply: transport.Reply) -> None:
    if reply.status == 429 or reply.status >= 500:
        raise Unavailable(
            f"The file's host answered {reply.status}.",
            status=reply.status,
            retry_after=retry_after_seconds(reply.headers.get("Retry-After")),
        )
    if reply.status != 200:
        raise BadFile(f"The file's host answered {reply.status}.", status=reply.status)


class _CheckedAdapter(transport.BoundedAdapter):
    def __init__(self, origin: str) -> None:
        super().__init__()
        self._origin = origin

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        """Connect to the address that was checked; TLS still proves the name in the link."""
        target, options = super().build_connection_pool_key_attributes(request, verify, cert)
        scheme, host = target["scheme"], target["host"]
        port = target["port"] or _PORTS.get(scheme)
        if (scheme, host, port) == _origin(self._origin):
            return target, options
        if scheme != "https":
            raise BadFile("A link must be https.")
        address = _public_address(host, port)
        pinned = {"server_hostname": host, "assert_hostname": host}
        return {**target, "host": address}, {**options, **pinned}

    def add_headers(self, request: requests.PreparedRequest, **_: Any) -> None:
        request.headers["Host"] = urlsplit(str(request.url)).netloc


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


def _public_address(host: str, port: int | None) -> str:
    """The first address of `host`; raises `BadFile` when any of them is not public."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Unavailable(f"The name {host} has no address: {error}") from error
    except UnicodeError as error:
        raise BadFile("The link's host is not a name.") from error
    addresses = [str(entry[4][0]) for entry in found]
    if not addresses or not all(map(_is_public, addresses)):
        raise BadFile(f"The host {host} is not at a public address.")
    return addresses[0]


def _is_public(text: str) -> bool:
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        address = address.ipv4_mapped or address.sixtofour or address
    return address.is_global and not address.is_multicast
