"""One connection for all requests of a stage.

The fake API closes each connection after its answer, so this has a server of its own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.integration.conftest import MakeJob

OPERATION = {"operation_id": "op-1", "server_name": "build-1"}
ENDED = {**OPERATION, "status": "completed", "result": {"exit_code": 0}}
LOGIN = {"operation_id": "op-1", "registry_url": "ghcr.io", "registry_type": "ghcr"}
BUSY = {"detail": "Rate limit exceeded for this key"}

# Main: an accepted login, a poll that tells it is running, one that is refused, and its end.
# Post: a logout without an operation, after one refusal.
ANSWERS = [
    (202, LOGIN),
    (200, {**OPERATION, "status": "running"}),
    (429, BUSY),
    (200, ENDED),
    (503, BUSY),
    (204, None),
]


class KeepAliveServer(ThreadingHTTPServer):
    """Gives the answers in turn, over connections that stay open, and counts these."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = list(ANSWERS)
        self.connections = 0


class Handler(BaseHTTPRequestHandler):
    """Serves one connection, until the other side closes it."""

    protocol_version = "HTTP/1.1"
    server: KeepAliveServer

    def setup(self) -> None:
        """Count the connection."""
        super().setup()
        self.server.connections += 1

    def do_GET(self) -> None:
        """Give the next answer."""
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        status, data = self.server.answers.pop(0)
        body = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        if data is not None:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 the name is http.server's

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[KeepAliveServer]:
    """Serve, until the test is over."""
    with KeepAliveServer() as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        yield server
        server.shutdown()
        serving.join()


def test_all_requests_of_a_stage_share_one_connection(
    server: KeepAliveServer, make_job: MakeJob
) -> None:
    """Each stage connects once: polls, refusals and empty answers leave the connection open."""
    job = make_job(f"http://127.0.0.1:{server.server_port}")

    assert job.main().code == 0
    assert server.connections == 1
    assert job.post().log[-1].startswith("Logged out of ghcr.io")

    assert server.connections == 2
    assert server.answers == []
