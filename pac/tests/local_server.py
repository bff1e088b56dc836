"""A server on 127.0.0.1 that behaves as badly as a test asks for."""

import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress

Script = Callable[[socket.socket], None]


class LocalServer:
    """Runs `script(connection)` for each connection, after reading one request."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self._script, self._tls = script, tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def drip(self, connection: socket.socket, first: bytes, then: bytes) -> None:
        """Send `first`, then one byte of `then` after the other until the client goes away."""
        connection.sendall(first)
        for byte in then:
            if self.stopping.wait(0.02):
                return
            connection.sendall(bytes([byte]))

    def stop(self) -> None:
        self.stopping.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection:
            if self._tls is None:
                self._answer(connection)
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(5)
        head = b""
        while b"\r\n\r\n" not in head and (data := connection.recv(65536)):
            head += data
        head, _, body = head.partition(b"\r\n\r\n")
        length = re.search(rb"Content-Length: (\d{1,6})\r\n", head + b"\r\n")
        # Closed with a request unread, a connection is reset; only a huge one is left unread.
        while length and len(body) < int(length[1]) and (data := connection.recv(65536)):
            body += data
        self.requests.append(head)
        self._script(connection)


def reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def http(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body
