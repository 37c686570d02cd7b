"""Scripted servers and proxies on loopback: what a network can do to a connection."""

from __future__ import annotations

import http.client
import json
import select
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

CLOSED_PORT = 9  # of the discard protocol, which no machine serves anymore
NO_LINGER = b"\1\0\0\0\0\0\0\0"  # closing a socket with this SO_LINGER resets the connection
HALF = b'HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{"operation_id"'
PLAIN = b"HTTP/1.1 400 Bad Request\r\n\r\n"
LOGIN = {"operation_id": "op-1", "registry_url": "ghcr.io", "registry_type": "ghcr"}
RUNNING = {"status": "running", "server_name": "build-1"}
DONE = {"status": "completed", "server_name": "build-1", "result": {"exit_code": 0}}


class Answer(NamedTuple):
    """HTTP response. A body that is not bytes is sent as JSON. `before` is called first."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = {}
    before: Callable[[], object] = str

    def send(self, connection: socket.socket) -> None:
        """Send the response."""
        self.before()
        body = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        headers = {"Content-Length": len(body), **self.headers}
        lines = [f"{name}: {value}\r\n" for name, value in headers.items()]
        head = f"HTTP/1.1 {self.status} -\r\n{''.join(lines)}\r\n"
        connection.sendall(head.encode() + body)


# What "serve" responds unless a test has other answers, by the last segment of the path.
ANSWERS = {
    **dict.fromkeys(["login", "login-direct"], Answer(202, LOGIN)),
    **dict.fromkeys(["op-1", "op-2"], Answer(body=DONE)),
    "logout": Answer(202, {"operation_id": "op-2"}),
}


class Server(socketserver.ThreadingTCPServer):
    """Plays one script per connection, and closes it; the last script repeats.

    The words of a script are the `do_` methods of `_Connection`, and statuses to send: 403.

    Args:
        scripts: The scripts.
        tls: Context of the server's certificate.
        target: Port that a proxy connects to.
        answers: What "serve" responds in turn, by the last segment of the path; the last repeats.
    """

    def __init__(
        self,
        *scripts: str,
        tls: ssl.SSLContext | None = None,
        target: int = 0,
        answers: Mapping[str, Sequence[Answer]] | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.port: int = self.socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.scripts, self.tls, self.target = list(scripts), tls, target
        self.answers = {name: list(given) for name, given in (answers or {}).items()}
        self.heads: list[str] = []  # of the requests that were received
        self.connections = 0
        self.sockets: list[socket.socket] = []
        self.released = threading.Event()  # ends each "stall"
        self.played = threading.Event()  # a script ended
        threading.Thread(target=self.serve_forever, args=[0.02]).start()

    @property
    def calls(self) -> list[str]:
        """The last segments of the paths that were requested, in order."""
        return [head.split()[1].rpartition("/")[2] for head in self.heads]

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.released.set()
        for connection in self.sockets:
            close(connection)
        self.server_close()  # waits until all scripts have ended

    def process_request(self, request: Any, client_address: Any) -> None:
        """Count a connection, and play a script to it in a thread."""
        self.connections += 1
        self.sockets.append(request)
        super().process_request(request, client_address)


class _Connection(socketserver.BaseRequestHandler):
    request: socket.socket
    server: Server

    def handle(self) -> None:
        with suppress(OSError):
            for word in _next(self.server.scripts).split():
                if word.isdigit():
                    Answer(int(word)).send(self.request)
                else:
                    getattr(self, f"do_{word}")()
        self.server.played.set()

    def finish(self) -> None:
        self.request.close()

    def do_hello(self) -> None:
        """Receive the first bytes."""
        self.request.recv(4096)

    def do_tls(self) -> None:
        """Perform the TLS handshake, and use TLS for all that follows."""
        assert self.server.tls
        self.request = self.server.tls.wrap_socket(self.request, server_side=True)
        self.server.sockets.append(self.request)

    def do_request(self) -> None:
        """Receive a request, or end the script if the client closes the connection."""
        with self.request.makefile("rb") as file:
            line = file.readline().decode()
            headers = http.client.parse_headers(file)
            file.read(int(headers.get("Content-Length", 0)))
        if not line:
            raise ConnectionAbortedError
        self.server.heads.append(f"{line}{headers}")

    def do_serve(self) -> None:
        """Respond to requests until the client closes the connection."""
        while True:
            self.do_request()
            name = self.server.calls[-1]
            answers = self.server.answers.get(name) or [ANSWERS.get(name, Answer(418))]
            _next(answers).send(self.request)

    def do_half(self) -> None:
        """Send half a response."""
        self.request.sendall(HALF)

    def do_drip(self) -> None:
        """Send a response whose body never ends, although the next byte always arrives soon."""
        self.do_half()
        while not self.server.released.wait(0.05):
            self.request.sendall(b" ")

    def do_plain(self) -> None:
        """Send text beneath TLS."""
        socket.socket.send(self.request, PLAIN)

    def do_relay(self) -> None:
        """Open a proxy's tunnel to the target, until one side closes it."""
        with socket.create_connection(("127.0.0.1", self.server.target)) as upstream:
            self.request.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            other = {self.request: upstream, upstream: self.request}
            while True:
                for source in select.select(other, [], [])[0]:
                    data = source.recv(65536)  # more than a record of TLS, so that none is left
                    if not data:
                        return
                    other[source].sendall(data)

    def do_stall(self) -> None:
        """Do nothing, and leave the connection open."""
        self.server.released.wait()

    def do_fin(self) -> None:
        """Close the connection, without a close_notify of TLS."""
        close(self.request)

    def do_rst(self) -> None:
        """Reset the connection."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.request.close()


def _next(queue: list[Any]) -> Any:
    return queue.pop(0) if len(queue) > 1 else queue[0]


def close(connection: socket.socket) -> None:
    """End a connection in both directions."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def unresponsive() -> Iterator[tuple[str, int]]:
    """Yield an address where no connection succeeds or fails, because its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            yield address
