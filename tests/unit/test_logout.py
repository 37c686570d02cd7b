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


def log_out(*responses: Response | Exception) -> str:
    """Log out, and return the last log line."""
    log, clock = io.StringIO(), FakeClock()
    runner = Runner(log, state_file=None, output_file=None, api_key="rca_x", debug=False)
    request = LogoutRequest(server_id="s", registry_url="ghcr.io")
    log_out_alone(request, client=StubApi(*responses).client(clock), runner=runner, clock=clock)
    return log.getvalue().splitlines()[-1]


def ended(status: str = "completed", exit_code: int | None = 0, **streams: str) -> dict[str, Any]:
    result = {"exit_code": exit_code, **streams}
    return {"operation_id": "op-2", "status": status, "result": result}


STARTED = response({"operation_id": "op-2", "status": "running"})
MISSING = response({"detail": "not found"}, 404)


@pytest.mark.parametrize(
    "responses",
    [
        [response({"status": "completed"})],
        [response({"operation_id": "op-2", "status": "completed"})],
        [response(ended())],
        [response({"exit_code": 0})],
        [STARTED, response(ended())],
        [STARTED, response(ended("completed", 1, stderr=NOT_LOGGED_IN))],
        [STARTED, response(ended("failed", 1, stdout=f"x\n{PODMAN}\n"))],
        [STARTED, response(ended("failed", None, stdout="not logged in to ghcr.io"))],
    ],
)
def test_proven_logout_is_reported(responses: list[Response]) -> None:
    assert log_out(*responses).startswith("Logged out in ")


@pytest.mark.parametrize(
    "responses",
    [
        [response(b"", 204)],
        *([response(body)] for body in (None, {}, [], {"status": "running"}, {"x": 1})),
        [STARTED, MISSING],
        [STARTED, response({"status": "completed"})],
        [STARTED, response({"status": "completed", "result": {}})],
        [STARTED, response({"completed_at": "2026-01-01T00:00:00Z"})],
    ],
)
def test_logout_without_proof_is_accepted(responses: list[Response]) -> None:
    assert log_out(*responses).startswith("Logout accepted")


@pytest.mark.parametrize(
    "operation",
    [
        ended("completed", 1),
        ended("failed", None),
        ended("timeout", None),
        ended("timeout", 1, stderr=NOT_LOGGED_IN),
        ended("canceled", 0),
        ended("completed", 0, stderr=NOT_ERASED),
        pytest.param(
            ended("completed", 0, stdout=NOT_ERASED, stderr="x"),
            marks=pytest.mark.xfail(reason="_raise_if_failed looks at one stream only"),
        ),
        ended("completed", 1, stderr=f"{NOT_LOGGED_IN}\n{NOT_ERASED}"),
        ended("completed", 1, stderr="You are not logged in to ghcr.io"),
        ended("completed", 1, stderr="not logged in"),
        ended("completed", None, stderr=NOT_ERASED),
    ],
)
def test_reported_failure_fails_the_logout(operation: dict[str, Any]) -> None:
    for responses in ([response(operation)], [STARTED, response(operation)]):
        with pytest.raises(LogoutFailed) as caught:
            log_out(*responses)
        assert caught.value.hint.anchor == "logout-failed"
        assert caught.value.operation_id == "op-2"
        assert caught.value.operation_label == "operation"
        assert caught.value.detail == (operation["result"].get("stderr") or "")


@pytest.mark.parametrize(
    "responses",
    [
        [response(b"<html>")],
        [timed_out(sent=True)],
        [response({"detail": "no"}, 403)],
        [MISSING],
        [STARTED, response(b"<html>")],
        [STARTED, response({"detail": "no"}, 403)],
        [STARTED],
    ],
)
def test_failed_request_fails_the_logout(responses: list[Response | Exception]) -> None:
    with pytest.raises(LogoutFailed) as caught:
        log_out(*responses)
    assert caught.value.operation_id == ("op-2" if responses[0] is STARTED else "")
    assert ("registry_logout" in caught.value.hint.text) is any(
        isinstance(found, Response) and found.status == 403 for found in responses
    )
