"""HTTP server on loopback for the fake API and the recorder, and its network faults."""

from __future__ import annotations

import logging
import os
import re
import signal
import socket
import ssl
import threading
from collections.abc import Callable

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

# SO_LINGER on, with a timeout of 0: closing the socket resets the connection.
_NO_LINGER = b"\1\0\0\0\0\0\0\0"


class LocalServer(HTTPServer):
    """Context manager that passes every request to one function; port 0 is any free port."""

    def __init__(
        self,
        handle: Callable[[Request], Response],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(host=host, port=port, threaded=True, ssl_context=tls)
        self.expect_request(re.compile(".*")).respond_with_handler(handle)
        self._outage: threading.Thread | None = None
        self._is_closed = threading.Event()

    def __exit__(self, *_: object) -> None:
        """Stop for good."""
        self._is_closed.set()
        if self._outage:
            self._outage.join()
        super().__exit__(None, None, None)

    @property
    def url(self) -> str:
        """Address of the server, for the input `api_url`."""
        return self.url_for("").rstrip("/")

    def thread_target(self) -> None:
        """Serve requests, and check every 0.01 s instead of every 0.5 s whether to stop."""
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.01)

    def wait_until_stopped(self, message: str) -> None:
        """Print a message, and wait for SIGINT or SIGTERM."""
        logging.getLogger("werkzeug").setLevel(logging.ERROR)  # its log would repeat each request
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        print(message, flush=True)
        while not stop.wait(0.2):
            pass  # a wait without timeout would not be interrupted on Windows

    def pause(self, seconds: float | None) -> None:
        """Stop listening, and return to the same port after so many seconds; None for never."""

        def outage() -> None:
            self.stop()
            if not self._is_closed.wait(seconds):
                self.start()

        self._outage = threading.Thread(target=outage)
        self._outage.start()


def inject(fault: str, request: Request, response: Response) -> Response:
    """Truncate a response, or damage the connection that it would be sent on.

    Raises:
        ConnectionAbortedError: No response is sent; the server's thread ends.
    """
    if fault == "truncate":
        body = response.data
        response.headers["Content-Length"] = str(len(body))
        response.response = [body[: len(body) // 2]]
        return response
    connection: socket.socket = request.environ["werkzeug.socket"]
    if fault == "stall":
        connection.settimeout(None)
        while connection.recv(65536):
            pass  # until the client closes the connection
    elif fault == "close":
        connection.shutdown(socket.SHUT_RDWR)
    else:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        os.close(connection.detach())  # not by the server, which would shut it down first
    raise ConnectionAbortedError(fault)
