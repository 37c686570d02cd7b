"""Tests of lib.api.client."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

import pytest

from lib.api.faults import timed_out
from lib.api.models import AcceptedLogin, LogoutRequest, Operation, PassthroughLogin, VaultLogin
from lib.api.transport import Response
from lib.deadline import Deadline
from lib.errors import ApiError, InvalidResponse, OperationTimeout, StatusError
from tests.unit.fakes import CONTEXT, FakeClock, StubApi, response

VAULT = VaultLogin(server_id="s", credential_id="c")
DIRECT = PassthroughLogin(server_id="s", registry_url="r", username="u", access_token="t")
LOGOUT = LogoutRequest(server_id="s", registry_url="r")
ACCEPTED = response({"operation_id": "op-1", "registry_url": "r", "status": "running"})
LOGIN = AcceptedLogin(operation_id="op-1", registry_url="r", registry_type="")
RUNNING = response({"operation_id": "op-1", "status": "running"})
DONE = response({"status": "completed", "result": {"exit_code": 0}})
MISSING = response({"detail": "x"}, 404)
LOST = timed_out(sent=True)
PAGE = response(b"<html>")
BASE = "/api/automation/v1"


def log_in(
    api: StubApi, request: VaultLogin | PassthroughLogin = VAULT, seconds: float = 300
) -> AcceptedLogin:
    clock = FakeClock()
    return api.client(clock).log_in(request, Deadline(clock, seconds))


def wait_for(api: StubApi, clock: FakeClock, seconds: float = 300) -> Operation:
    return api.client(clock).wait_for("op-1", Deadline(clock, seconds), purpose="login")


def status_error(found: Response) -> StatusError:
    with pytest.raises(StatusError) as caught:
        log_in(StubApi(found), seconds=1)
    return caught.value


def test_login_sends_request_and_run_context() -> None:
    api = StubApi(ACCEPTED)
    assert (log_in(api), log_in(api, DIRECT)) == (LOGIN, LOGIN)
    for (path, body), request in zip(api.requests, (VAULT, DIRECT), strict=True):
        assert path == f"POST {BASE}{request.endpoint.path}"
        assert body == {**asdict(request), **CONTEXT.body()}
    assert (api.limits, len(api.log)) == ([[30.0, 300.0]] * 2, 2)


@pytest.mark.parametrize(("first", "maybe_repeated", "reason"), [
    (LOST, True, "attempt 2 of 5"), (timed_out(sent=False), False, "attempt 2 of 5"),
    (response({}, 503, 7.0), True, "as the API requested"), (response({}, 429), False, ""),
])  # fmt: skip
def test_retried_login_remembers_and_logs_the_first_attempt(
    first: Any, reason: str, *, maybe_repeated: bool
) -> None:
    api = StubApi(first, ACCEPTED)
    assert log_in(api).maybe_repeated is maybe_repeated
    [line] = [line for line in api.log if "Retrying" in line]
    assert (reason in line, "attempt" in line or "requested" in line) == (True, bool(reason))


# An attempt takes a third of the time left, from 5 to 30 s.
@pytest.mark.parametrize(("body", "seconds", "share"), [
    (b"", 12.0, 5.0), (b" \n", 60.0, 20.0), (b"{}", 90.0, 30.0), (b"[1]", 300.0, 30.0),
])  # fmt: skip
def test_logout_accepts_any_json_or_nothing(body: bytes, seconds: float, share: float) -> None:
    api, clock = StubApi(response(body, 204)), FakeClock()
    assert api.client(clock).log_out(LOGOUT, Deadline(clock, seconds)) == Operation()
    path, fields = f"POST {BASE}/registry-auth/logout", {**asdict(LOGOUT), **CONTEXT.body()}
    assert (api.requests, api.limits) == ([(path, fields)], [[share, seconds]])


@pytest.mark.parametrize(("anchor", "flags", "statuses"), [
    # r: retryable, p: may have been processed
    ("redirect", "", [300]), ("400", "", [199, 499]), ("429", "r", [429]), ("5xx", "r", [408]),
    ("5xx", "p", [501]), ("5xx", "rp", [500, 524]),
])  # fmt: skip
def test_status_other_than_2xx_is_an_error(anchor: str, flags: str, statuses: list[int]) -> None:
    for status in statuses:
        error = status_error(response({"detail": "why"}, status, retry_after=99.0))
        assert (error.status, error.hint.anchor, error.detail) == (status, anchor, "why")
        assert "r" * error.retryable + "p" * error.maybe_processed == flags
        assert error.retry_after == 99.0
    assert [log_in(StubApi(response(ACCEPTED.body, status))) for status in (200, 299)] == [LOGIN] * 2


def test_403_without_detail_comes_from_a_firewall() -> None:
    error = status_error(Response(status=403, body=b"<html>", ray="8f-FRA"))
    assert (error.hint.anchor, "8f-FRA" in error.detail) == ("403-firewall", True)
    assert status_error(response({}, 403)).detail == ""
    assert status_error(response({"detail": "x"}, 403)).hint.anchor == "403"
    assert status_error(Response(status=401, body=b"<html>", ray="8f-FRA")).detail == ""


@pytest.mark.parametrize(("body", "detail"), [
    ({"detail": [{"loc": ["body", "a", 0], "msg": "x"}, "y"]}, "a.0: x; y"),
    ({"detail": [{"loc": [], "msg": "x"}, {"loc": "q"}]}, "request: x; request: invalid"),
    ({"detail": [1, None]}, "invalid; invalid"), ({"detail": ["x"] * 9}, "x; x; x; x; x"),
    ({"detail": {}}, ""), ({}, ""), (["why"], ""), (b"<html>", ""),
])  # fmt: skip
def test_detail_is_the_text_of_the_api(body: object, detail: str) -> None:
    assert status_error(response(body, 422)).detail == detail


def test_operation_is_polled_until_it_ends() -> None:
    api, clock = StubApi(RUNNING, response({"status": "odd"}), RUNNING, DONE), FakeClock()
    assert wait_for(api, clock).succeeded
    assert api.requests == [(f"GET {BASE}/operations/op-1", None)] * 4
    assert (0.3 <= clock.sleeps[0] <= 0.315, api.limits[0][0]) == (True, 30)
    deadline = Deadline(clock, 60)
    api.client(clock).wait_for("op-1", deadline, purpose="login", first_seconds=0.0)
    assert deadline.elapsed() == 0


@pytest.mark.parametrize(("responses", "seconds", "anchor", "status"), [
    ([RUNNING], 20, "timeout", "running"), ([DONE], 0.4, "timeout", "unknown"),
    ([RUNNING, LOST], 20, "unreachable", "running"), ([LOST], 20, "unreachable", "unknown"),
    ([response({"x": 1})], 20, "timeout", "unknown"),
])  # fmt: skip
def test_unfinished_operation_times_out(
    responses: list[Any], seconds: float, anchor: str, status: str
) -> None:
    with pytest.raises(OperationTimeout) as caught:
        wait_for(StubApi(*responses), FakeClock(), seconds)
    error = caught.value
    assert (error.operation_id, error.hint.anchor) == ("op-1", anchor)
    assert (bool(error.detail), status in error.summary) == (anchor != "timeout", True)


def test_unknown_operation_is_polled_for_five_seconds() -> None:
    clock = FakeClock()
    with pytest.raises(StatusError):
        wait_for(StubApi(MISSING), clock)
    assert 1005 <= clock.time < 1010
    assert wait_for(StubApi(MISSING, MISSING, DONE), clock).succeeded


@pytest.mark.parametrize(("responses", "kind", "requests"), [
    ([RUNNING, MISSING], StatusError, 2), ([response({"detail": "x"}, 403)], StatusError, 1),
    ([PAGE], InvalidResponse, 5), ([response({"operation_id": "op-2"})], InvalidResponse, 5),
    ([PAGE] * 4 + [DONE], None, 5),
])  # fmt: skip
def test_final_poll_error_names_the_operation(
    responses: list[Response], kind: type[ApiError] | None, requests: int
) -> None:
    api = StubApi(*responses)
    with pytest.raises(kind) if kind else nullcontext() as caught:
        wait_for(api, FakeClock())
    assert len(api.requests) == requests
    assert caught is None or caught.value.operation_id == "op-1"
