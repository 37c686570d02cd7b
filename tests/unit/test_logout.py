"""Tests of lib.logout: what counts as logged out."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import pytest

from lib import logout
from lib.api.client import Client
from lib.api.models import LogoutRequest
from lib.api.transport import Response
from lib.errors import LogoutFailed
from lib.logout import log_out_alone
from lib.runner.commands import Runner
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles
from tests.unit.fakes import FakeClock, StubApi, response

LOGIN_ID = "66666666-7777-4888-9999-000000000000"
RUNNER = Runner(io.StringIO(), state_file=None, output_file=None, api_key="", debug=False)
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


def test_logout_is_reported_as_far_as_it_is_proven() -> None:
    assert log_out(response({"status": "completed"})).startswith("Logged out in ")
    for operation in (
        ended("completed", 1, NOT_LOGGED_IN), ended("failed", None, "", "not logged in to ghcr.io"),
        ended("failed", 1, stdout="x\nError: not logged into ghcr.io\n"),  # podman
    ):  # fmt: skip
        assert log_out(STARTED, operation).startswith("Logged out in ")
    assert log_out(ended("completed", 1, f"{NOT_LOGGED_IN}\r")).startswith("Logged out in ")
    unknown = response({"status": "rejected", "completed_at": "2026-01-01"})
    for unproven in (response(None), unknown):
        assert log_out(unproven).startswith("Logout accepted")
    for unproven in (response({}, 404), response({"status": "completed"})):
        assert log_out(STARTED, unproven).startswith("Logout accepted")


@pytest.mark.parametrize("error", [None, ImportError("_ssl"), OSError()])
def test_state_file_stays_until_post_is_done(error: Exception | None, tmp_path: Path) -> None:
    """If Python is killed or unusable, the launcher starts the next one."""
    files = StepFiles(tmp_path, "step", LOGIN_ID)
    state = LoginState(
        stage=Stage.SUCCEEDED, id=LOGIN_ID, server_id=LOGIN_ID, credential_id=LOGIN_ID,
        api_url="https://r.example.com", operation_id="op-1", registry_url="ghcr.io",
    )  # fmt: skip
    files.append_state(state.encode())
    seen: list[str] = []

    def connect(_url: str, _key: str) -> Client:
        seen.append(files.newest_state())
        if error:
            raise error
        return StubApi(response({"status": "completed"})).client(FakeClock())

    with suppress(ImportError, LogoutFailed):
        logout.log_out(
            state.encode(), "rca_x", own_api_url=str, connect=connect, files=files,
            is_running=lambda _pid, _started: False, clock=FakeClock(),
            runner=RUNNER,
        )  # fmt: skip
    assert seen == [state.encode()]
    assert bool(files.newest_state()) is isinstance(error, ImportError)


@pytest.mark.parametrize("operation", [
    ended("failed", None), ended("timeout", None), ended("canceled", 0),
    ended("timeout", 1, NOT_LOGGED_IN), ended("completed", 1, f"{NOT_LOGGED_IN}\n{NOT_ERASED}"),
    ended("completed", 1, "You are not logged in to x"), ended("completed", 1, "not logged in"),
    ended("completed", 0, NOT_ERASED), ended("completed", None, stdout=NOT_ERASED),
    ended("completed", 0, "x", stdout=NOT_ERASED),
])  # fmt: skip
def test_reported_failure_fails_the_logout(operation: Response) -> None:
    for responses in ([operation], [STARTED, operation]):
        with pytest.raises(LogoutFailed) as caught:
            log_out(*responses)
        assert (caught.value.operation_id, caught.value.operation_label) == ("op-2", "operation")
        assert caught.value.hint.anchor == "logout-failed"
