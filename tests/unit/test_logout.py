"""Tests of lib.logout: what counts as logged out."""

from __future__ import annotations

import io

import pytest

from lib.api.models import LogoutRequest
from lib.api.transport import Response
from lib.errors import LogoutFailed
from lib.logout import log_out_alone
from lib.runner.commands import Runner
from tests.unit.fakes import FakeClock, StubApi, response

NOT_ERASED = "WARNING: could not erase credentials: x"
NOT_LOGGED_IN = "Not logged in to https://index.docker.io/v1/"
STARTED = response({"operation_id": "op-2", "status": "running"})


def ended(status: str, exit_code: int | None, stderr: str = "", stdout: str = "") -> Response:
    result = {"exit_code": exit_code, "stderr": stderr, "stdout": stdout}
    return response({"operation_id": "op-2", "status": status, "result": result})


def log_out(*responses: Response) -> str:
    """Log out, and return the last log line."""
    log, clock = io.StringIO(), FakeClock()
    runner = Runner(log, state_file=None, output_file=None, api_key="rca_x", debug=False)
    request = LogoutRequest(server_id="s", registry_url="ghcr.io")
    log_out_alone(request, client=StubApi(*responses).client(clock), runner=runner, clock=clock)
    return log.getvalue().splitlines()[-1]


@pytest.mark.parametrize("responses", [
    [response({"status": "completed"})], [ended("completed", 1, f"{NOT_LOGGED_IN}\r")],
    [STARTED, ended("completed", 1, NOT_LOGGED_IN)],
    [STARTED, ended("failed", None, "", "not logged in to ghcr.io")],
    [STARTED, ended("failed", 1, stdout="x\nError: not logged into ghcr.io\n")],  # podman
])  # fmt: skip
def test_logout_is_proven_by_its_result(responses: list[Response]) -> None:
    assert log_out(*responses).startswith("Logged out in ")


@pytest.mark.parametrize("operation", [
    ended("failed", None), ended("timeout", None), ended("canceled", 0),
    ended("timeout", 1, NOT_LOGGED_IN), ended("completed", 1, f"{NOT_LOGGED_IN}\n{NOT_ERASED}"),
    ended("completed", 1, "You are not logged in to x"), ended("completed", 1, "not logged in"),
    ended("completed", 0, "x", stdout=NOT_ERASED), ended("completed", None, stdout=NOT_ERASED),
])  # fmt: skip
def test_reported_failure_fails_the_logout(operation: Response) -> None:
    with pytest.raises(LogoutFailed) as caught:
        log_out(STARTED, operation)
    assert (caught.value.operation_id, caught.value.operation_label) == ("op-2", "operation")
    assert caught.value.hint.anchor == "logout-failed"
