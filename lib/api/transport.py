"""HTTP transport: one request, one response, bounded by a deadline.

A timeout of requests bounds each wait for bytes, not the whole response, and a name lookup has
none. So each request runs in its own thread, which is abandoned after the deadline.
"""

import json
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

import requests
from requests.auth import AuthBase
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from lib.api import faults
from lib.api.connection import Attempt, Limits, RecordingAdapter, current
from lib.api.models import Json, invalid_response
from lib.cancellation import CHECKPOINT_SECONDS, Canceled
from lib.deadline import Clock, Deadlines
from lib.version import __version__

LONGEST_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Complete HTTP response. `retry_after` is in seconds, `ray` Cloudflare's request id."""

    status: int
    body: bytes = field(repr=False)
    retry_after: float | None = None
    ray: str = ""

    def json(self) -> object:
        """Parse the body, or raise `InvalidResponse`. Without a body it is None."""
        try:
            return json.loads(self.body) if self.body.strip() else None
        except (ValueError, RecursionError) as error:
            raise invalid_response("expected a JSON object") from error


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


@dataclass(frozen=True, slots=True)
class Transport:
    """Sends single requests to an API."""

    base_url: str  # validated, without trailing slashes
    session: requests.Session  # of `open_session`
    clock: Clock  # its cancellation checkpoints are passed while waiting
    limits: Limits = Limits()  # noqa: RUF009 immutable

    def send(self, method: str, path: str, body: Json | None, *, deadlines: Deadlines) -> Response:
        """Send one request with a JSON body, and read the whole response.

        Raises a `TransportError`, an `InvalidResponse` if the response is too large or its status
        is 1xx, or `Canceled` with whether the request was sent.
        """
        attempt = Attempt(self.limits)
        outcome = _run_in_thread(attempt, lambda: self._exchange(method, path, body))
        try:
            while not wait([outcome], timeout=CHECKPOINT_SECONDS).done:
                self.clock.raise_if_canceled(request_in_flight=attempt.sent)
                if not all(deadline.remaining() for deadline in deadlines):
                    self.clock.raise_if_canceled()  # if the grace period has expired
                    raise faults.timed_out(sent=attempt.abandon())
            return outcome.result()
        except Canceled as canceled:
            raise Canceled(maybe_processed=attempt.abandon()) from canceled
        except faults.FAULTS as error:
            raise faults.classify(error, sent=attempt.sent) from error

    def _exchange(self, method: str, path: str, body: Json | None) -> Response:
        response = self.session.request(
            method,
            self.base_url + path,
            json=body,
            timeout=(self.limits.connect, self.limits.read),
            verify=DEFAULT_CA_BUNDLE_PATH,  # otherwise requests reads one from the environment
            allow_redirects=False,  # the key would follow, and a POST would become a GET
            stream=True,
        )
        content = bytearray()
        with response:
            # http.client takes 1xx for the final status. The connection is closed, because the
            # next request on it would receive this request's real response.
            if response.status_code < 200:
                raise invalid_response(f"unexpected status {response.status_code}")
            for chunk in response.iter_content(64 * 1024):
                content += chunk
                if len(content) > LONGEST_BODY_BYTES:
                    raise invalid_response("the response body is larger than 4 MiB")
        return Response(
            status=response.status_code,
            body=bytes(content),
            retry_after=parse_retry_after(response.headers.get("Retry-After", "")),
            ray=response.headers.get("CF-Ray", ""),
        )


def open_session(api_key: str, tls: ssl.SSLContext | None) -> requests.Session:
    """Return a session that keeps one connection. Without a TLS context it is for loopback only."""
    session = _Session()
    session.auth = BearerAuth(api_key)
    agent = f"reoclo-docker-auth/{__version__}"
    session.headers.update({"User-Agent": agent, "Accept": "application/json"})
    session.mount("https://", RecordingAdapter(tls))
    session.mount("http://", RecordingAdapter(None))
    if tls is None:
        session.trust_env = False  # no proxy must see the key
    return session


def parse_retry_after(text: str) -> float | None:
    """Return the seconds of a Retry-After header (RFC 9110, section 10.2.3), never negative."""
    text = text.strip()
    if text.isascii() and text.isdecimal():
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


def _run_in_thread(attempt: Attempt, call: Callable[[], Response]) -> Future[Response]:
    """Run an attempt in its own thread, and return its future outcome."""
    outcome: Future[Response] = Future()

    def run() -> None:
        current.attempt = attempt
        try:
            outcome.set_result(call())
        except Exception as error:  # noqa: BLE001 the waiting thread raises it
            outcome.set_exception(error)

    try:
        threading.Thread(target=run, daemon=True).start()
    except (RuntimeError, MemoryError) as error:
        raise faults.local_fault("cannot start a thread", sent=False) from error
    return outcome
