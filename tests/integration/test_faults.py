"""What the network can do to a request, over real sockets."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from lib.client import Client
from lib.clock import Deadline
from lib.errors import ApiError, OperationUnfinished, ProtocolError, Refusal, Unreachable
from lib.models import LoginRequest, Operation, Run
from lib.process import SystemClock
from lib.transport import Transport, open_session

RUN = Run(provider="", repository="", workflow="", trigger="", actor="", sha="", ref="", run_id="")
LOGIN = LoginRequest(
    server_id="11111111-2222-4333-8444-555555555555",
    credential_id="66666666-7777-4888-9999-000000000000",
)
Behaviour = Callable[[socket.socket], None]


class HurriedClock(SystemClock):
    """Tells the real time, and does not really sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Note the wait alone."""
        self.slept.append(seconds)


@contextmanager
def server(*behaviours: Behaviour) -> Iterator[tuple[str, list[bytes]]]:
    """Listen, and treat each connection in its own way, the last way for all further ones."""
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for number in range(100):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    requests.append(connection.recv(65536))
                    behaviours[min(number, len(behaviours) - 1)](connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        listener.shutdown(socket.SHUT_RDWR)


def answer(status: str, body: str, *headers: str) -> Behaviour:
    """Answer whole, and close."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return lambda connection: connection.sendall(("\r\n".join(head) + "\r\n\r\n" + body).encode())


def close(_connection: socket.socket) -> None:
    """Close without a word."""


def truncate(connection: socket.socket) -> None:
    """Promise more than comes."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{")


def reset(connection: socket.socket) -> None:
    """Break the connection off hard."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def drip(connection: socket.socket) -> None:
    """Send a byte now and then, and never end."""
    stopped = threading.Event()
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n")
    for _ in range(100):
        try:
            connection.sendall(b" ")
        except OSError:
            return
        stopped.wait(0.05)


def stay_silent(connection: socket.socket) -> None:
    """Say nothing until the other side goes."""
    connection.settimeout(5)
    try:
        while connection.recv(65536):
            pass
    except OSError:
        return


def client(url: str, clock: SystemClock) -> Client:
    """Make a client that tells nobody."""
    session = open_session(url, "rca_Zm9vYmFy")
    return Client(Transport(url, session), RUN, clock, info=lambda _: None, debug=lambda _: None)


GOOD = answer(
    "202 Accepted",
    '{"operation_id": "op-1", "status": "running", "registry_url": "ghcr.io",'
    ' "registry_type": "ghcr"}',
    "Content-Type: application/json",
)


@pytest.mark.parametrize(
    "fault",
    [
        close,
        truncate,
        reset,
        answer("503 Service Unavailable", "<html>down</html>"),
        answer("502 Bad Gateway", ""),
        answer("429 Too Many Requests", "{}", "Retry-After: 0"),
        answer("408 Request Timeout", ""),
    ],
    ids=["closed", "truncated", "reset", "503", "502", "429", "408"],
)
def test_a_passing_fault_is_followed_by_another_try(fault: Behaviour) -> None:
    """A login that meets a passing fault is sent again, and then is accepted."""
    clock = HurriedClock()
    with server(fault, GOOD) as (url, requests):
        accepted = client(url, clock).log_in(LOGIN, Deadline(clock, 20))

    assert accepted.registry_url == "ghcr.io"
    assert [request.split(b" ")[0] for request in requests] == [b"POST", b"POST"]
    assert len(clock.slept) == 1


@pytest.mark.parametrize("fault", [close, answer("500 Oops", "")], ids=["closed", "500"])
def test_a_fault_that_stays_is_given_five_attempts(fault: Behaviour) -> None:
    """After five attempts the error tells their number, and that the login may have arrived."""
    clock = HurriedClock()
    with server(fault) as (url, requests), pytest.raises(ApiError) as caught:
        client(url, clock).log_in(LOGIN, Deadline(clock, 20))

    assert len(requests) == 5
    assert "Tried 5 times" in str(caught.value)
    assert caught.value.lost


def test_a_fault_before_a_refusal_is_not_forgotten() -> None:
    """If an earlier try may have arrived, a later refusal does not mean that nothing happened."""
    clock = HurriedClock()
    with (
        server(close, answer("409 Conflict", '{"detail": "busy"}')) as (url, _),
        pytest.raises(Refusal) as caught,
    ):
        client(url, clock).log_in(LOGIN, Deadline(clock, 20))

    assert caught.value.lost


def test_a_connection_that_is_refused_reached_nobody() -> None:
    """Where nothing listens, nothing was logged in, and the error says what to check."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    clock = HurriedClock()

    with pytest.raises(Unreachable) as caught:
        client(url, clock).log_in(LOGIN, Deadline(clock, 20))

    assert not caught.value.lost
    assert "connection refused" in str(caught.value)
    assert "api_url" in str(caught.value)


def test_a_name_that_does_not_exist_reached_nobody() -> None:
    """Where the API's name cannot be resolved, the error says so."""
    clock = HurriedClock()
    with pytest.raises(Unreachable) as caught:
        client("http://reoclo.invalid", clock).log_in(LOGIN, Deadline(clock, 20))

    assert not caught.value.lost
    assert "its name cannot be resolved" in str(caught.value)


@pytest.mark.parametrize("fault", [drip, stay_silent])
def test_no_answer_takes_longer_than_the_deadline(fault: Behaviour) -> None:
    """An answer that drips, and one that never comes, end with the time there is."""
    clock = SystemClock()
    deadline = Deadline(clock, 1)
    with server(fault) as (url, requests), pytest.raises(Unreachable) as caught:
        client(url, clock).log_in(LOGIN, deadline)

    assert deadline.remaining() == 0
    assert len(requests) == 1
    assert "no answer in time" in str(caught.value)


def test_a_redirect_is_refused_and_the_key_stays() -> None:
    """The key follows to no other address, and the error points to api_url."""
    clock = HurriedClock()
    with (
        server(GOOD) as (elsewhere, seen),
        server(answer("302 Found", "", f"Location: {elsewhere}/")) as (url, _),
        pytest.raises(Refusal, match="api_url") as caught,
    ):
        client(url, clock).log_in(LOGIN, Deadline(clock, 20))

    assert seen == []
    assert not caught.value.lost


@pytest.mark.parametrize(
    "body",
    [
        "<html>Please log in</html>",
        "[]",
        "{}",
        '{"operation_id": 7, "status": "running"}',
        '{"operation_id": "../..", "status": "x", "registry_url": "a", "registry_type": "b"}',
        '{"operation_id": "op", "status": "x", "registry_url": "a b", "registry_type": "b"}',
        '{"operation_id": "op", "status": "x", "registry_url": "${{a}}", "registry_type": "b"}',
        "[" * 100_000,
    ],
    ids=lambda body: body[:40],
)
def test_an_answer_that_is_not_the_apis_is_an_error(body: str) -> None:
    """What is not an answer of the API points to api_url, and shows nothing of itself."""
    clock = HurriedClock()
    with server(answer("200 OK", body)) as (url, _), pytest.raises(ProtocolError) as caught:
        client(url, clock).log_in(LOGIN, Deadline(clock, 20))

    assert "api_url" in str(caught.value)
    assert "html" not in str(caught.value)


def test_a_poll_that_fails_is_tried_until_it_works() -> None:
    """More than five faults in a row do not end a poll."""
    clock = HurriedClock()
    done = answer("200 OK", '{"operation_id": "op", "status": "completed"}')
    with server(*[close] * 8, done) as (url, _):
        operation: Operation = client(url, clock).follow("op", Deadline(clock, 20))

    assert operation.ended


def test_an_operation_that_cannot_be_asked_for_is_told_with_the_fault() -> None:
    """When time is over while polls fail, the error names the operation and the fault."""
    clock = SystemClock()
    with server(close) as (url, _), pytest.raises(OperationUnfinished) as caught:
        client(url, clock).follow("op-1", Deadline(clock, 1))

    told = str(caught.value)
    assert "op-1" in told
    assert "its status is unknown" in told
    assert "the connection was closed" in told


def test_an_answer_without_end_is_cut_off() -> None:
    """An answer larger than any of the API's is not read to its end."""
    clock = HurriedClock()

    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        try:
            for _ in range(200):
                connection.sendall(b" " * 65536)
        except OSError:
            return

    with server(flood, GOOD) as (url, _):
        assert client(url, clock).log_in(LOGIN, Deadline(clock, 20)).operation_id == "op-1"
