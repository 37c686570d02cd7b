"""Tests of lib.api.transport and lib.api.connection without a network."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
import requests
from requests.adapters import BaseAdapter

from lib.api.connection import Abandoned, Attempt, Limits
from lib.api.transport import BearerAuth, Response, Transport, open_session, parse_retry_after
from tests.unit.fakes import FakeClock


class Broken(BaseAdapter):
    """Adapter of requests with a bug."""

    def send(self, *_: object, **options: object) -> requests.Response:
        """Raise an error that names the time limits."""
        raise KeyError(options["timeout"])


def test_bug_is_not_classified_and_limits_are_passed() -> None:
    session, clock = open_session("rca_x", None), FakeClock()
    session.mount("http://", Broken())
    with pytest.raises(KeyError, match=r"\(10.0, 30.0\)"):
        Transport("http://x", session, clock).send("GET", "/", None, deadlines=())
    assert Limits() == Limits(address=3.0, connect=10.0, read=30.0)


def test_abandoning_and_sending_exclude_each_other() -> None:
    attempt, sent = Attempt(Limits()), Attempt(Limits())
    assert not attempt.abandon()
    with pytest.raises(Abandoned):
        attempt.start_sending()
    sent.start_sending()
    assert sent.abandon()
    sent.start_sending()
    assert (attempt.sent, sent.sent) == (False, True)


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe\xfd", b"[" * 200_000, b"9" * 5000])
def test_body_that_is_no_json_is_a_value_error(body: bytes) -> None:
    response = Response(status=200, body=body)
    with pytest.raises(ValueError):  # noqa: PT011 the library words it
        response.json()
    assert response.is_empty is (body == b"")
    assert (response.retry_after, response.ray) == (None, "")


@pytest.mark.parametrize(("seconds", "texts"), [
    (0, ["0", "Wed, 21 Oct 2015 07:28:00 GMT"]), (120, ["120", " 120 "]),
    (999999999, ["999999999"]), (1e9, ["1234567890", "9" * 5000]),
    (None, ["", "soon", "-1", "1.5", "1e3", "٣", "²", "inf", "nan", "\x00", "1, 2",
            "Wed, 99 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
            "Mon, 01 Jan 2029 00:00:00 +9999999999999999"]),
])  # fmt: skip
def test_retry_after_is_seconds_or_a_date(seconds: float | None, texts: list[str]) -> None:
    assert [parse_retry_after(text) for text in texts] == [seconds] * len(texts)


def test_retry_after_date_has_any_zone_or_none() -> None:
    then = datetime.now(timezone.utc) + timedelta(hours=1)
    other_zone = format_datetime(then.astimezone(timezone(timedelta(hours=5))))
    dates = [other_zone, *map(then.strftime, ("%a, %d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y"))]
    assert all(3000 < (parse_retry_after(date) or 0) <= 3600 for date in dates)


def test_session_sends_the_key_and_ignores_redirects() -> None:
    session = open_session("rca_x", None)
    headers = session.prepare_request(requests.Request("GET", "http://localhost/x")).headers
    assert (headers["Authorization"], headers["Accept"]) == ("Bearer rca_x", "application/json")
    assert str(headers["User-Agent"]).startswith("reoclo-docker-auth/")
    assert not session.trust_env  # no proxy of the environment sees the key over plain http
    assert "rca_" not in repr(BearerAuth("rca_x"))
