"""Tests of lib.api.faults."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
from requests import exceptions
from urllib3.connection import HTTPConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    LocationParseError,
    LocationValueError,
    NameResolutionError,
    ProtocolError,
    ProxyError,
    ProxySchemeUnknown,
    ReadTimeoutError,
)

from lib.api import faults


def wrapped(error: BaseException) -> requests.ConnectionError:
    """Return the error as requests and urllib3 nest it."""
    return requests.ConnectionError(ProtocolError("Connection aborted.", error))


def unverified(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = message
    return error


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] {reason}")
    error.reason = reason
    return error


def caused(error: Exception, cause: BaseException | None) -> Exception:
    error.__cause__ = cause
    return error


CONNECTION = HTTPConnection("api.example")
NO_NAME = NameResolutionError("api.example", CONNECTION, socket.gaierror(-2, "Name not known"))
RESET = ConnectionResetError(104, "Connection reset by peer.")
NETWORK = [
    (TimeoutError("timed out"), "timed out"),
    (requests.ReadTimeout("read timed out"), "timed out"),
    (wrapped(ConnectTimeoutError("timed out")), "timed out"),
    (wrapped(ReadTimeoutError(None, "/", "timed out")), "timed out"),  # type: ignore[arg-type]
    (wrapped(socket.gaierror(-2, "Name not known")), "DNS lookup failed"),
    (requests.ConnectionError(NO_NAME), "DNS lookup failed"),
    (wrapped(RESET), "connection reset by peer"),
    (ConnectionRefusedError(111, "Connection refused"), "connection refused"),
    (caused(requests.ConnectionError("x"), RESET), "connection reset by peer"),
    (exceptions.ChunkedEncodingError("IncompleteRead"), "the response was incomplete"),
    (exceptions.ContentDecodingError("gzip"), "the response was incomplete"),
    (exceptions.ProxyError(OSError("Tunnel connection failed: 502 Bad")), "the proxy returned 502"),
    (exceptions.ProxyError(ProxyError("x", OSError("closed"))), "the connection was closed"),
    (requests.ConnectionError("HTTPSConnectionPool(host='x')"), "the connection was closed"),
]


@pytest.mark.parametrize(("error", "reason"), NETWORK, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("sent", [True, False])
def test_network_fault_is_retryable(error: Exception, reason: str, *, sent: bool) -> None:
    found = faults.classify(error, sent=sent)
    assert found.summary.endswith(f": {reason}")
    assert (found.retryable, found.maybe_processed) == (True, sent)
    assert (found.hint.anchor, found.detail) == ("unreachable", "")


@pytest.mark.parametrize(
    ("error", "anchor", "retryable"),
    [
        (wrapped(unverified("self-signed certificate")), "certificate", False),
        (exceptions.SSLError(unverified("certificate has expired")), "certificate", False),
        (wrapped(tls_error("WRONG_VERSION_NUMBER")), "tls", False),
        (wrapped(tls_error("HTTP_REQUEST")), "tls", False),
        (wrapped(tls_error("UNEXPECTED_EOF_WHILE_READING")), "tls", True),
    ],
)
def test_tls_fault_before_sending_was_not_processed(
    error: Exception, anchor: str, *, retryable: bool
) -> None:
    found = faults.classify(error, sent=False)
    assert (found.hint.anchor, found.retryable) == (anchor, retryable)
    assert not found.maybe_processed
    after = faults.classify(error, sent=True)  # the same error in the response's TLS records
    assert (after.hint.anchor, after.retryable) == ("unreachable", True)
    assert after.maybe_processed
    assert after.summary.endswith(": the connection was closed")


def test_reason_of_the_certificate_is_the_detail() -> None:
    assert faults.classify(unverified("self-signed"), sent=False).detail == "self-signed"


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ProxyError(OSError("Tunnel connection failed: 407 Proxy Authentication")),
        wrapped(OSError("Tunnel connection failed: 403 Forbidden")),
        exceptions.InvalidProxyURL("http://"),
        exceptions.InvalidSchema("socks5"),
        wrapped(ProxySchemeUnknown("ftp")),
        exceptions.InvalidURL("bad label"),
        LocationParseError("x"),
        LocationValueError("x"),
        UnicodeError("label empty or too long"),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("sent", [True, False])
def test_unusable_proxy_or_url_is_final(error: Exception, *, sent: bool) -> None:
    found = faults.classify(error, sent=sent)
    assert found.hint.anchor == "proxy"
    assert (found.retryable, found.maybe_processed) == (False, False)


@pytest.mark.parametrize("sent", [True, False])
def test_local_fault_counts_as_sent_only_if_it_was(*, sent: bool) -> None:
    for found in (
        faults.classify(MemoryError(), sent=sent),
        faults.local_fault("no thread can be started", sent=sent),
        faults.timed_out(sent=sent),
    ):
        assert (found.retryable, found.maybe_processed) == (True, sent)
        assert (found.hint.anchor, found.attempts) == ("unreachable", 1)


def test_cycle_of_causes_ends() -> None:
    outer, inner = requests.ConnectionError("outer"), OSError("inner")
    outer.__cause__, inner.__cause__ = inner, outer
    assert faults.classify(outer, sent=True).retryable


def test_bug_is_no_fault() -> None:
    assert not isinstance(KeyError(), faults.FAULTS)
    assert isinstance(MemoryError(), faults.FAULTS)
