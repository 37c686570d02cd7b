"""What can befall an answer on its way, over the real socket of the request."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from werkzeug import Request, Response

# How long a dripping answer takes for each byte.
DRIP_SECONDS = 0.1

# SO_LINGER on, with no time to linger: closing resets the connection.
_NO_LINGER = b"\1\0\0\0\0\0\0\0"


def befall(fault: str, request: Request, response: Response) -> Response:
    """Let a fault happen to a response.

    Args:
        fault: `truncate` and `drip` spoil the response; `close`, `reset`, `refuse` and `stall`
            leave none.
        request: What came, with its connection.
        response: What would be answered.

    Returns:
        The spoilt response.

    Raises:
        ConnectionError: there is none, and the connection is closed: the server's thread ends.
    """
    if fault in _SPOILING:
        response.headers["Content-Length"] = str(len(response.data))
        response.response = _SPOILING[fault](response.data)
        return response
    connection: socket.socket = request.environ["werkzeug.socket"]
    if fault == "stall":
        _read_until_closed(connection)
    elif fault == "close":
        connection.shutdown(socket.SHUT_RDWR)
    else:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        os.close(connection.detach())  # at once: the server would send a polite end first
    raise ConnectionAbortedError(fault)


def _first_half(body: bytes) -> Iterator[bytes]:
    yield body[: len(body) // 2]


def _byte_by_byte(body: bytes) -> Iterator[bytes]:
    for number in range(len(body)):
        time.sleep(DRIP_SECONDS)
        yield body[number : number + 1]


_SPOILING: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "truncate": _first_half,
    "drip": _byte_by_byte,
}


def _read_until_closed(connection: socket.socket) -> None:
    connection.settimeout(None)
    while connection.recv(65536):
        pass
