"""One request and its answer. The only module that imports `requests`.

Every way in which a request can fail becomes an `ApiError` here, and every request ends by
its deadline, whatever the other side does: a timeout of `requests` bounds each single wait
for bytes, not an answer that comes a byte at a time, so each request runs in a thread of its
own that is left behind when time is over.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, wait
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple, TypeVar

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from lib import advice
from lib.clock import Deadline
from lib.errors import Unreachable
from lib.redaction import scrub, secret_parts, spellings

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)

USER_AGENT = "reoclo-docker-auth/1.0.0"
CONNECT_SECONDS = 10.0
READ_SECONDS = 30.0
# A shorter one, such as a registry's password, may be a word that the API says itself, so it is
# taken out only of what is told to people.
_SHORTEST_KNOWN_SECRET = 16
_TOLD = {"detail", "stdout", "stderr"}
LONGEST_ANSWER_BYTES = 8 * 1024 * 1024

# How often a wait looks at the clock: by it a cancel ends main, and Windows runs signals' handlers.
_WAIT_SECONDS = 0.1


class Answer(NamedTuple):
    """An HTTP answer that was read to its end.

    `content` is its body's JSON, None where it has none; `retry_after` is the wait it asks for
    in seconds, if it does.
    """

    status: int
    content: object
    is_empty: bool
    retry_after: float | None


class Bearer(AuthBase):
    """The key in the Authorization header, where no `~/.netrc` can replace it.

    Args:
        key: The automation key.
    """

    def __init__(self, key: str) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the header."""
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


class Transport:
    """Sends single requests to an API.

    Args:
        base_url: A checked address, without a slash at its end.
        session: What sends them; see `open_session`.
        secrets: Taken out of every answer, should it repeat one: once a quotation of the answer
            is cut, a part of a secret could no longer be told from other text.
    """

    def __init__(
        self, base_url: str, session: requests.Session, secrets: Collection[str] = ()
    ) -> None:
        self._base_url = base_url
        self._session = session
        lines = {line for each in secrets for line in secret_parts(each)}
        known = (part for part in lines.union(secrets) if len(part) >= _SHORTEST_KNOWN_SECRET)
        self._secrets = {form for part in known for form in spellings(part)}
        self._told = set().union(*map(spellings, lines))

    def send(
        self, method: str, path: str, deadline: Deadline, body: dict[str, Any] | None = None
    ) -> Answer:
        """Send one request and read its answer whole.

        Args:
            method: The HTTP method.
            path: What follows the base URL.
            deadline: When to stop waiting.
            body: What to send as JSON.

        Raises:
            Unreachable: there is no answer, or it broke off.
        """
        try:
            return _within(deadline, lambda: self._exchange(method, path, body))
        except (requests.RequestException, OSError, ValueError) as error:
            raise _unreachable(error) from error

    def _exchange(self, method: str, path: str, body: dict[str, Any] | None) -> Answer:
        response = self._session.request(
            method,
            self._base_url + path,
            json=body,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            verify=DEFAULT_CA_BUNDLE_PATH,  # else requests looks for one in the environment
            allow_redirects=False,  # the key would follow, and a POST would become a GET
            stream=True,
        )
        with response:
            content = _read(response)
        return Answer(
            status=response.status_code,
            content=parse_json(content, self._secrets, self._told),
            is_empty=not content.strip(),
            retry_after=parse_retry_after(response.headers.get("Retry-After", "")),
        )


class _Session(requests.Session):
    """A session that leaves redirects alone.

    Although it is told not to follow one, `requests` would read its whole body, however long,
    and fail where the address in it is malformed.
    """

    def get_redirect_target(self, _response: requests.Response) -> None:
        """Find none."""


class _TlsAdapter(HTTPAdapter):
    """Connects to the API, and to a proxy that speaks TLS itself, by a TLS context of ours."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        super().__init__()
        self._tls = tls

    def build_connection_pool_key_attributes(
        self,
        *given: Any,  # noqa: ANN401 the types are those of requests
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Say what makes one connection unlike another, and how it is made."""
        host, pool = super().build_connection_pool_key_attributes(*given)
        return host, {**pool, "ssl_context": self._tls}

    def proxy_manager_for(
        self,
        proxy: str,
        **more: Any,  # noqa: ANN401 as above
    ) -> Any:  # noqa: ANN401 as above
        """Make what connects through a proxy, which is trusted as the API is."""
        # Asked for each request, and certifi takes long to read; here nobody else adds it.
        if proxy.lower().startswith("https:") and proxy not in self.proxy_manager:
            self._tls.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        return super().proxy_manager_for(proxy, proxy_ssl_context=self._tls, **more)


def open_session(api_key: str, tls: ssl.SSLContext | None) -> requests.Session:
    """Make a session that sends the key, and keeps one connection for all requests.

    Args:
        api_key: The automation key.
        tls: Whom https connections trust; None for a session with plain http, which is for
            this machine alone.
    """
    session = _Session()
    session.auth = Bearer(api_key)
    session.headers.update({"User-Agent": USER_AGENT, "Accept": "application/json"})
    if tls is None:
        session.trust_env = False  # no proxy may see the key
    else:
        session.mount("https://", _TlsAdapter(tls))
    return session


def parse_json(body: bytes, secrets: Collection[str] = (), told: Collection[str] = ()) -> object:
    """Read JSON, and take secrets out of its texts: in the bytes any letter may be escaped.

    Args:
        body: JSON in UTF-8, UTF-16 or UTF-32, or anything else.
        secrets: What to take out.
        told: What else to take out of the texts that are for people.

    Returns:
        The value, or None for anything that is no JSON.
    """
    try:
        return _scrubbed(json.loads(body), secrets, {*secrets, *told})
    except (ValueError, RecursionError):
        return None


def parse_retry_after(text: str) -> float | None:
    """Read a Retry-After header, in seconds or as a date (RFC 9110, section 10.2.3).

    Returns:
        The seconds to wait, at least 0, or None for anything that is neither.
    """
    text = text.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return float(text)
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=timezone.utc)
    return max(0.0, (date - datetime.now(timezone.utc)).total_seconds())


def _scrubbed(data: object, secrets: Collection[str], told: Collection[str]) -> object:
    if isinstance(data, str):
        return scrub(data, secrets)
    if isinstance(data, list):
        return [_scrubbed(entry, secrets, told) for entry in data]
    if isinstance(data, dict):
        return {
            name: _scrubbed(entry, told if name in _TOLD else secrets, told)
            for name, entry in data.items()
        }
    return data


def _read(response: requests.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(64 * 1024):
        body += chunk
        if len(body) > LONGEST_ANSWER_BYTES:
            raise ConnectionError("the answer does not end")
    return bytes(body)


def _within(deadline: Deadline, call: Callable[[], T]) -> T:
    """Do something in a thread, and leave it behind if it is not done by the deadline."""
    outcome: Future[T] = Future()
    threading.Thread(target=_settle, args=(outcome, call), daemon=True).start()
    while not wait([outcome], timeout=_WAIT_SECONDS).done:
        if not deadline.remaining():
            raise TimeoutError("no answer in time")
    return outcome.result()


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        outcome.set_result(call())
    except Exception as error:  # noqa: BLE001 the thread that waits raises it again
        outcome.set_exception(error)


def _unreachable(error: Exception) -> Unreachable:
    """Find words for a failed request, and tell what it means for another try."""
    causes = list(_causes(error))
    certificate = _first(causes, ssl.SSLCertVerificationError)
    if certificate:
        return _untrusted(certificate)
    tunnel = _tunnel_status(causes)
    if tunnel.startswith("4") or _is_named(causes, _BAD_PROXY):
        return _bad_proxy(tunnel)
    if _is_named(causes, _MALFORMED):
        return _malformed()
    is_final = _is_without_tls(causes)
    return Unreachable(
        f"The Reoclo API cannot be reached: {_reason(causes)}",
        remedy=advice.UNREACHABLE,
        transient=not is_final,
        lost=not (is_final or _is_named(causes, _BEFORE_SENDING)),
    )


# The names that requests and urllib3 have for faults that come before a request is sent.
_BEFORE_SENDING = {
    "ConnectTimeout",
    "ConnectTimeoutError",
    "NameResolutionError",
    "NewConnectionError",
    "ProxyError",
}
# Those for an address that they can make nothing of, whether it is the API's or the proxy's,
_MALFORMED = {"InvalidURL", "LocationParseError", "LocationValueError", "UnicodeError"}
# and for one of a proxy that they cannot use.
_BAD_PROXY = {"InvalidProxyURL", "InvalidSchema", "ProxySchemeUnknown"}
# What a proxy says that opens no tunnel (http.client has no class of its own for it).
_TUNNEL = re.compile(r"Tunnel connection failed: (\d\d\d)")
# What OpenSSL says where the other side speaks no TLS, or none that both know.
_NO_TLS = {
    "HTTP_REQUEST",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
}


def _bad_proxy(status: str) -> Unreachable:
    why = f"it refuses ({status})" if status else "only http and https proxies can"
    return Unreachable(
        f"The proxy that the environment names cannot be used: {why}",
        remedy=advice.BAD_PROXY,
        transient=False,
        lost=False,
    )


def _malformed() -> Unreachable:
    return Unreachable(
        "The address of the Reoclo API, or of the proxy to it, is malformed",
        remedy=advice.MALFORMED,
        transient=False,
        lost=False,
    )


def _untrusted(certificate: ssl.SSLCertVerificationError) -> Unreachable:
    return Unreachable(
        f"The certificate of the Reoclo API is not trusted: {certificate.verify_message}",
        remedy=advice.on_certificate(certificate.verify_message),
        transient=False,
        lost=False,
    )


def _reason(causes: list[BaseException]) -> str:
    """Give the reason a person knows, without the names of any library."""
    tunnel = _tunnel_status(causes)
    if tunnel:
        return f"the proxy that the environment names cannot reach it ({tunnel})"
    if _is_without_tls(causes):
        return "it speaks no TLS, or none that this runner knows"
    if _first(causes, socket.gaierror):
        return "its name cannot be resolved"
    if _first(causes, TimeoutError) or _first(causes, requests.Timeout):
        return "no answer in time"
    # OpenSSL's words are for programmers.
    system = next((c for c in causes if isinstance(c, OSError) and c.strerror), None)
    if system and not isinstance(system, ssl.SSLError):
        return str(system.strerror).lower()
    return "the connection was closed, or the answer broke off"


def _tunnel_status(causes: list[BaseException]) -> str:
    """Give the status of a proxy that opened no tunnel; empty if that is not what happened."""
    return next((found[1] for cause in causes if (found := _TUNNEL.search(str(cause)))), "")


def _is_named(causes: list[BaseException], names: Collection[str]) -> bool:
    return any(type(cause).__name__ in names for cause in causes)


def _is_without_tls(causes: list[BaseException]) -> bool:
    error = _first(causes, ssl.SSLError)
    return error is not None and error.reason in _NO_TLS


def _first(causes: list[BaseException], kind: type[E]) -> E | None:
    return next((cause for cause in causes if isinstance(cause, kind)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error and what led to it; requests and urllib3 wrap one in the other's args."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        found = queue.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            queue += [*found.args, getattr(found, "reason", None), found.__cause__]
