"""The sockets: HTTP/1.1 with connections kept alive, one thread each, and a clean end."""

import logging
import socket
import struct
import sys
import threading
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from socketserver import TCPServer
from typing import Any

from pac.sandbox.application import Application
from pac.sandbox.wire import Cut, Request, Response

LARGEST_BODY = 10 * 1024 * 1024
# Closing a socket that lingers for 0 seconds sends RST instead of FIN.
LINGER_ZERO = struct.pack("ii", 1, 0)

logger = logging.getLogger(__name__)


class Server(ThreadingHTTPServer):
    """Serves an Application; knows its open connections, so that it can close them all."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 1024

    def __init__(self, address: tuple[str, int], application: Application) -> None:
        self.application = application
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._reset: set[socket.socket] = set()
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-http", daemon=True)
        super().__init__(address, Handler)

    def start(self) -> None:
        """Begin to serve, in a thread."""
        self._acceptor.start()

    def stop(self) -> None:
        """Close every connection and wait until every thread is gone."""
        self.stopping.set()
        # One last connection, our own, wakes the acceptor: no polling, and no waiting for a poll.
        with suppress(OSError):
            socket.create_connection((self.server_name, self.server_port), timeout=1).close()
        self._acceptor.join()
        self.server_close()
        with self._lock:
            open_now = dict(self._connections)
            for connection in open_now:
                _shut(connection)
        for thread in open_now.values():
            thread.join()

    def _accept(self) -> None:
        while not self.stopping.is_set():
            self.handle_request()

    def reset_connection(self, connection: socket.socket) -> None:
        """Have the connection end with RST, as if the peer had died."""
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_ZERO)
        with self._lock:
            self._reset.add(connection)

    # What follows is called by socketserver.

    def server_bind(self) -> None:
        """Leaves out the base class's look-up of our own name, which can take seconds."""
        TCPServer.server_bind(self)
        host, self.server_port = self.server_address[:2]
        self.server_name = str(host)

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="sandbox-connection",
            daemon=True,
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.pop(request, None)
            must_reset = request in self._reset
            self._reset.discard(request)
        if must_reset:
            # The polite shutdown of the base class would send FIN first.
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are daily business here; anything else is a fault of ours."""
        if not isinstance(sys.exception(), OSError):
            logger.exception("A connection from %s failed", client_address)


class Handler(BaseHTTPRequestHandler):
    """Reads a request whole, hands it on, writes the answer in one piece."""

    protocol_version = "HTTP/1.1"
    server_version = "SandboxPAC"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def _serve(self) -> None:
        body = self._read_body()
        if body is None:
            return
        request = Request.of(
            self.command, self.path, dict(self.headers.items()), body, self._from_loopback()
        )
        outcome = self.server.application.handle(request)
        if isinstance(outcome, Cut):
            self._cut(outcome)
        else:
            self._answer(outcome)

    do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = do_HEAD = do_OPTIONS = _serve  # noqa: N815

    def _read_body(self) -> bytes | None:
        """The body, or None where the request was refused unread (the connection then ends)."""
        length = self.headers.get("Content-Length", "0")
        refusal = None
        if "Transfer-Encoding" in self.headers:
            refusal = HTTPStatus.LENGTH_REQUIRED
        elif not (length.isascii() and length.isdigit()):
            refusal = HTTPStatus.BAD_REQUEST
        elif len(length) > 10 or int(length) > LARGEST_BODY:
            refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        if refusal is not None:
            self.close_connection = True
            self._answer(Response(refusal, {"message": refusal.phrase}))
            return None
        return self.rfile.read(int(length))

    def _from_loopback(self) -> bool:
        return ip_address(self.client_address[0].partition("%")[0]).is_loopback

    def _answer(self, response: Response) -> None:
        content = response.encoded()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in response.headers.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
        self.wfile.flush()

    def _cut(self, cut: Cut) -> None:
        if cut.delay:
            self.server.stopping.wait(cut.delay)
        self.close_connection = True
        self.server.reset_connection(self.connection)

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug("%s %s", self.address_string(), format % args)


def _shut(connection: socket.socket) -> None:
    """Wake the thread that reads from this connection: it reads the end."""
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("A connection was gone already")
