"""Tests of lib.api.faults."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
from requests import exceptions
from urllib3 import exceptions as urllib3_exceptions
from urllib3.connection import HTTPConnection

from lib.api import faults


def wrapped(error: BaseException) -> requests.ConnectionError:
    """Return the error as requests and urllib3 nest it."""
    return requests.ConnectionError(urllib3_exceptions.ProtocolError("aborted", error))


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def unverified(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = message
    return error


def tls_error(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] {reason}")
    error.reason = reason
    return error


NO_NAME = socket.gaierror(-2, "Name not known")
NO_HOST = urllib3_exceptions.NameResolutionError("x", HTTPConnection("x"), NO_NAME)
REFUSED = urllib3_exceptions.NewConnectionError(HTTPConnection("x"), "x")
RESET = ConnectionResetError(104, "Connection reset by peer.")
CLOSED = "the connection was closed"


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(("error", "reason"), [
    (TimeoutError("timed out"), "timed out"), (requests.ReadTimeout("x"), "timed out"),
    (wrapped(urllib3_exceptions.ConnectTimeoutError("x")), "timed out"),
    (wrapped(NO_NAME), "DNS lookup failed"),
    (requests.ConnectionError(NO_HOST), "DNS lookup failed"),
    (caused(requests.ConnectionError("x"), RESET), "connection reset by peer"),
    (urllib3_exceptions.ProtocolError(ValueError("x"), RESET), "connection reset by peer"),
    (caused(REFUSED, ConnectionRefusedError(111, "Connection refused")), "connection refused"),
    (exceptions.ChunkedEncodingError("IncompleteRead"), "the response was incomplete"),
    (exceptions.ContentDecodingError("gzip"), "the response was incomplete"),
    (exceptions.ProxyError(OSError("Tunnel connection failed: 502 Bad")), "the proxy returned 502"),
    (exceptions.ProxyError(urllib3_exceptions.ProxyError("x", OSError("closed"))), CLOSED),
])  # fmt: skip
def test_network_fault_is_retryable(error: Exception, reason: str, *, sent: bool) -> None:
    found = faults.classify(error, sent=sent)
    assert found.summary.endswith(f": {reason}")
    assert (found.retryable, found.maybe_processed) == (True, sent)
    assert (found.hint.anchor, found.detail) == ("unreachable", "")


@pytest.mark.parametrize(("error", "anchor", "retryable", "detail"), [
    (wrapped(unverified("self-signed")), "certificate", False, "self-signed"),
    *((wrapped(tls_error(reason)), "tls", False, "")
      for reason in ("HTTP_REQUEST", "NO_PROTOCOLS_AVAILABLE", "SSLV3_ALERT_HANDSHAKE_FAILURE",
                     "TLSV1_ALERT_PROTOCOL_VERSION", "UNSUPPORTED_PROTOCOL",
                     "WRONG_VERSION_NUMBER")),
    (exceptions.SSLError(tls_error("UNEXPECTED_EOF_WHILE_READING")), "tls", True, ""),
])  # fmt: skip
def test_tls_fault_counts_only_before_sending(
    error: Exception, anchor: str, *, retryable: bool, detail: str
) -> None:
    before, after = faults.classify(error, sent=False), faults.classify(error, sent=True)
    assert (before.hint.anchor, before.retryable, before.detail) == (anchor, retryable, detail)
    assert (after.hint.anchor, after.retryable) == ("unreachable", True)
    assert (before.maybe_processed, after.maybe_processed) == (False, True)
    assert after.summary.endswith(f": {CLOSED}")


@pytest.mark.parametrize("error", [
    exceptions.ProxyError(OSError("Tunnel connection failed: 407 Proxy Authentication")),
    wrapped(OSError("Tunnel connection failed: 403 Forbidden")),
    exceptions.InvalidProxyURL("http://"), exceptions.InvalidSchema("socks5"),
    wrapped(urllib3_exceptions.ProxySchemeUnknown("ftp")), exceptions.InvalidURL("bad label"),
    urllib3_exceptions.LocationParseError("x"), UnicodeError("label empty or too long"),
])  # fmt: skip
def test_unusable_proxy_or_url_is_final(error: Exception) -> None:
    found = faults.classify(error, sent=False)
    assert (found.hint.anchor, found.retryable, found.maybe_processed) == ("proxy", False, False)


@pytest.mark.parametrize("sent", [True, False])
def test_local_fault_counts_as_sent_only_if_it_was(*, sent: bool) -> None:
    local, memory = faults.local_fault("x", sent=sent), faults.classify(MemoryError(), sent=sent)
    for found in (local, memory, faults.timed_out(sent=sent)):
        assert (found.retryable, found.maybe_processed) == (True, sent)
        assert found.hint.anchor == "unreachable"
    assert local.hint == memory.hint


def test_cycle_of_causes_ends() -> None:
    outer, inner = requests.ConnectionError("outer"), OSError("inner")
    assert faults.classify(caused(outer, caused(inner, outer)), sent=True).retryable


def test_bug_is_no_fault() -> None:
    assert not isinstance(KeyError(), faults.FAULTS)
