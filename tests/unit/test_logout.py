"""Tests of lib.logout: what counts as logged out."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lib.api.faults import timed_out
from lib.api.models import LogoutRequest
from lib.api.transport import Response
from lib.errors import LogoutFailed
from lib.logout import log_out_alone
from lib.runner.commands import Runner
from tests.unit.api_stub import StubApi, response
from tests.unit.fake_clock import FakeClock

NOT_ERASED = "WARNING: could not erase credentials: x"
NOT_LOGGED_IN = "Not logged in to https://index.docker.io/v1/"
PODMAN = "Error: not logged into ghcr.io"


def ended(status: str, exit_code: int | None, stderr: str = "", stdout: str = "") -> Response:
    result = {"exit_code": exit_code, "stderr": stderr, "stdout": stdout}
    return response({"operation_id": "op-2", "status": status, "result": result})


COMPLETED = response({"operation_id": "op-2", "status": "completed"})
BODIES: list[object] = [None, {}, [], {"status": "running"}, {"x": 1}]
STARTED = response({"operation_id": "op-2", "status": "running"})
MISSING = response({"detail": "not found"}, 404)
FORBIDDEN = response({"detail": "no"}, 403)
DONE = ended("completed", 0)


def log_out(*responses: Any) -> str:
    """Log out, and return the last log line."""
    log, clock = io.StringIO(), FakeClock()
    runner = Runner(log, state_file=None, output_file=None, api_key="rca_x", debug=False)
    request = LogoutRequest(server_id="s", registry_url="ghcr.io")
    log_out_alone(request, client=StubApi(*responses).client(clock), runner=runner, clock=clock)
    return log.getvalue().splitlines()[-1]


@pytest.mark.parametrize("responses", [
    [COMPLETED], [response({"status": "completed"})], [response({"exit_code": 0})], [DONE],
    [STARTED, DONE],
    [STARTED, ended("completed", 1, NOT_LOGGED_IN)],
    [STARTED, ended("failed", 1, stdout=f"x\n{PODMAN}\n")],
    [STARTED, ended("failed", None, stdout="not logged in to ghcr.io")],
])  # fmt: skip
def test_proven_logout_is_reported(responses: list[Response]) -> None:
    assert log_out(*responses).startswith("Logged out in ")


@pytest.mark.parametrize("responses", [
    [response(b"", 204)],
    *([response(body)] for body in BODIES),
    *([STARTED, found] for found in (MISSING, COMPLETED, response({"completed_at": "2026-01-01"}))),
])  # fmt: skip
def test_logout_without_proof_is_accepted(responses: list[Response]) -> None:
    assert log_out(*responses).startswith("Logout accepted")


@pytest.mark.parametrize("operation", [
    ended("completed", 1), ended("failed", None), ended("timeout", None), ended("canceled", 0),
    ended("timeout", 1, NOT_LOGGED_IN), ended("completed", 1, f"{NOT_LOGGED_IN}\n{NOT_ERASED}"),
    ended("completed", 1, "You are not logged in to x"), ended("completed", 1, "not logged in"),
    ended("completed", 0, NOT_ERASED), ended("completed", None, stdout=NOT_ERASED),
    pytest.param(ended("completed", 0, "x", stdout=NOT_ERASED),
                 marks=pytest.mark.xfail(reason="_raise_if_failed looks at one stream only")),
])  # fmt: skip
def test_reported_failure_fails_the_logout(operation: Response) -> None:
    for responses in ([operation], [STARTED, operation]):
        with pytest.raises(LogoutFailed) as caught:
            log_out(*responses)
        error = caught.value
        assert (error.operation_id, error.operation_label) == ("op-2", "operation")
        assert (error.hint.anchor, NOT_ERASED in error.detail) == (
            "logout-failed", NOT_ERASED.encode() in operation.body
        )  # fmt: skip


@pytest.mark.parametrize("responses", [
    [response(b"<html>")], [timed_out(sent=True)], [FORBIDDEN], [MISSING],
    [STARTED, response(b"<html>")], [STARTED, FORBIDDEN], [STARTED],
])  # fmt: skip
def test_failed_request_fails_the_logout(responses: list[Any]) -> None:
    with pytest.raises(LogoutFailed) as caught:
        log_out(*responses)
    assert caught.value.operation_id == ("op-2" if responses[0] is STARTED else "")
    assert ("registry_logout" in caught.value.hint.text) is (FORBIDDEN in responses)
