"""Classification of failed requests, by the exceptions that requests and urllib3 publish."""

import re
import socket
import ssl
from collections.abc import Iterator
from typing import TypeVar

from requests import exceptions as requests
from urllib3 import exceptions as urllib3

from lib import hints
from lib.errors import TransportError
from lib.hints import Hint

E = TypeVar("E", bound=BaseException)

# What a request can raise. Anything else is an error of this action.
FAULTS = (requests.RequestException, urllib3.HTTPError, OSError, ValueError, MemoryError)

_MALFORMED_URL = (requests.InvalidURL, urllib3.LocationValueError, UnicodeError)
_UNUSABLE_PROXY = (requests.InvalidProxyURL, requests.InvalidSchema, urllib3.ProxySchemeUnknown)
_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.TimeoutError)
_INCOMPLETE = (requests.ChunkedEncodingError, requests.ContentDecodingError)
# OpenSSL's reasons for a peer without TLS, or without a version that both support.
_NO_TLS = {"HTTP_REQUEST", "NO_PROTOCOLS_AVAILABLE", "SSLV3_ALERT_HANDSHAKE_FAILURE"}
_NO_TLS |= {"TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL", "WRONG_VERSION_NUMBER"}
_NO_PROXY = "Cannot use the configured proxy"
# http.client raises a plain OSError with the status if a proxy opens no tunnel.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d\d\d)")


def classify(error: BaseException, *, sent: bool) -> TransportError:  # noqa: PLR0911
    """Return the error for a request without a complete response; `sent` as of an `Attempt`."""
    causes = list(_causes(error))
    certificate = _first(causes, ssl.SSLCertVerificationError)
    if certificate and not sent:
        reason = certificate.verify_message
        hint = hints.for_certificate_error(reason)
        return _final("Cannot reach the Reoclo API: certificate verify failed", hint, reason)
    tunnel = next((found[1] for cause in causes if (found := _TUNNEL.search(str(cause)))), "")
    if tunnel.startswith("4"):
        return _final(f"{_NO_PROXY}: the proxy rejected the connection ({tunnel})", hints.PROXY)
    if any(isinstance(cause, _UNUSABLE_PROXY) for cause in causes):
        return _final(f"{_NO_PROXY}: only http and https proxies are supported", hints.PROXY)
    if any(isinstance(cause, _MALFORMED_URL) for cause in causes):
        return _final("The Reoclo API URL or the proxy URL is malformed", hints.MALFORMED_URL)
    if isinstance(error, MemoryError):
        return local_fault("out of memory", sent=sent)
    handshake = _first(causes, ssl.SSLError)
    if handshake and not sent:
        create = _final if handshake.reason in _NO_TLS else _retryable
        return create("Cannot reach the Reoclo API: TLS handshake failed", hints.TLS)
    if not sent and any(isinstance(cause, requests.ProxyError) for cause in causes):
        summary = f"Cannot reach the configured proxy: {_reason(causes, tunnel)}"
        return _retryable(summary, hints.PROXY)
    failed = "No response from the Reoclo API" if sent else "Cannot reach the Reoclo API"
    return _retryable(f"{failed}: {_reason(causes, tunnel)}", hints.UNREACHABLE, sent=sent)


def timed_out(*, sent: bool) -> TransportError:
    """Return the error for an attempt that was abandoned at its deadline."""
    return classify(TimeoutError(), sent=sent)


def local_fault(reason: str, *, sent: bool) -> TransportError:
    """Return the error for a request that this machine could not handle."""
    summary = f"The runner could not send the request: {reason}"
    return _retryable(summary, hints.LOCAL_FAULT, sent=sent)


def _final(summary: str, hint: Hint, detail: str = "") -> TransportError:
    return TransportError(summary, detail=detail, hint=hint, maybe_processed=False)


def _retryable(summary: str, hint: Hint, *, sent: bool = False) -> TransportError:
    return TransportError(summary, hint=hint, retryable=True, maybe_processed=sent)


def _reason(causes: list[BaseException], tunnel: str) -> str:
    if tunnel:
        return f"the proxy returned {tunnel}"
    if _first(causes, urllib3.NameResolutionError) or _first(causes, socket.gaierror):
        return "DNS lookup failed"
    # urllib3 derives NewConnectionError, for a refused connection, from its timeout.
    others = [cause for cause in causes if not isinstance(cause, urllib3.NewConnectionError)]
    if any(isinstance(cause, _TIMEOUTS) for cause in others):
        return "timed out"
    if any(isinstance(cause, _INCOMPLETE) for cause in causes):
        return "the response was incomplete"
    system = next((c for c in causes if isinstance(c, OSError) and c.strerror), None)
    if system and not isinstance(system, ssl.SSLError):
        return str(system.strerror).lower().rstrip(".")  # Windows adds a full stop
    return "the connection was closed"


def _first(causes: list[BaseException], kind: type[E]) -> E | None:
    return next((cause for cause in causes if isinstance(cause, kind)), None)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes. requests and urllib3 also wrap causes in `args`."""
    seen: set[int] = set()
    queue: list[object] = [error]
    while queue:
        found = queue.pop(0)
        if isinstance(found, BaseException) and id(found) not in seen:
            seen.add(id(found))
            yield found
            queue += [*found.args, getattr(found, "reason", None), found.__cause__]
