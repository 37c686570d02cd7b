"""The faults that the fake API can play, as a client that is not ours meets them."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from tests.fake_api import FakeApi, recording
from tests.fake_api.recording import Recording

LOGIN_PATH = "/api/automation/v1/registry-auth/login"
GOOD = {"status": 202, "body": {"operation_id": "<login_operation>"}}


def recorded(*responses: dict[str, Any], **more: Any) -> Recording:
    """Make a recording of logins alone, with these answers."""
    request = {"method": "POST", "path": LOGIN_PATH, "body": {"server_id": "<text>"}}
    exchanges = [{"request": request, "times": {"least": 1}, "responses": responses}]
    data = {"title": "made for one test", "exchanges": exchanges, **more}
    return recording.parse("made", data)


@contextmanager
def ask(api: FakeApi, timeout: float = 10) -> Iterator[http.client.HTTPResponse]:
    """Send a login, and give its answer with the body still to be read."""
    address = urllib.parse.urlsplit(api.url)
    assert address.hostname
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=timeout)
    headers = {"Authorization": "Bearer rca_example", "Content-Type": "application/json"}
    with closing(connection):
        connection.request("POST", LOGIN_PATH, json.dumps({"server_id": "build-1"}), headers)
        with connection.getresponse() as answer:
            yield answer


def status(api: FakeApi) -> int:
    """Send a login, and give the status of its answer."""
    with ask(api) as answer:
        return answer.status


def test_a_closed_connection_has_no_answer() -> None:
    """`close` ends the connection where an answer should begin."""
    with (
        FakeApi([recorded({"fault": "close"})]) as api,
        pytest.raises(http.client.RemoteDisconnected),
    ):
        status(api)


def test_a_reset_connection_breaks_off() -> None:
    """`reset` breaks the connection off, so that the client's system reports it."""
    with (
        FakeApi([recorded({"fault": "reset"})]) as api,
        pytest.raises(ConnectionResetError) as caught,
    ):
        status(api)

    assert not isinstance(caught.value, http.client.RemoteDisconnected)


def test_a_truncated_answer_ends_too_soon() -> None:
    """`truncate` promises the whole body and sends half of it."""
    with (
        FakeApi([recorded({**GOOD, "fault": "truncate"})]) as api,
        ask(api) as answer,
        pytest.raises(http.client.IncompleteRead) as caught,
    ):
        answer.read()

    assert answer.status == 202
    assert len(caught.value.partial) >= 10


def test_a_dripping_answer_is_whole_in_the_end() -> None:
    """`drip` sends the body a byte at a time, and all of it."""
    body = {"detail": "drip"}
    with (
        FakeApi([recorded({"status": 200, "fault": "drip", "body": body})]) as api,
        ask(api) as answer,
    ):
        assert len(answer.read1()) == 1
        assert json.loads(b"{" + answer.read()) == body


def test_a_stalling_api_says_nothing() -> None:
    """`stall` takes the request, and answers it never."""
    with FakeApi([recorded({"fault": "stall"})]) as api:
        with pytest.raises(TimeoutError), ask(api, timeout=0.3):
            pass
        assert [seen.outcome for seen in api.requests] == ["stall"]


def test_an_api_that_refuses_comes_back() -> None:
    """`refuse` breaks off, then nothing listens for as long as it lasts, and then it answers."""
    refused = {"fault": "refuse", "lasts": {"seconds": 1}}
    seen: list[type[Exception] | int] = []
    with FakeApi([recorded(refused, GOOD)]) as api:
        pause = threading.Event()
        while 202 not in seen:
            try:
                seen.append(status(api))
            except OSError as error:
                seen.append(type(error))
            pause.wait(0.05)

    assert seen[0] is ConnectionResetError
    assert ConnectionRefusedError in seen


def test_an_api_that_refuses_for_good_stays_away() -> None:
    """Without an end `refuse` lasts until the server is stopped."""
    with FakeApi([recorded({"fault": "refuse"})]) as api:
        with pytest.raises(ConnectionResetError):
            status(api)
        while is_listening(api):
            pass


def is_listening(api: FakeApi) -> bool:
    """Tell whether anything takes connections at an API's address."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", int(api.url.rpartition(":")[2]))) == 0


def test_a_rate_limit_refuses_what_is_too_much_for_a_key() -> None:
    """What goes beyond the limit gets 429 and is told how long to wait; it counts for nothing."""
    limited = recorded(GOOD, rate_limit={"requests": 2, "seconds": 60})
    with FakeApi([limited], endless=True) as api:
        assert [status(api) for _ in range(3)] == [202, 202, 429]
        with ask(api) as answer:
            assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_a_rate_limit_lets_requests_through_again() -> None:
    """After the window that is full, there is room again."""
    limited = recorded(GOOD, rate_limit={"requests": 1, "seconds": 0.2})
    pause = threading.Event()
    with FakeApi([limited], endless=True) as api:
        seen = [status(api)]
        while seen.count(202) < 2:
            pause.wait(0.02)
            seen.append(status(api))

    assert 429 in seen
