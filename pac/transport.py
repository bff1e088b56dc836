"""HTTP for money: no retry, no redirect, no cookie, no proxy, and a deadline for the whole call.

The time-outs of sockets count from byte to byte, so a server that drips one byte a second holds a
caller for ever. Here every wait on the socket (connecting, the TLS handshake, sending, each read
of headers and body) gets what is left of the call's own time.
"""

from __future__ import annotations

import http.client
import io
import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectTimeout, InvalidSchema, InvalidURL, MissingSchema
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util.ssl_match_hostname import CertificateError

from pac.errors import Ambiguous, PacError, Unavailable

MAX_BODY = 10 * 1024 * 1024  # bytes
POOL_SIZE = 32  # connections kept per host: as many as the threads that share a session
_CHUNK = 64 * 1024


class TooLarge(Exception):
    """The body is larger than `MAX_BODY`."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A complete answer; a redirect is an answer like any other."""

    status: int
    headers: Mapping[str, str]
    content: bytes


def open_session(adapter: HTTPAdapter | None = None) -> requests.Session:
    """A pooled session that many threads may share: nothing in it changes after this."""
    session = _Session()
    session.trust_env = False  # no proxy, and no .netrc that would replace our Authorization
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.headers.update({"User-Agent": "cifras", "Accept-Encoding": "identity"})
    adapter = adapter or BoundedAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def send(
    session: requests.Session,
    request: requests.PreparedRequest,
    *,
    connect_timeout: float,
    read_timeout: float,
) -> Reply:
    """Send once, and read the whole answer within `connect_timeout + read_timeout` seconds.

    Raises `Unavailable` where nothing was sent, `Ambiguous` where it may have been, `TooLarge`.
    Looking up a name is the system's and cannot be interrupted, nor can a list of dead addresses;
    but nothing is ever sent after the deadline.
    """
    with _deadline(connect_timeout + read_timeout):
        try:
            with session.send(
                request,
                stream=True,
                allow_redirects=False,
                timeout=(connect_timeout, read_timeout),
            ) as response:
                content = _read(response)
        except (OSError, HTTPError, ValueError) as error:
            raise _lost(error) from error
    return Reply(response.status_code, response.headers, content)


def _read(response: requests.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_content(_CHUNK):
        content += chunk
        if len(content) > MAX_BODY:
            raise TooLarge
    return bytes(content)


def _lost(error: Exception) -> PacError:
    """`Unavailable` only where nothing can have been sent; any doubt is `Ambiguous`."""
    wrapped = error.args[0] if error.args and isinstance(error.args[0], Exception) else error
    reason = getattr(wrapped, "reason", None) or wrapped
    cause = getattr(reason, "__cause__", None) or (reason.args[-1:] or ("",))[0]
    unsent = (ConnectTimeout, InvalidURL, InvalidSchema, MissingSchema, UnicodeError)
    if isinstance(error, unsent) or isinstance(reason, ConnectTimeoutError):
        return Unavailable(f"Could not be reached: {cause}")
    return Ambiguous(f"No complete answer came: {cause}")


class _Clock(threading.local):
    """The moment (`time.monotonic`) at which this thread's call must have ended."""

    ends_at = math.inf

    def left(self) -> float:
        """Seconds left, above zero; raises `TimeoutError` when there are none."""
        seconds = self.ends_at - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time for the whole call is over")
        return seconds


_clock = _Clock()


@contextmanager
def _deadline(seconds: float) -> Iterator[None]:
    _clock.ends_at = time.monotonic() + seconds
    try:
        yield
    finally:
        _clock.ends_at = math.inf


class _Session(requests.Session):
    def get_redirect_target(self, resp: Any) -> None:
        """No redirect is followed; asked, requests would read its whole body into memory."""


class _BoundedReader(io.RawIOBase):
    """Reads of a socket, each within the read time-out and what is left of the call."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock, self._read_timeout = raw, sock, sock.gettimeout()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(min(self._read_timeout or math.inf, _clock.left()))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_BoundedReader(self.fp.detach(), sock))


class _Bounded(HTTPConnection):
    response_class = _BoundedResponse

    def connect(self) -> None:
        """Whatever fails in here (name, address, TLS) is a connection that never was."""
        try:
            super().connect()
            _clock.left()
        except (NewConnectionError, ConnectTimeoutError):
            raise
        except (OSError, CertificateError, HTTPError) as error:
            self.close()
            raise NewConnectionError(self, str(error)) from error

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        self.sock.settimeout(_clock.left())
        super().send(data)


class _BoundedTLS(_Bounded, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTLS


class BoundedAdapter(HTTPAdapter):
    """requests' adapter over connections that keep to the call's deadline; it never retries."""

    def __init__(self) -> None:
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}
