"""Tests of lib.api.client."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest

from lib.api.client import Client
from lib.api.models import AcceptedLogin, LogoutRequest, Operation, PassthroughLogin, VaultLogin
from lib.api.transport import Response
from lib.deadline import Deadline, Deadlines
from lib.errors import InvalidResponse, OperationTimeout, StatusError
from lib.run_context import RunContext
from tests.unit.fake_clock import FakeClock


def response(body: object, status: int = 200, retry_after: float | None = None) -> Response:
    """Return a response with a JSON body, or with the body's own bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=content, retry_after=retry_after)


class StubApi:
    """Transport whose responses are listed in order; the last one repeats."""

    def __init__(self, *responses: Response) -> None:
        self.requests: list[tuple[str, dict[str, Any] | None]] = []
        self.limits: list[list[float]] = []
        self.log: list[str] = []
        self._responses = list(responses)

    def send(
        self, method: str, path: str, body: dict[str, Any] | None, *, deadlines: Deadlines
    ) -> Response:
        """Return the next response."""
        self.requests.append((f"{method} {path}", body))
        self.limits.append([round(deadline.remaining(), 6) for deadline in deadlines])
        return self._responses.pop(0) if self._responses[1:] else self._responses[0]

    def client(self, clock: FakeClock) -> Client:
        """Return a client that sends to this transport."""
        return Client(self, CONTEXT, clock, info=self.log.append, debug=self.log.append)


CONTEXT = RunContext(**dict.fromkeys(RunContext.__dataclass_fields__, "x"))
VAULT = VaultLogin(server_id="s", credential_id="c")
DIRECT = PassthroughLogin(server_id="s", registry_url="r", username="u", access_token="t")
LOGOUT = LogoutRequest(server_id="s", registry_url="r")
ACCEPTED = response({"operation_id": "op-1", "registry_url": "r", "status": "running"})
LOGIN = AcceptedLogin(operation_id="op-1", registry_url="r", registry_type="")
RUNNING = response({"operation_id": "op-1", "status": "running"})
DONE = response({"status": "completed", "result": {"exit_code": 0}})
MISSING = response({"detail": "x"}, 404)
PAGE = response(b"<html>")
BASE = "/api/automation/v1"


def log_in(api: StubApi, request: VaultLogin | PassthroughLogin = VAULT) -> AcceptedLogin:
    clock = FakeClock()
    return api.client(clock).log_in(request, Deadline(clock, 300))


def wait_for(api: StubApi, clock: FakeClock, **options: float) -> Operation:
    return api.client(clock).wait_for("op-1", Deadline(clock, 300), purpose="login", **options)


def status_error(found: Response) -> StatusError:
    with pytest.raises(StatusError) as caught:
        log_in(StubApi(found))
    return caught.value


def test_login_sends_request_and_run_context() -> None:
    api = StubApi(ACCEPTED)
    assert (log_in(api), log_in(api, DIRECT)) == (LOGIN, LOGIN)
    assert api.requests == [
        (f"POST {BASE}/registry-auth/login", {**asdict(VAULT), **CONTEXT.body()}),
        (f"POST {BASE}/registry-auth/login-direct", {**asdict(DIRECT), **CONTEXT.body()}),
    ]
    assert (api.limits, len(api.log)) == ([[30.0, 300.0]] * 2, 2)


def test_logout_attempt_gets_a_third_of_the_time() -> None:
    api, clock = StubApi(response(b" \n", 204)), FakeClock()
    limits = [[5, 12], [20, 60], [30, 90], [30, 300]]
    for _, seconds in limits:
        assert api.client(clock).log_out(LOGOUT, Deadline(clock, seconds)) == Operation()
    assert api.limits == limits
    fields = {**asdict(LOGOUT), **CONTEXT.body()}
    assert api.requests == [(f"POST {BASE}/registry-auth/logout", fields)] * 4


def test_status_other_than_2xx_is_an_error() -> None:
    for flags, statuses in {  # r: retryable, p: may have been processed
        "": (199, 300, 400, 401, 403, 404, 409, 418, 422, 451), "r": (408, 425, 429),
        "p": (501, 505, 525), "rp": (500, 502, 503, 504, *range(520, 525), 527, 530),
    }.items():  # fmt: skip
        for status in statuses:
            error = status_error(response({"detail": "why"}, status, retry_after=99.0))
            assert (error.status, error.detail, error.retry_after) == (status, "why", 99.0)
            assert "r" * error.retryable + "p" * error.maybe_processed == flags
    for status in (200, 299):
        assert log_in(StubApi(response(ACCEPTED.body, status))) == LOGIN


def test_detail_is_the_text_of_the_api() -> None:
    fields = [{"loc": ["body", "a", 0], "msg": "x"}, "y", {"loc": [], "msg": "x"}, {"loc": "q"}, 1]
    bodies = [{"detail": [*fields, "6"]}, {"detail": {}}, {}, ["why"], b"<html>"]
    details = [status_error(response(body, 422)).detail for body in bodies]
    assert details == ["a.0: x; y; request: x; request: invalid; invalid", "", "", "", ""]
    blocked = status_error(Response(status=403, body=b"<html>", ray="8f-FRA"))
    assert (blocked.hint.anchor, "8f-FRA" in blocked.detail) == ("403-firewall", True)


def test_operation_is_polled_until_it_ends() -> None:
    api, clock = StubApi(RUNNING, response({"status": "odd"}), DONE), FakeClock()
    assert wait_for(api, clock).succeeded
    assert api.requests == [(f"GET {BASE}/operations/op-1", None)] * 3
    assert (0.3 <= clock.sleeps[0] <= 0.315, api.limits[0][0]) == (True, 30)
    wait_for(api, clock, first_seconds=0.0)
    assert clock.sleeps[-1] == 0


def test_final_poll_error_names_the_operation() -> None:
    for responses, kind, requests in (
        ([RUNNING, MISSING], OperationTimeout, 2),
        ([response({"detail": "x"}, 403)], StatusError, 1),
        ([PAGE], InvalidResponse, 5), ([response({"operation_id": "op-2"})], InvalidResponse, 5),
    ):  # fmt: skip
        api = StubApi(*responses)
        with pytest.raises(kind) as caught:
            wait_for(api, FakeClock())
        assert (caught.value.operation_id, len(api.requests)) == ("op-1", requests)
    assert wait_for(StubApi(*[PAGE] * 4, DONE), FakeClock()).succeeded
    with pytest.raises(StatusError):
        wait_for(StubApi(MISSING), clock := FakeClock())
    assert 1005 <= clock.time < 1010  # by then every server of the API knows an operation
