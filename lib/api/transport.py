"""HTTP transport: one request, one response, bounded by a deadline.

The only module that imports `requests` to send with. A timeout of requests bounds each wait
for bytes, not the whole response, and a name lookup has no timeout at all. So each request
runs in its own thread, which is abandoned after the deadline.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.auth import AuthBase
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from lib.api import faults
from lib.api.connection import Attempt, Limits, RecordingAdapter, current
from lib.cancellation import CHECKPOINT_SECONDS, Canceled
from lib.deadline import Clock, Deadline
from lib.errors import InvalidResponse
from lib.hints import UNEXPECTED_RESPONSE
from lib.version import __version__

USER_AGENT = f"reoclo-docker-auth/{__version__}"
LONGEST_BODY_BYTES = 4 * 1024 * 1024

_DIGITS = re.compile(r"[0-9]+")
# More seconds than any deadline has; a longer number would not fit a float.
_FOREVER = 1e9


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Complete HTTP response. `retry_after` is in seconds, `ray` Cloudflare's request id."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None
    ray: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether there is no body, apart from whitespace."""
        return not self.body.strip()

    def json(self) -> object:
        """Parse the body.

        Raises:
            ValueError: the body is not JSON.
        """
        try:
            return json.loads(self.body)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


class BearerAuth(AuthBase):
    """The API key in the Authorization header, where no `~/.netrc` entry can replace it."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._api_key}"
        return request


class _Session(requests.Session):
    """Session that ignores redirects, whose bodies and Locations requests would read anyway."""

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Return that there is none."""


class Transport:
    """Sends single requests to an API.

    Args:
        base_url: Validated URL without trailing slashes.
        session: Session to send with; see `open_session`.
        clock: Clock whose cancellation checkpoints are passed while waiting.
        limits: Time limits for connecting and reading.
    """

    def __init__(
        self,
        base_url: str,
        session: requests.Session,
        clock: Clock,
        limits: Limits = Limits(),  # noqa: B008 immutable
    ) -> None:
        self._base_url = base_url
        self._session = session
        self._clock = clock
        self._limits = limits

    def send(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        *,
        deadlines: tuple[Deadline, ...],
    ) -> Response:
        """Send one request and read the whole response.

        Args:
            method: HTTP method.
            path: Path after the base URL.
            body: What to send as JSON.
            deadlines: Time limits; the first that expires counts.

        Raises:
            TransportError: no complete response arrived.
            InvalidResponse: the response is too large, or its status is 1xx.
            Canceled: at a cancellation checkpoint, with whether the request was sent.
        """
        attempt = Attempt(self._limits)
        outcome: Future[Response] = Future()
        run = _run_in_thread(outcome, attempt, lambda: self._exchange(method, path, body))
        if not run:
            raise faults.local_fault("no thread can be started", sent=False)
        try:
            while not wait([outcome], timeout=CHECKPOINT_SECONDS).done:
                self._clock.raise_if_canceled(request_in_flight=attempt.sent)
                if not all(deadline.remaining() for deadline in deadlines):
                    raise faults.timed_out(sent=attempt.abandon())
            return outcome.result()
        except Canceled as canceled:
            raise Canceled(maybe_processed=attempt.abandon()) from canceled
        except faults.FAULTS as error:
            raise faults.classify(error, sent=attempt.sent) from error

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> Response:
        response = self._session.request(
            method,
            self._base_url + path,
            json=body,
            timeout=(self._limits.connect, self._limits.read),
            verify=DEFAULT_CA_BUNDLE_PATH,  # otherwise requests reads one from the environment
            allow_redirects=False,  # the key would follow, and a POST would become a GET
            stream=True,
        )
        if response.status_code < 200:
            response.close()
            raise _invalid(f"unexpected status {response.status_code}")
        with response:
            content = _read(response)
        return Response(
            status=response.status_code,
            body=content,
            retry_after=parse_retry_after(response.headers.get("Retry-After", "")),
            ray=response.headers.get("CF-Ray", ""),
        )


def open_session(api_key: str, tls: ssl.SSLContext | None) -> requests.Session:
    """Return a session that sends the API key and keeps one connection for all requests.

    Without a TLS context it is for plain http, and so for loopback addresses.
    """
    session = _Session()
    session.auth = BearerAuth(api_key)
    session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
    session.mount("https://", RecordingAdapter(tls))
    session.mount("http://", RecordingAdapter(None))
    if tls is None:
        session.trust_env = False  # no proxy must see the key
    return session


def parse_retry_after(text: str) -> float | None:
    """Parse a Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3).

    Returns:
        The seconds to wait, never negative, or None for anything else.
    """
    text = text.strip()
    if _DIGITS.fullmatch(text):
        return float(text) if len(text) < 10 else _FOREVER
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > LONGEST_BODY_BYTES:
            raise _invalid("the response body is larger than 4 MiB")
    return bytes(body)


def _invalid(reason: str) -> InvalidResponse:
    summary = f"Unexpected response from the Reoclo API: {reason}"
    return InvalidResponse(summary, hint=UNEXPECTED_RESPONSE)


def _run_in_thread(
    outcome: Future[Response], attempt: Attempt, call: Callable[[], Response]
) -> bool:
    """Run an attempt in its own thread, and return whether a thread could be started."""

    def run() -> None:
        current.attempt = attempt
        try:
            outcome.set_result(call())
        except Exception as error:  # noqa: BLE001 the waiting thread raises it
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except (RuntimeError, MemoryError):
        return False
    return True
