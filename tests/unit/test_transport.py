"""Tests of lib.api.faults, and of lib.api.transport and connection without a network."""

from __future__ import annotations

import math
import socket
import ssl
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests
from requests import exceptions
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3 import exceptions as urllib3_exceptions

from lib.api import faults
from lib.api.connection import Abandoned, Attempt, Limits, RecordingAdapter, _Recording, current
from lib.api.tls import create_context
from lib.api.transport import Response, parse_retry_after
from lib.errors import InvalidResponse


def wrapped(error: BaseException) -> requests.ConnectionError:
    """Return the error as requests and urllib3 nest it."""
    return requests.ConnectionError(urllib3_exceptions.ProtocolError("aborted", error))


def caused(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


RESET = ConnectionResetError(104, "Connection reset by peer.")
CYCLE = requests.ConnectionError()
CLOSED = "the connection was closed"


@pytest.mark.parametrize("sent", [True, False])
@pytest.mark.parametrize(("error", "reason"), [
    (TimeoutError("timed out"), "timed out"), (requests.ReadTimeout("x"), "timed out"),
    (wrapped(urllib3_exceptions.ConnectTimeoutError("x")), "timed out"),
    (wrapped(socket.gaierror(-2, "Name not known")), "DNS lookup failed"),
    (caused(requests.ConnectionError("x"), RESET), "connection reset by peer"),
    (urllib3_exceptions.ProtocolError(ValueError("x"), RESET), "connection reset by peer"),
    (exceptions.ChunkedEncodingError("IncompleteRead"), "the response was incomplete"),
    (exceptions.ContentDecodingError("gzip"), "the response was incomplete"),
    (exceptions.ProxyError(OSError("Tunnel connection failed: 502 Bad")), "the proxy returned 502"),
    (exceptions.ProxyError(urllib3_exceptions.ProxyError("x", OSError("closed"))), CLOSED),
    (MemoryError(), "out of memory"), (caused(CYCLE, caused(OSError(), CYCLE)), CLOSED),
])  # fmt: skip
def test_network_fault_is_retryable(error: Exception, reason: str, *, sent: bool) -> None:
    found = faults.classify(error, sent=sent)
    assert found.summary.endswith(f": {reason}")
    assert (found.retryable, found.maybe_processed, found.detail) == (True, sent, "")
    is_proxy = isinstance(error, exceptions.ProxyError) and not sent
    assert found.hint.anchor == ("proxy" if is_proxy else "unreachable")


def test_abandoning_and_sending_exclude_each_other() -> None:
    attempt, sent = Attempt(Limits()), Attempt(Limits())
    assert not attempt.abandon()
    with pytest.raises(Abandoned):
        attempt.start_sending()
    sent.start_sending()
    assert sent.abandon()
    sent.start_sending()
    assert (attempt.sent, sent.sent) == (False, True)
    assert Limits() == Limits(address=3.0, connect=10.0, read=30.0)


def test_failed_lookup_names_the_host() -> None:
    current.attempt = Attempt(Limits())
    with pytest.raises(urllib3_exceptions.NameResolutionError, match="resolve 'reoclo"):
        _Recording("reoclo.invalid").connect()


def test_https_proxy_is_verified_with_certifi_as_well() -> None:
    loaded: list[str] = []

    class Context(ssl.SSLContext):
        def load_verify_locations(self, path: str) -> None:  # type: ignore[override]
            loaded.append(path)

    adapter = RecordingAdapter(Context(ssl.PROTOCOL_TLS_CLIENT))
    for proxy in ("http://a.example", "HTTPS://a.example", "HTTPS://a.example"):
        adapter.proxy_manager_for(proxy)
        RecordingAdapter(None).proxy_manager_for(proxy)
    assert loaded == [DEFAULT_CA_BUNDLE_PATH]


def test_unusable_certificates_are_logged_with_the_reason(tmp_path: Path) -> None:
    log: list[str] = []
    (tmp_path / "bad.pem").write_text("x", "utf-8")
    paths = {"A": f"{tmp_path}/bad.pem", "B": "/nowhere", "C": DEFAULT_CA_BUNDLE_PATH}
    create_context(paths, log.append)
    reasons = [line.partition(" (")[2] for line in log]
    assert reasons == ["it contains no readable certificate).", "no such file or directory)."]


def test_body_that_is_no_json_is_invalid() -> None:
    for body in (b"<html>", b"\xff\xfe\xfd", b"[" * 200_000, b"9" * 5000):
        with pytest.raises(InvalidResponse):
            Response(status=200, body=body).json()
    assert Response(status=200, body=b" \n").json() is None


def test_retry_after_is_seconds_or_a_date() -> None:
    seconds = {"0": 0, "Wed, 21 Oct 2015 07:28:00 GMT": 0, " 120 ": 120, "999999999": 999999999,
               "9" * 5000: math.inf}  # fmt: skip
    nothing = ("", "soon", "-1", "1.5", "1e3", "٣", "²", "inf", "\x00", "1, 2",
               "Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
               "Mon, 01 Jan 2029 00:00:00 +9999999999999999")  # fmt: skip
    expected = {**seconds, **dict.fromkeys(nothing)}
    assert {text: parse_retry_after(text) for text in expected} == expected
    then = datetime.now(timezone(timedelta(hours=5))) + timedelta(hours=1)
    dates = [format_datetime(then), f"{then.astimezone(timezone.utc):%a, %d %b %Y %H:%M:%S}"]
    assert all(3000 < (parse_retry_after(date) or 0) <= 3600 for date in dates)
