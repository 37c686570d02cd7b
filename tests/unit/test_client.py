"""Tests of lib.api.client."""

from __future__ import annotations

import pytest

from lib.api.faults import timed_out
from lib.api.models import AcceptedLogin, LogoutRequest, Operation, PassthroughLogin, VaultLogin
from lib.api.transport import Response
from lib.deadline import Deadline
from lib.errors import InvalidResponse, OperationTimeout, StatusError, TransportError
from tests.unit.api_stub import CONTEXT, StubApi, response
from tests.unit.fake_clock import FakeClock

VAULT = VaultLogin(server_id="s", credential_id="c")
DIRECT = PassthroughLogin(server_id="s", registry_url="r", username="u", access_token="t")
LOGOUT = LogoutRequest(server_id="s", registry_url="r")
ACCEPTED = response({"operation_id": "op-1", "registry_url": "r", "status": "running"})
LOGIN = AcceptedLogin(operation_id="op-1", registry_url="r", registry_type="")
RUNNING = response({"operation_id": "op-1", "status": "running"})
DONE = response({"status": "completed", "result": {"exit_code": 0}})
BASE = "/api/automation/v1"


def log_in(api: StubApi, seconds: float = 300) -> AcceptedLogin:
    clock = FakeClock()
    return api.client(clock).log_in(VAULT, Deadline(clock, seconds))


def status_error(found: Response) -> StatusError:
    with pytest.raises(StatusError) as caught:
        log_in(StubApi(found), seconds=1)
    return caught.value


def wait_for(api: StubApi, clock: FakeClock, seconds: float = 300) -> Operation:
    return api.client(clock).wait_for("op-1", Deadline(clock, seconds), purpose="login")


@pytest.mark.parametrize(("request_", "path"), [(VAULT, "login"), (DIRECT, "login-direct")])
def test_login_sends_request_and_run_context(
    request_: VaultLogin | PassthroughLogin, path: str
) -> None:
    api, log = StubApi(ACCEPTED), list[str]()
    clock = FakeClock()
    assert api.client(clock, log).log_in(request_, Deadline(clock, 300)) == LOGIN
    body = {**request_.body(), **CONTEXT.body()}
    assert api.requests == [(f"POST {BASE}/registry-auth/{path}", body)]
    assert api.limits == [[30.0, 300.0]]
    assert len(log) == 1


@pytest.mark.parametrize("sent", [True, False])
def test_login_remembers_an_earlier_attempt(*, sent: bool) -> None:
    api, log = StubApi(timed_out(sent=sent), ACCEPTED), list[str]()
    clock = FakeClock()
    accepted = api.client(clock, log).log_in(VAULT, Deadline(clock, 300))
    assert accepted.maybe_repeated is sent
    assert len(log) == 2  # the retry, and the second response


@pytest.mark.parametrize("body", [b"", b" \n", b"null", b"{}", b"[1]", b'"ok"', b"true"])
def test_logout_accepts_any_json_or_nothing(body: bytes) -> None:
    api, clock = StubApi(response(body, 204)), FakeClock()
    assert api.client(clock).log_out(LOGOUT, Deadline(clock, 60)) == Operation()
    path = f"POST {BASE}/registry-auth/logout"
    assert api.requests == [(path, {**LOGOUT.body(), **CONTEXT.body()})]


@pytest.mark.parametrize(("seconds", "share"), [(12.0, 5), (15.0, 5), (60.0, 20), (90.0, 30),
                                                (300.0, 30)])  # fmt: skip
def test_attempt_takes_a_third_of_the_time_left(seconds: float, share: float) -> None:
    api, clock = StubApi(response(b"")), FakeClock()
    api.client(clock).log_out(LOGOUT, Deadline(clock, seconds))
    assert api.limits == [[share, seconds]]


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null"])
def test_login_response_that_is_no_object_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidResponse) as caught:
        log_in(StubApi(response(body)))
    assert (caught.value.attempts, caught.value.maybe_processed) == (1, True)


@pytest.mark.parametrize("status", [200, 202, 299])
def test_2xx_is_a_response(status: int) -> None:
    assert log_in(StubApi(Response(status=status, body=ACCEPTED.body))) == LOGIN


@pytest.mark.parametrize(
    ("status", "anchor", "retryable", "processed"),
    [
        (199, "5xx", False, False), (300, "redirect", False, False), (302, "redirect", False, False),
        (399, "redirect", False, False), (400, "400", False, False), (401, "401", False, False),
        (403, "403", False, False), (404, "404", False, False), (408, "5xx", True, False),
        (409, "409", False, False), (422, "422", False, False), (425, "5xx", True, False),
        (429, "429", True, False), (499, "400", False, False), (500, "5xx", True, True),
        (501, "5xx", False, True), (504, "5xx", True, True), (524, "5xx", True, True),
    ],
)  # fmt: skip
def test_other_status_is_an_error(
    status: int, anchor: str, *, retryable: bool, processed: bool
) -> None:
    error = status_error(response({"detail": "why"}, status, retry_after=99.0))
    assert (error.status, error.hint.anchor, error.detail) == (status, anchor, "why")
    assert (error.retryable, error.maybe_processed) == (retryable, processed)
    assert (error.retry_after, error.attempts) == (99.0, 1)
    assert error.summary.count(str(status)) == 1
    assert "{" not in error.hint.text


def test_403_without_detail_comes_from_a_firewall() -> None:
    blocked = Response(status=403, body=b"<html>", ray="8f-FRA")
    assert status_error(blocked).hint.anchor == "403-firewall"
    assert "8f-FRA" in status_error(blocked).detail
    assert status_error(response({}, 403)).detail == ""
    assert status_error(Response(status=401, body=b"<html>", ray="8f")).detail == ""


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({"detail": "why"}, "why"),
        ({"detail": [{"loc": ["body", "server_id"], "msg": "bad"}]}, "server_id: bad"),
        ({"detail": [{"loc": ["body", "a", 0], "msg": "x"}, "y"]}, "a.0: x; y"),
        ({"detail": [{"loc": [], "msg": "x"}, {"loc": "q"}, {}]},
         "request: x; request: invalid; request: invalid"),
        ({"detail": [1, None]}, "invalid; invalid"),
        ({"detail": ["x"] * 9}, "x; x; x; x; x"),
        *((body, "") for body in ({"detail": {}}, {"detail": 5}, {}, [], "why", b"<html>")),
    ],
)  # fmt: skip
def test_detail_is_the_text_of_the_api(body: object, detail: str) -> None:
    assert status_error(response(body, 422)).detail == detail


def test_operation_is_polled_until_it_ends() -> None:
    api, clock = StubApi(RUNNING, response({"status": "odd"}), RUNNING, DONE), FakeClock()
    assert wait_for(api, clock).succeeded
    assert api.requests == [(f"GET {BASE}/operations/op-1", None)] * 4
    assert 0.3 <= clock.sleeps[0] <= 0.315
    assert api.limits[0][0] == pytest.approx(30)


def test_first_poll_can_be_immediate() -> None:
    api, clock = StubApi(DONE), FakeClock()
    api.client(clock).wait_for("op-1", Deadline(clock, 60), purpose="login", first_seconds=0.0)
    assert clock.time == 1000


def test_unfinished_operation_times_out() -> None:
    clock = FakeClock()
    with pytest.raises(OperationTimeout) as caught:
        wait_for(StubApi(RUNNING), clock, 20)
    assert (caught.value.operation_id, caught.value.hint.anchor) == ("op-1", "timeout")
    for part in ("20 s", "login", "running"):
        assert part in caught.value.summary
    with pytest.raises(OperationTimeout) as caught:
        wait_for(StubApi(DONE), clock, 0.4)
    assert "unknown" in caught.value.summary


@pytest.mark.parametrize(
    ("fault", "anchor"),
    [(timed_out(sent=True), "unreachable"), (response({"detail": "x"}, 429), "429")],
)
def test_polls_that_fail_until_the_deadline_time_out(
    fault: Response | TransportError, anchor: str
) -> None:
    api = StubApi(RUNNING, fault)
    with pytest.raises(OperationTimeout) as caught:
        wait_for(api, FakeClock(), 20)
    assert (caught.value.operation_id, caught.value.hint.anchor) == ("op-1", anchor)
    assert "running" in caught.value.summary
    assert caught.value.detail
    assert len(api.requests) > 6


@pytest.mark.parametrize("seconds", [4.4, 5.6])
def test_unknown_operation_is_polled_for_five_seconds(seconds: float) -> None:
    clock = FakeClock()
    missing = response({"detail": "x"}, 404)

    class Late(StubApi):
        def send(self, *args: object, **options: object) -> Response:
            found = super().send(*args, **options)  # type: ignore[arg-type]
            return DONE if clock.time >= 1000 + seconds else found

    api = Late(missing)
    try:
        assert wait_for(api, clock).succeeded
    except StatusError as error:
        assert (error.status, error.operation_id) == (404, "op-1")  # noqa: PT017 either can happen
        assert 1005 <= clock.time
    assert len(api.requests) > 1
    assert clock.time >= 1004.4


def test_operation_that_disappears_is_an_error_immediately() -> None:
    api = StubApi(RUNNING, response({"detail": "x"}, 404))
    with pytest.raises(StatusError) as caught:
        wait_for(api, FakeClock())
    assert (caught.value.status, caught.value.operation_id) == (404, "op-1")
    assert len(api.requests) == 2


@pytest.mark.parametrize("body", [b"<html>", b"[]", {"operation_id": "op-2"}])
def test_fifth_invalid_poll_response_is_an_error(body: object) -> None:
    api = StubApi(*[response(body)] * 4, DONE)
    assert wait_for(api, FakeClock()).succeeded
    api = StubApi(response(body))
    with pytest.raises(InvalidResponse) as caught:
        wait_for(api, FakeClock())
    assert caught.value.operation_id == "op-1"
    assert len(api.requests) == 5


def test_forbidden_poll_is_an_error_with_the_operation() -> None:
    with pytest.raises(StatusError) as caught:
        wait_for(StubApi(response({"detail": "x"}, 403)), FakeClock())
    assert (caught.value.status, caught.value.operation_id) == (403, "op-1")
