"""Tests of lib.api.transport and lib.api.connection without a network."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from lib.api.connection import Attempt, GivenUp, Limits, current
from lib.api.transport import (
    LONGEST_BODY_BYTES,
    BearerAuth,
    Response,
    Transport,
    open_session,
    parse_retry_after,
)
from lib.cancellation import Canceled
from lib.deadline import Clock, Deadline
from lib.errors import InvalidResponse, TransportError
from tests import hostile
from tests.unit.fake_clock import FakeClock


class Network(BaseAdapter):
    """Adapter of requests that responds by a function instead of a network."""

    def __init__(self, respond: Callable[[], bytes], status: int = 200) -> None:
        super().__init__()
        self.options: list[dict[str, object]] = []
        self._respond = respond
        self._status = status

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:  # type: ignore[override]
        self.options.append({**options, "url": request.url, "body": request.body})
        response = requests.Response()
        response.status_code = self._status
        response.headers.update({"Retry-After": "7", "CF-Ray": "ray-1"})
        response.request = request
        response.url = request.url or ""
        response.raw = HTTPResponse(io.BytesIO(self._respond()), preload_content=False)
        return response

    def close(self) -> None:
        """Do nothing."""


def send(network: Network, clock: Clock | None = None, seconds: float = 60) -> Response:
    session = open_session("rca_x", None)
    session.mount("http://", network)
    clock = clock or FakeClock()
    limits = (Deadline(clock, 9999), Deadline(clock, seconds))
    return Transport("http://localhost/base", session, clock).send(
        "POST", "/x", {"a": 1}, deadlines=limits
    )


def test_response_is_read_whole() -> None:
    network = Network(lambda: b"x" * 300_000)
    expected = Response(status=200, body=b"x" * 300_000, retry_after=7, ray="ray-1")
    assert send(network) == expected
    [options] = network.options
    assert options["url"] == "http://localhost/base/x"
    assert options["body"] == b'{"a": 1}'
    assert options["timeout"] == (10.0, 30.0)
    assert options["stream"] is True


def test_limits_have_defaults() -> None:
    limits = Limits()
    assert (limits.address, limits.connect, limits.read) == (3.0, 10.0, 30.0)


def test_body_over_4_mib_is_invalid() -> None:
    assert len(send(Network(lambda: b"x" * LONGEST_BODY_BYTES)).body) == 4 * 1024 * 1024
    with pytest.raises(InvalidResponse) as caught:
        send(Network(lambda: b"x" * (LONGEST_BODY_BYTES + 1)))
    assert (caught.value.retryable, caught.value.maybe_processed) == (False, True)


@pytest.mark.parametrize(("status", "is_valid"), [(103, False), (199, False), (200, True)])
def test_1xx_is_no_final_status(status: int, *, is_valid: bool) -> None:
    if is_valid:
        assert send(Network(bytes, status)).status == status
    else:
        with pytest.raises(InvalidResponse):
            send(Network(bytes, status))


def test_canceled_request_is_not_sent() -> None:
    network = Network(bytes)
    with pytest.raises(Canceled) as caught:
        send(network, FakeClock(canceled_at=0))
    assert not caught.value.maybe_processed
    assert network.options == []


@pytest.mark.parametrize("is_sent", [True, False])
def test_hanging_request_is_given_up_at_the_deadline(*, is_sent: bool) -> None:
    done, given_up = threading.Event(), threading.Event()

    def hang() -> bytes:
        assert current.attempt
        if is_sent:
            current.attempt.start_sending()
        done.wait(60)
        try:
            current.attempt.start_sending()
        except GivenUp:
            given_up.set()
        return b""

    with pytest.raises(TransportError) as caught:
        send(Network(hang), FakeClock(tick=1), seconds=2)
    done.set()
    assert (caught.value.retryable, caught.value.maybe_processed) == (True, is_sent)
    assert given_up.wait(0 if is_sent else 60) is not is_sent


def test_error_of_the_thread_is_classified() -> None:
    def fail(error: Exception) -> bytes:
        raise error

    with pytest.raises(TransportError):
        send(Network(lambda: fail(OSError("x"))))
    with pytest.raises(KeyError):
        send(Network(lambda: fail(KeyError())))


def test_attempt_given_up_before_sending_never_sends() -> None:
    attempt = Attempt(Limits())
    assert not attempt.give_up()
    with pytest.raises(GivenUp):
        attempt.start_sending()
    assert not attempt.sent


def test_attempt_given_up_while_sending_was_sent() -> None:
    attempt = Attempt(Limits())
    attempt.start_sending()
    assert attempt.give_up()
    attempt.start_sending()
    assert attempt.sent


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\xfd", b"[" * 200_000, b"9" * 5000])
def test_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 the library words it
        Response(status=200, body=body).json()


@pytest.mark.parametrize(("body", "is_empty"), [(b"", True), (b" \r\n", True), (b"null", False)])
def test_whitespace_is_an_empty_body(body: bytes, *, is_empty: bool) -> None:
    response = Response(status=200, body=body)
    assert response.is_empty is is_empty
    assert (response.retry_after, response.ray) == (None, "")
    assert is_empty or response.json() is None


@pytest.mark.parametrize(("text", "seconds"), [
    ("0", 0), ("1", 1), (" 120 ", 120), ("999999999", 999999999), ("1234567890", 1e9),
    ("9" * 5000, 1e9), ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    *((text, None) for text in (
        "", "soon", "-1", "1.5", "1e3", "٣", "²", "inf", "nan", "0x10", "\x00", "1, 2",
        "Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
        "Mon, 01 Jan 2029 00:00:00 +9999999999999999",
    )),
])  # fmt: skip
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds


def test_retry_after_dates_have_any_zone_or_none() -> None:
    then = datetime.now(timezone.utc) + timedelta(hours=1)
    dates = [
        format_datetime(then, usegmt=True),
        format_datetime(then.astimezone(timezone(timedelta(hours=5)))),
        then.strftime("%a, %d %b %Y %H:%M:%S"),
        then.strftime("%a %b %d %H:%M:%S %Y"),
    ]
    assert all(3500 < (parse_retry_after(date) or 0) <= 3600 for date in dates)


@given(hostile.texts | st.integers().map("Wed, 21 Oct {} 07:28:00 GMT".format))
@example("Mon, 1 Jan 1 00:00:00 +2359")
def test_any_retry_after_is_a_finite_wait_or_nothing(text: str) -> None:
    seconds = parse_retry_after(text)
    assert seconds is None or 0 <= seconds < float("inf")


def test_session_sends_the_key_and_ignores_netrc_and_redirects() -> None:
    session = open_session("rca_x", None)
    prepared = session.prepare_request(requests.Request("GET", "http://localhost/x"))
    assert prepared.headers["Authorization"] == "Bearer rca_x"
    assert prepared.headers["Accept"] == "application/json"
    assert str(prepared.headers["User-Agent"]).startswith("reoclo-docker-auth/")
    assert not session.trust_env
    response = requests.Response()
    response.status_code, response.headers["Location"] = 302, "http://[::1"
    assert session.get_redirect_target(response) is None
    assert "rca_" not in repr(BearerAuth("rca_x"))
