"""Scripted servers and proxies on loopback: what a network can do to a connection."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

NO_LINGER = b"\1\0\0\0\0\0\0\0"  # closing a socket with this SO_LINGER resets the connection
LOGIN = {"operation_id": "op-1", "registry_url": "ghcr.io", "registry_type": "ghcr"}
RUNNING = {"status": "running", "server_name": "build-1"}
DONE = {"status": "completed", "server_name": "build-1", "result": {"exit_code": 0}}
# What "serve" responds unless a test has another answer, by the last segment of the path.
ANSWERS: Mapping[str, tuple[int, Any]] = {
    "login": (202, LOGIN),
    "login-direct": (202, LOGIN),
    "op-1": (200, DONE),
    "logout": (202, {"operation_id": "op-2"}),
    "op-2": (200, DONE),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """HTTP response. `before` is called first; `drip` is the seconds between two bytes."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] | None = None
    before: Callable[[], object] = str
    drip: float = 0.0


class Server:
    """Plays one script per connection; the last script repeats.

    The words of a script:
        hello: receive the first bytes. tls: TLS handshake. head: receive a CONNECT.
        request: receive a request. serve: respond to requests until the client closes.
        403, for example: send this status. half: send half a response. plain: send text
        beneath TLS. relay: open a proxy's tunnel to `target`. pause: wait for `released`.
        fin, rst, stall: close, reset, or leave the connection open without a word.

    Args:
        scripts: The scripts.
        tls: Context of the server's certificate.
        target: Port that a proxy connects to.
        answers: What "serve" responds in turn, by the last segment of the path.
    """

    def __init__(
        self,
        *scripts: str,
        tls: ssl.SSLContext | None = None,
        target: int = 0,
        answers: Mapping[str, Sequence[Answer]] | None = None,
    ) -> None:
        self.scripts = list(scripts)
        self.answers = {name: list(given) for name, given in (answers or {}).items()}
        self.heads: list[str] = []
        self.connections = 0
        self.released = threading.Event()
        self.closed_by_client = threading.Event()
        self._tls, self._target = tls, target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.02)
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self._stopped = threading.Event()

    @property
    def calls(self) -> list[str]:
        """The last segments of the paths that were requested, in order."""
        return [head.split()[1].rpartition("/")[2] for head in self.heads]

    def __enter__(self) -> Self:
        """Start to listen."""
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        self._stopped.set()
        self.released.set()
        self._threads.pop(0).join()
        self._listener.close()
        for connection in self._open:
            close(connection)
        for thread in self._threads:
            thread.join()
        for connection in self._open:
            connection.close()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                self.connections += 1
                self._start(self._play, connection, script)

    def _play(self, connection: socket.socket, script: str) -> None:
        self._keep(connection)
        with suppress(OSError):
            for word in script.split():
                if word == "tls":
                    assert self._tls
                    connection = self._keep(self._tls.wrap_socket(connection, server_side=True))
                elif word.isdigit():
                    send(connection, Answer(status=int(word)))
                else:
                    getattr(self, f"_{word}")(connection)

    def _keep(self, connection: socket.socket) -> socket.socket:
        self._open.append(connection)
        return connection

    def _hello(self, connection: socket.socket) -> None:
        connection.recv(4096)

    def _head(self, connection: socket.socket) -> None:
        self.heads.append(receive(connection))

    def _request(self, connection: socket.socket) -> None:
        head = receive(connection)
        if not head:
            self.closed_by_client.set()
            raise ConnectionAbortedError
        self.heads.append(head)

    def _serve(self, connection: socket.socket) -> None:
        while True:
            self._request(connection)
            name = self.calls[-1]
            queue = self.answers.get(name, [])
            status, body = ANSWERS.get(name, (418, None))
            answer = Answer(status=status, body=body)
            answer = (queue.pop(0) if len(queue) > 1 else queue[0]) if queue else answer
            answer.before()
            send(connection, answer)

    def _half(self, connection: socket.socket) -> None:
        connection.sendall(b'HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{"operation_id"')

    def _plain(self, connection: socket.socket) -> None:
        socket.socket.send(connection, b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def _pause(self, _: socket.socket) -> None:
        self.released.wait(10)

    def _relay(self, connection: socket.socket) -> None:
        upstream = self._keep(socket.create_connection(("127.0.0.1", self._target)))
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            is_pending = isinstance(connection, ssl.SSLSocket) and connection.pending()
            both = [connection, upstream]
            for source in [connection] if is_pending else select.select(both, [], [])[0]:
                other = upstream if source is connection else connection
                try:
                    data = source.recv(65536)
                except ConnectionResetError:
                    return self._rst(other)
                if not data:
                    return close(other)
                other.sendall(data)

    def _fin(self, connection: socket.socket) -> None:
        close(connection)

    def _rst(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        connection.close()

    def _stall(self, _: socket.socket) -> None:
        pass


def receive(connection: socket.socket) -> str:
    """Receive a request, and return its head; an empty one if the connection was closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (more := connection.recv(65536))
        if not more:
            return ""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode().lower().splitlines()
    length = next((int(x.split(":")[1]) for x in lines if x.startswith("content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode()


def send(connection: socket.socket, answer: Answer) -> None:
    """Send a response."""
    given = b"" if answer.body is None else answer.body
    text = given if isinstance(given, str | bytes) else json.dumps(given)
    body = text.encode() if isinstance(text, str) else text
    headers = {"Content-Length": len(body), **(answer.headers or {})}
    lines = [
        f"HTTP/1.1 {answer.status} -",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode())
    for piece in (body[i : i + 1] for i in range(len(body))) if answer.drip else [body]:
        time.sleep(answer.drip)
        connection.sendall(piece)


def close(connection: socket.socket) -> None:
    """End a connection in both directions, without TLS's own farewell."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def unresponsive_address() -> Iterator[tuple[str, int]]:
    """Yield an address where no connection succeeds or fails: its backlog is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.2", 0), backlog=0))
        for _ in range(4):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)  # noqa: FBT003
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()


def closed_port() -> int:
    """Return a port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
