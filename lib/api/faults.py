"""Classification of failed requests, by the exceptions that requests and urllib3 publish."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import TypeVar

import requests
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    LocationValueError,
    NameResolutionError,
    NewConnectionError,
    ProxySchemeUnknown,
)
from urllib3.exceptions import (
    TimeoutError as Urllib3Timeout,
)

from lib import hints
from lib.errors import TransportError

E = TypeVar("E", bound=BaseException)

# What a request can raise. Anything else is an error of this action.
FAULTS = (requests.RequestException, HTTPError, OSError, ValueError, MemoryError)

_MALFORMED_URL = (
    requests.exceptions.InvalidURL,
    LocationParseError,
    LocationValueError,
    UnicodeError,
)
_UNUSABLE_PROXY = (
    requests.exceptions.InvalidProxyURL,
    requests.exceptions.InvalidSchema,
    ProxySchemeUnknown,
)
_INCOMPLETE = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
# OpenSSL's reasons for a peer without TLS, or without a version that both support.
_NO_TLS = {
    "HTTP_REQUEST",
    "NO_PROTOCOLS_AVAILABLE",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "UNSUPPORTED_PROTOCOL",
    "WRONG_VERSION_NUMBER",
}
# http.client raises a plain OSError if a proxy opens no tunnel.
_TUNNEL = re.compile(r"Tunnel connection failed: (\d\d\d)")


def classify(  # noqa: PLR0911 one kind of fault after the other
    error: BaseException, *, sent: bool
) -> TransportError:
    """Return the error for a request that received no complete response.

    Args:
        error: What the request raised.
        sent: Whether the request's own bytes started to go out.
    """
    causes = list(_causes(error))
    certificate = _first(causes, ssl.SSLCertVerificationError)
    if certificate and not sent:
        return _untrusted(certificate)
    tunnel = _tunnel_status(causes)
    if tunnel.startswith("4"):
        return _unusable_proxy(f"the proxy rejected the connection ({tunnel})")
    if any(isinstance(cause, _UNUSABLE_PROXY) for cause in causes):
        return _unusable_proxy("only http and https proxies are supported")
    if any(isinstance(cause, _MALFORMED_URL) for cause in causes):
        return _malformed_url()
    if isinstance(error, MemoryError):
        return local_fault("out of memory", sent=sent)
    handshake = _first(causes, ssl.SSLError)
    if handshake and not sent:
        return _tls_failed(retryable=handshake.reason not in _NO_TLS)
    failed = "No response from the Reoclo API" if sent else "Cannot reach the Reoclo API"
    return TransportError(
        f"{failed}: {_reason(causes, tunnel)}",
        hint=hints.UNREACHABLE,
        retryable=True,
        maybe_processed=sent,
    )


def timed_out(*, sent: bool) -> TransportError:
    """Return the error for an attempt that was abandoned at its deadline."""
    return classify(TimeoutError(), sent=sent)


def local_fault(reason: str, *, sent: bool) -> TransportError:
    """Return the error for a request that this machine could not handle."""
    return TransportError(
        f"The runner could not send the request: {reason}",
        hint=hints.LOCAL_FAULT,
        retryable=True,
        maybe_processed=sent,
    )


def _untrusted(certificate: ssl.SSLCertVerificationError) -> TransportError:
    return TransportError(
        "Cannot reach the Reoclo API: certificate verify failed",
        detail=certificate.verify_message,
        hint=hints.for_certificate_error(certificate.verify_message),
        maybe_processed=False,
    )


def _unusable_proxy(reason: str) -> TransportError:
    return TransportError(
        f"Cannot use the proxy that the environment sets: {reason}",
        hint=hints.PROXY,
        maybe_processed=False,
    )


def _malformed_url() -> TransportError:
    return TransportError(
        "The URL of the Reoclo API, or of the proxy, is malformed",
        hint=hints.MALFORMED_URL,
        maybe_processed=False,
    )


def _tls_failed(*, retryable: bool) -> TransportError:
    return TransportError(
        "Cannot reach the Reoclo API: TLS handshake failed",
        hint=hints.TLS,
        retryable=retryable,
        maybe_processed=False,
    )


def _reason(causes: list[BaseException], tunnel: str) -> str:
    """Return the reason in standard terms, without a library's class name."""
    if tunnel:
        return f"the proxy returned {tunnel}"
    if _first(causes, NameResolutionError) or _first(causes, socket.gaierror):
        return "DNS lookup failed"
    if any(_is_timeout(cause) for cause in causes):
        return "timed out"
    if any(isinstance(cause, _INCOMPLETE) for cause in causes):
        return "the response was incomplete"
    system = next((c for c in causes if isinstance(c, OSError) and c.strerror), None)
    if system and not isinstance(system, ssl.SSLError):
        # Messages of Windows end with a full stop.
        return str(system.strerror).lower().rstrip(".")
    return "the connection was closed"


def _is_timeout(cause: BaseException) -> bool:
    # urllib3 derives NewConnectionError, for a refused connection, from its timeout.
    is_urllib3 = isinstance(cause, Urllib3Timeout) and not isinstance(cause, NewConnectionError)
    return is_urllib3 or isinstance(cause, (TimeoutError, requests.Timeout))


def _tunnel_status(causes: list[BaseException]) -> str:
    """Return the status of a proxy that opened no tunnel, empty if that is not the cause."""
    return next((found[1] for cause in causes if (found := _TUNNEL.search(str(cause)))), "")


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
