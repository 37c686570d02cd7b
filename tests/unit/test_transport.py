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
from lib.api.transport import BearerAuth, Response, Transport, open_session, parse_retry_after
from lib.cancellation import Canceled
from lib.deadline import Deadline
from lib.errors import InvalidResponse, TransportError
from tests import hostile
from tests.unit.fake_clock import FakeClock

FOUR_MIB = 4 * 1024 * 1024


class Network(BaseAdapter):
    """Adapter of requests that responds by a function instead of a network."""

    def __init__(self, respond: Callable[[], bytes], status: int = 200) -> None:
        super().__init__()
        self.options: list[dict[str, object]] = []
        self._respond = respond
        self._status = status

    def send(self, request: requests.PreparedRequest, **options: object) -> requests.Response:  # type: ignore[override]
        """Return a response, and keep what was passed."""
        self.options.append({**options, "url": request.url, "body": request.body})
        response = requests.Response()
        response.status_code = self._status
        response.headers.update({"Retry-After": "7", "CF-Ray": "ray-1"})
        response.request, response.url = request, request.url or ""
        response.raw = HTTPResponse(io.BytesIO(self._respond()), preload_content=False)
        return response

    def close(self) -> None:
        """Do nothing."""


def send(network: Network, clock: FakeClock | None = None, seconds: float = 60) -> Response:
    session = open_session("rca_x", None)
    session.mount("http://", network)
    clock = clock or FakeClock()
    deadlines = (Deadline(clock, 9999), Deadline(clock, seconds))
    transport = Transport("http://localhost/base", session, clock)
    return transport.send("POST", "/x", {"a": 1}, deadlines=deadlines)


def failing(error: Exception) -> Network:
    def fail() -> bytes:
        raise error

    return Network(fail)


def test_request_has_time_limits_and_response_is_whole() -> None:
    network = Network(lambda: b"x" * 300_000)
    expected = Response(status=200, body=b"x" * 300_000, retry_after=7, ray="ray-1")
    assert send(network) == expected
    [options] = network.options
    assert (options["url"], options["body"]) == ("http://localhost/base/x", b'{"a": 1}')
    assert (options["timeout"], options["stream"]) == ((10.0, 30.0), True)
    assert Limits() == Limits(address=3.0, connect=10.0, read=30.0)


def test_oversized_body_and_1xx_are_invalid() -> None:
    assert len(send(Network(lambda: b"x" * FOUR_MIB)).body) == FOUR_MIB
    for network in (
        Network(lambda: b"x" * (FOUR_MIB + 1)),
        Network(bytes, 103),
        Network(bytes, 199),
    ):
        with pytest.raises(InvalidResponse) as caught:
            send(network)
        assert (caught.value.retryable, caught.value.maybe_processed) == (False, True)


def test_canceled_request_is_not_sent() -> None:
    network = Network(bytes)
    with pytest.raises(Canceled) as caught:
        send(network, FakeClock(canceled=True))
    assert (caught.value.maybe_processed, network.options) == (False, [])


@pytest.mark.parametrize("is_sent", [True, False])
def test_hanging_request_is_given_up_at_the_deadline(*, is_sent: bool) -> None:
    done, ended = threading.Event(), threading.Event()
    late: list[bool] = []

    def hang() -> bytes:
        attempt = current.attempt or Attempt(Limits())
        if is_sent:
            attempt.start_sending()
        done.wait(60)
        try:
            attempt.start_sending()
        except GivenUp:
            late.append(True)
        ended.set()
        return b""

    with pytest.raises(TransportError) as caught:
        send(Network(hang), FakeClock(tick=1), seconds=2)
    done.set()
    assert ended.wait(60)
    assert (caught.value.retryable, caught.value.maybe_processed) == (True, is_sent)
    assert bool(late) is not is_sent


def test_only_faults_of_a_request_are_classified() -> None:
    for error, kind in ((OSError("x"), TransportError), (KeyError("x"), KeyError)):
        with pytest.raises(kind):
            send(failing(error))


def test_giving_up_and_sending_exclude_each_other() -> None:
    attempt, sent = Attempt(Limits()), Attempt(Limits())
    assert not attempt.give_up()
    with pytest.raises(GivenUp):
        attempt.start_sending()
    sent.start_sending()
    assert sent.give_up()
    sent.start_sending()
    assert (attempt.sent, sent.sent) == (False, True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\xfd", b"[" * 200_000, b"9" * 5000])
def test_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    response = Response(status=200, body=body)
    with pytest.raises(ValueError):  # noqa: PT011 the library words it
        response.json()
    assert response.is_empty is (body == b"")
    assert (response.retry_after, response.ray) == (None, "")


def test_whitespace_is_an_empty_body_and_null_is_not() -> None:
    assert Response(status=200, body=b" \r\n").is_empty
    assert not Response(status=200, body=b"null").is_empty
    assert Response(status=200, body=b"null").json() is None


@pytest.mark.parametrize(("seconds", "texts"), [
    (0, ["0", "Wed, 21 Oct 2015 07:28:00 GMT"]), (120, ["120", " 120 "]),
    (999999999, ["999999999"]), (1e9, ["1234567890", "9" * 5000]),
    (None, ["", "soon", "-1", "1.5", "1e3", "٣", "²", "inf", "nan", "0x10", "\x00", "1, 2",
            "Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
            "Mon, 01 Jan 2029 00:00:00 +9999999999999999"]),
])  # fmt: skip
def test_retry_after_is_seconds_or_a_date(seconds: float | None, texts: list[str]) -> None:
    assert [parse_retry_after(text) for text in texts] == [seconds] * len(texts)


def test_retry_after_date_has_any_zone_or_none() -> None:
    then = datetime.now(timezone.utc) + timedelta(hours=1)
    dates = [
        format_datetime(then, usegmt=True),
        format_datetime(then.astimezone(timezone(timedelta(hours=5)))),
        then.strftime("%a, %d %b %Y %H:%M:%S"),
        then.strftime("%a %b %d %H:%M:%S %Y"),
    ]
    assert all(3000 < (parse_retry_after(date) or 0) <= 3600 for date in dates)


@given(hostile.texts | st.integers().map("Wed, 21 Oct {} 07:28:00 GMT".format))
@example("Mon, 1 Jan 1 00:00:00 +2359")
def test_any_retry_after_is_a_finite_wait_or_nothing(text: str) -> None:
    seconds = parse_retry_after(text)
    assert seconds is None or 0 <= seconds < float("inf")


def test_session_sends_the_key_and_ignores_redirects() -> None:
    session = open_session("rca_x", None)
    headers = session.prepare_request(requests.Request("GET", "http://localhost/x")).headers
    assert (headers["Authorization"], headers["Accept"]) == ("Bearer rca_x", "application/json")
    assert str(headers["User-Agent"]).startswith("reoclo-docker-auth/")
    assert not session.trust_env  # no proxy of the environment sees the key over plain http
    response = requests.Response()
    response.status_code, response.headers["Location"] = 302, "http://[::1"
    assert session.get_redirect_target(response) is None
    assert "rca_" not in repr(BearerAuth("rca_x"))
