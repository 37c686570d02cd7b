"""A server between the action and a real Reoclo API, that keeps what the two say."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import SplitResult, urlsplit

from werkzeug import Request, Response

from tests.fake_api.server import Served

TIMEOUT_SECONDS = 60
# What is passed on; all else is between two neighbours.
_REQUEST_HEADERS = ("Authorization", "Content-Type", "Accept", "User-Agent")
_ANSWER_HEADERS = ("Content-Type", "Retry-After", "Location")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A request, and its answer. `at` is when it came, in seconds of any clock."""

    at: float
    method: str
    path: str
    key: str
    body: Any
    status: int
    retry_after: str
    answer: Any


class Recorder(Served):
    """Passes requests on to a real API, and keeps them with their answers.

    Args:
        api_url: The real API; https, or http on this machine.
        port: The port to listen on; 0 for any that is free.
        tls: What certificates of the real API to trust; those of the system by default.

    Raises:
        ValueError: the address is not one that a key may be sent to.
    """

    def __init__(self, api_url: str, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._target = _checked(api_url)
        self._tls = tls or ssl.create_default_context()
        self._lock = threading.Lock()
        super().__init__(self._pass_on, port=port)
        self.heard: list[Heard] = []
        self.failures: list[str] = []

    @property
    def host(self) -> str:
        """The real API's host."""
        return self._target.hostname or ""

    def _pass_on(self, request: Request) -> Response:
        at = time.monotonic()
        try:
            status, headers, content = self._ask(request)
        except (OSError, http.client.HTTPException) as error:
            self.failures.append(f"{request.method} {request.path}: {error}")
            return Response(status=502)
        with self._lock:
            self.heard.append(_heard(at, request, status, headers, content))
        return Response(content, status, headers)

    def _ask(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        """Send a request to the real API; a redirect is an answer as any other."""
        connection = self._connect()
        given = request.headers
        headers = {name: given[name] for name in _REQUEST_HEADERS if name in given}
        try:
            path = self._target.path.rstrip("/") + request.full_path.rstrip("?")
            connection.request(request.method, path, request.data or None, headers)
            answer = connection.getresponse()
            kept = {name: answer.headers[name] for name in _ANSWER_HEADERS if answer.headers[name]}
            return answer.status, kept, answer.read()
        finally:
            connection.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._target.scheme == "http":
            return http.client.HTTPConnection(self.host, self._target.port, timeout=TIMEOUT_SECONDS)
        return http.client.HTTPSConnection(
            self.host, self._target.port, timeout=TIMEOUT_SECONDS, context=self._tls
        )


def _checked(api_url: str) -> SplitResult:
    url = urlsplit(api_url)
    if not url.hostname or url.scheme not in {"http", "https"}:
        raise ValueError("The API's address must begin with https:// and have a host.")
    if url.scheme == "http" and not _is_this_machine(url.hostname):
        raise ValueError("Plain http would show the key to the network; give an https address.")
    return url


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _heard(
    at: float, request: Request, status: int, headers: dict[str, str], content: bytes
) -> Heard:
    return Heard(
        at=at,
        method=request.method,
        path=request.path,
        key=request.headers.get("Authorization", "").removeprefix("Bearer "),
        body=request.get_json(silent=True) if request.data else None,
        status=status,
        retry_after=headers.get("Retry-After", ""),
        answer=_json_or_text(content),
    )


def _json_or_text(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")
