"""Tests of what counts as logged out (lib.logout), and of lib.login's checkpoint."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lib.api.models import LogoutRequest, VaultLogin
from lib.api.transport import Response
from lib.cancellation import Canceled, Cancellation
from lib.errors import LogoutFailed
from lib.inputs import LoginInputs
from lib.login import log_in
from lib.logout import log_out_alone
from lib.runner.commands import Runner
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles
from tests.unit.fakes import FakeClock, StubApi, response

ID = "11111111-2222-4333-8444-555555555555"
NOT_ERASED = "WARNING: could not erase credentials: x"
NOT_LOGGED_IN = "Not logged in to https://index.docker.io/v1/"
PODMAN = "Error: not logged into ghcr.io"
STARTED = response({"operation_id": "op-2", "status": "running"})


def ended(status: str, exit_code: int | None, stderr: str = "", stdout: str = "") -> Response:
    result = {"exit_code": exit_code, "stderr": stderr, "stdout": stdout}
    return response({"operation_id": "op-2", "status": status, "result": result})


def new_runner(file: Path | None = None, log: io.StringIO | None = None) -> Runner:
    stream = log or io.StringIO()
    return Runner(stream, state_file=file, output_file=None, api_key="rca_x", debug=False)


def log_out(*responses: Response) -> str:
    """Log out, and return the last log line."""
    log, clock = io.StringIO(), FakeClock()
    request = LogoutRequest(server_id="s", registry_url="ghcr.io")
    client = StubApi(*responses).client(clock)
    log_out_alone(request, client=client, runner=new_runner(log=log), clock=clock)
    return log.getvalue().splitlines()[-1]


@pytest.mark.parametrize(("start", "responses"), [
    ("Logged out in ", [response({"status": "completed"})]),
    ("Logged out in ", [STARTED, ended("completed", 1, NOT_LOGGED_IN)]),
    ("Logged out in ", [STARTED, ended("failed", 1, stdout=f"x\n{PODMAN}\n")]),
    ("Logged out in ", [STARTED, ended("failed", None, stdout="not logged in to ghcr.io")]),
    *(("Logout accepted", [response(body)]) for body in (None, [], {"status": "running"})),
    ("Logout accepted", [STARTED, response({}, 404)]),
    ("Logout accepted", [STARTED, response({"status": "completed"})]),
])  # fmt: skip
def test_logout_is_reported_as_far_as_it_is_proven(start: str, responses: list[Response]) -> None:
    assert log_out(*responses).startswith(start)


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


def test_login_is_not_sent_if_post_started_after_the_save(tmp_path: Path) -> None:
    file, files, api = tmp_path / "state", StepFiles(tmp_path, "login", ID), StubApi(STARTED)
    cancellation = Cancellation(file.exists)
    request = VaultLogin(server_id=ID, credential_id=ID)
    url = "https://api.reoclo.com"
    with pytest.raises(Canceled) as caught:
        log_in(
            LoginInputs(api_key="rca_x", request=request, cleanup=True, api_url=url, timeout=300),
            LoginState(stage=Stage.NONE, id=ID),
            client=api.client(cancellation),
            runner=new_runner(file),
            files=files,
            cancellation=cancellation,
        )
    assert (caught.value.maybe_processed, api.requests) == (False, [])
    assert file.read_text().count('"stage":"requested"') == 1
    assert LoginState.decode(files.newest_state()).stage is Stage.FAILED
