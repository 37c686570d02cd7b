"""Scripted servers and proxies on loopback: what a network can do to a connection."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from typing_extensions import Self

NO_LINGER = b"\1\0\0\0\0\0\0\0"  # closing a socket with this SO_LINGER resets the connection
HALF = b'HTTP/1.1 202 Accepted\r\nContent-Length: 500\r\n\r\n{"operation_id"'
PLAIN = b"HTTP/1.1 400 Bad Request\r\n\r\n"
LOGIN = {"operation_id": "op-1", "registry_url": "ghcr.io", "registry_type": "ghcr"}
RUNNING = {"status": "running", "server_name": "build-1"}
DONE = {"status": "completed", "server_name": "build-1", "result": {"exit_code": 0}}


class Answer(NamedTuple):
    """HTTP response. `before` is called first; `drip` is the seconds between two bytes."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = {}
    before: Callable[[], object] = str
    drip: float = 0.0

    def send(self, connection: socket.socket) -> None:
        """Send the response. A body that is neither text nor bytes is sent as JSON."""
        self.before()
        text = self.body if isinstance(self.body, str | bytes) else json.dumps(self.body)
        body = text.encode() if isinstance(text, str) else text
        lines = [f"{name}: {value}\r\n" for name, value in self.headers.items()]
        head = f"HTTP/1.1 {self.status} -\r\nContent-Length: {len(body)}\r\n{''.join(lines)}\r\n"
        connection.sendall(head.encode())
        for piece in (body[i : i + 1] for i in range(len(body))) if self.drip else [body]:
            time.sleep(self.drip)
            connection.sendall(piece)


# What "serve" responds unless a test has other answers, by the last segment of the path.
ANSWERS = {
    **dict.fromkeys(["login", "login-direct"], Answer(202, LOGIN)),
    **dict.fromkeys(["op-1", "op-2"], Answer(body=DONE)),
    "logout": Answer(202, {"operation_id": "op-2"}),
}


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
        self.heads: list[str] = []  # of the requests that were received
        self.connections = 0
        self.released, self.closed_by_client = threading.Event(), threading.Event()
        self.played = threading.Event()  # a script ended
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
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
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
        self._threads.append(threading.Thread(target=target, args=args))
        self._threads[-1].start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                connection, _ = self._listener.accept()
                script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
                self.connections += 1
                self._open.append(connection)
                self._start(self._play, connection, script)

    def _play(self, connection: socket.socket, script: str) -> None:
        with suppress(OSError):
            for word in script.split():
                if word == "tls":
                    assert self._tls
                    connection = self._tls.wrap_socket(connection, server_side=True)
                    self._open.append(connection)
                elif word.isdigit():
                    Answer(int(word)).send(connection)
                else:
                    self._do(word, connection)
        self.played.set()

    def _do(self, word: str, connection: socket.socket) -> None:
        actions: dict[str, Callable[[], object]] = {
            "hello": lambda: connection.recv(4096),
            "head": lambda: self.heads.append(receive(connection)),
            "request": lambda: self._request(connection),
            "serve": lambda: self._serve(connection),
            "half": lambda: connection.sendall(HALF),
            "plain": lambda: socket.socket.send(connection, PLAIN),
            "relay": lambda: self._relay(connection),
            "pause": lambda: self.released.wait(10),
            "fin": lambda: close(connection),
            "rst": lambda: reset(connection),
            "stall": lambda: None,
        }
        actions[word]()

    def _request(self, connection: socket.socket) -> None:
        try:
            head = receive(connection)
        except OSError:  # without TLS's own goodbye
            head = ""
        if not head:
            self.closed_by_client.set()
            raise ConnectionAbortedError
        self.heads.append(head)

    def _serve(self, connection: socket.socket) -> None:
        while True:
            self._request(connection)
            name = self.calls[-1]
            queue = self.answers.get(name) or [ANSWERS.get(name, Answer(418))]
            (queue.pop(0) if len(queue) > 1 else queue[0]).send(connection)

    def _relay(self, connection: socket.socket) -> None:
        upstream = socket.create_connection(("127.0.0.1", self._target))
        self._open.append(upstream)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            is_pending = isinstance(connection, ssl.SSLSocket) and connection.pending()
            both = [connection, upstream]
            for source in [connection] if is_pending else select.select(both, [], [])[0]:
                other = upstream if source is connection else connection
                try:
                    data = source.recv(65536)
                except ConnectionResetError:
                    return reset(other)
                if not data:
                    return close(other)
                other.sendall(data)


def receive(connection: socket.socket) -> str:
    """Receive a request, and return its head; an empty one if the connection was closed."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += (more := connection.recv(65536))
        if not more:
            return ""
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
    while len(body) < length:
        body += connection.recv(65536)
    return head.decode()


def close(connection: socket.socket) -> None:
    """End a connection in both directions, without TLS's own farewell."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def reset(connection: socket.socket) -> None:
    """Reset a connection."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    connection.close()


@contextmanager
def unresponsive() -> Iterator[tuple[str, int]]:
    """Yield an address where no connection succeeds or fails, because its backlog is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            yield address


def closed_port() -> int:
    """Return a port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
