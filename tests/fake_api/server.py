"""The server beneath the fake API and the recorder."""

from __future__ import annotations

import re
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from pytest_httpserver import HTTPServer

if TYPE_CHECKING:
    from typing_extensions import Self
    from werkzeug import Request, Response


class QuickServer(HTTPServer):
    """A server that stops at once, where its base waits for half a second.

    It can also be out for a while: then nothing listens.
    """

    _outage: threading.Thread | None = None
    _over: threading.Event | None = None

    def thread_target(self) -> None:
        """Serve until it is stopped."""
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.01)

    def go_out(self, seconds: float | None) -> None:
        """Stop to listen, and come back on the same port after so many seconds, or never."""
        over = self._over = threading.Event()

        def outage() -> None:
            self.stop()
            if not over.wait(seconds):
                self.start()

        self._outage = threading.Thread(target=outage)
        self._outage.start()

    def close(self) -> None:
        """Stop for good."""
        if self._outage and self._over:
            self._over.set()
            self._outage.join()
        if self.is_running():
            self.stop()


class Served:
    """What answers all requests that come to one address, for as long as it is entered.

    Args:
        answer: Answers a request.
        host: The address to listen on.
        port: The port; 0 for any that is free.
        tls: What certificate to show, for https.
    """

    def __init__(
        self,
        answer: Callable[[Request], Response],
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = QuickServer(host=host, port=port, threaded=True, ssl_context=tls)
        self._server.expect_request(re.compile(".*")).respond_with_handler(answer)

    def __enter__(self) -> Self:
        """Start to listen."""
        self._server.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.close()

    @property
    def url(self) -> str:
        """What to give the action as api_url."""
        scheme = "https" if self._server.ssl_context else "http"
        return f"{scheme}://{self._server.host}:{self._server.port}"
