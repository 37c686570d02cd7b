"""What the network can do to a request, over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from lib.client import Client
from lib.clock import Deadline
from lib.errors import ApiError, OperationUnfinished, ProtocolError, Refusal, Unreachable
from lib.models import Run, VaultLogin
from lib.process import SystemClock
from lib.transport import Transport, open_session
from tests.fake_api import FakeApi
from tests.integration import conversation
from tests.integration.conversation import CLOSE, REFUSE, RESET, STALL, Answer
from tests.integration.job import CREDENTIAL_ID, KEY, SERVER_ID

RUN = Run(
    provider="here", repository="", workflow="", trigger="", actor="", sha="", ref="", run_id=""
)
LOGIN = VaultLogin(server_id=SERVER_ID, credential_id=CREDENTIAL_ID)
GOOD = conversation.accepted()
TRUNCATE: Answer = {**GOOD, "fault": "truncate"}
OPERATION = "/api/automation/v1/operations/op"
DRIP: Answer = {**GOOD, "fault": "drip"}


class HurriedClock(SystemClock):
    """Tells the real time, and does not really sleep."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Note the wait alone."""
        self.slept.append(seconds)


def client(api: FakeApi, clock: SystemClock) -> Client:
    """Make a client that tells nobody."""
    transport = Transport(api.url, open_session(KEY, None))
    return Client(transport, RUN, clock, info=lambda _: None, debug=lambda _: None)


def logins(*answers: Answer) -> FakeApi:
    """Make an API that is asked for a login as often as there are answers."""
    return conversation.play(conversation.login(*answers))


@pytest.mark.parametrize(
    "fault",
    [
        CLOSE,
        TRUNCATE,
        RESET,
        {"status": 503, "body": "<html>down</html>"},
        {"status": 502, "body": ""},
        {"status": 429, "body": {}, "headers": {"Retry-After": "0"}},
        {"status": 408},
    ],
    ids=["closed", "truncated", "reset", "503", "502", "429", "408"],
)
def test_a_passing_fault_is_followed_by_another_try(fault: Answer) -> None:
    """A login that meets a passing fault is sent again, and then is accepted."""
    clock = HurriedClock()
    with logins(fault, GOOD) as api:
        accepted = client(api, clock).log_in(LOGIN, Deadline(clock, 20))

    api.verify()
    assert accepted.registry_url == "ghcr.io"
    assert len(clock.slept) == 1


@pytest.mark.parametrize("fault", [CLOSE, {"status": 500}], ids=["closed", "500"])
def test_a_fault_that_stays_is_given_five_attempts(fault: Answer) -> None:
    """After five attempts the error tells their number, and that the login may have arrived."""
    clock = HurriedClock()
    with logins(*[fault] * 5) as api, pytest.raises(ApiError) as caught:
        client(api, clock).log_in(LOGIN, Deadline(clock, 20))

    api.verify()
    assert "Tried 5 times" in str(caught.value)
    assert caught.value.lost


def test_a_fault_before_a_refusal_is_not_forgotten() -> None:
    """If an earlier try may have arrived, a later refusal does not mean that nothing happened."""
    clock = HurriedClock()
    busy = {"status": 409, "body": {"detail": "busy"}}
    with logins(CLOSE, busy) as api, pytest.raises(Refusal) as caught:
        client(api, clock).log_in(LOGIN, Deadline(clock, 20))

    assert caught.value.lost


def test_an_api_that_starts_anew_is_waited_for() -> None:
    """A login whose connections break off and then are refused is accepted when they are not."""
    clock = SystemClock()
    with logins({**REFUSE, "lasts": {"seconds": 0.3}}, GOOD) as api:
        accepted = client(api, clock).log_in(LOGIN, Deadline(clock, 60))

    api.verify()
    assert accepted.registry_url == "ghcr.io"


def test_a_connection_that_is_refused_reached_nobody() -> None:
    """Where nothing listens, nothing was logged in, and the error says what to check."""
    with FakeApi([]) as gone:
        pass
    clock = HurriedClock()

    with pytest.raises(Unreachable) as caught:
        client(gone, clock).log_in(LOGIN, Deadline(clock, 20))

    assert not caught.value.lost
    assert "connection refused" in str(caught.value)
    assert "api_url" in str(caught.value)


def test_a_name_that_does_not_exist_reached_nobody() -> None:
    """Where the API's name cannot be resolved, the error says so."""
    clock = HurriedClock()
    transport = Transport("http://reoclo.invalid", open_session(KEY, None))
    nowhere = Client(transport, RUN, clock, info=lambda _: None, debug=lambda _: None)
    with pytest.raises(Unreachable) as caught:
        nowhere.log_in(LOGIN, Deadline(clock, 20))

    assert not caught.value.lost
    assert "its name cannot be resolved" in str(caught.value)


@pytest.mark.parametrize("fault", [DRIP, STALL], ids=["drip", "stall"])
def test_no_answer_takes_longer_than_the_deadline(fault: Answer) -> None:
    """An answer that drips, and one that never comes, end with the time there is."""
    clock = SystemClock()
    deadline = Deadline(clock, 1)
    with logins(fault) as api, pytest.raises(Unreachable) as caught:
        client(api, clock).log_in(LOGIN, deadline)

    api.verify()
    assert deadline.remaining() == 0
    assert "no answer in time" in str(caught.value)


def test_an_answer_that_drips_to_its_end_in_time_is_good() -> None:
    """An answer that comes slowly, but whole, is an answer like any other."""
    clock = SystemClock()
    done = {"body": {"operation_id": "op", "status": "completed"}, "fault": "drip"}
    with conversation.play(conversation.exchange("GET", OPERATION, None, [done])) as api:
        assert client(api, clock).follow("op", Deadline(clock, 60)).ended


def test_a_redirect_is_refused_and_the_key_stays() -> None:
    """The key follows to no other address, and the error points to api_url."""
    clock = HurriedClock()
    with FakeApi([]) as elsewhere:
        moved = {"status": 302, "headers": {"Location": elsewhere.url}}
        with logins(moved) as api, pytest.raises(Refusal, match="api_url") as caught:
            client(api, clock).log_in(LOGIN, Deadline(clock, 20))

    assert elsewhere.requests == []
    assert not caught.value.lost


@pytest.mark.parametrize(
    "body",
    [
        "<html>Please log in</html>",
        "[]",
        "{}",
        {"operation_id": 7, "status": "running"},
        {"operation_id": "../..", "registry_url": "a", "registry_type": "b"},
        {"operation_id": "op", "registry_url": "a b", "registry_type": "b"},
        {"operation_id": "op", "registry_url": "${{a}}", "registry_type": "b"},
        "[" * 100_000,
    ],
    ids=lambda body: str(body)[:40],
)
def test_an_answer_that_is_not_the_apis_is_an_error(body: Any) -> None:
    """What is not an answer of the API points to api_url, and shows nothing of itself."""
    clock = HurriedClock()
    with logins({"body": body}) as api, pytest.raises(ProtocolError) as caught:
        client(api, clock).log_in(LOGIN, Deadline(clock, 20))

    assert "api_url" in str(caught.value)
    assert "html" not in str(caught.value)


@pytest.mark.parametrize("odd", ["<html>", '{"operation_id":', "", {"status": 7}], ids=str)
def test_one_odd_answer_to_a_poll_is_passed_over(odd: object) -> None:
    """A page of a proxy between two good answers fails no login."""
    clock = HurriedClock()
    done = {"body": {"operation_id": "op", "status": "completed"}}
    with conversation.play(
        conversation.exchange("GET", OPERATION, None, [{"body": odd}, done])
    ) as api:
        assert client(api, clock).follow("op", Deadline(clock, 20)).ended

    api.verify()


def test_a_poll_that_fails_is_tried_until_it_works() -> None:
    """More than five faults in a row do not end a poll."""
    clock = HurriedClock()
    done = {"body": {"operation_id": "op", "status": "completed"}}
    polls = conversation.exchange("GET", OPERATION, None, [*[CLOSE, RESET, TRUNCATE] * 3, done])
    with conversation.play(polls) as api:
        operation = client(api, clock).follow("op", Deadline(clock, 20))

    api.verify()
    assert operation.ended


def test_an_operation_that_cannot_be_asked_for_is_told_with_the_fault() -> None:
    """When time is over while polls fail, the error names the operation and the fault."""
    clock = SystemClock()
    with FakeApi([]) as gone:
        pass
    with pytest.raises(OperationUnfinished) as caught:
        client(gone, clock).follow("op-1", Deadline(clock, 1))

    told = str(caught.value)
    assert "op-1" in told
    assert "its status is unknown" in told
    assert "connection refused" in told


def test_an_answer_without_end_is_cut_off() -> None:
    """An answer larger than any of the API's is not read to its end, but asked for again."""
    clock = HurriedClock()
    with logins({"body": " " * 9_000_000}, GOOD) as api:
        accepted = client(api, clock).log_in(LOGIN, Deadline(clock, 60))

    api.verify()
    assert accepted.registry_url == "ghcr.io"
