"""Tests of lib.entry: an environment in, a log and an exit code out. Nothing is sent."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lib import entry
from lib.stop_file import StepFiles

pytestmark = pytest.mark.usefixtures("restored_signals")

Step = Callable[[Mapping[str, str], io.StringIO], int]

KEY = "rca_0123456789"
ID = "11111111-2222-4333-8444-555555555555"
URL = "https://127.0.0.1:9"
OWN = {"DOCKER_AUTH_EXIT_CODES": "1"}
MAIN = {"INPUT_API_KEY": KEY, "INPUT_SERVER_ID": ID, "INPUT_CREDENTIAL_ID": ID,
        "INPUT_API_URL": URL}  # fmt: skip
STATE = {"version": 2, "stage": "succeeded", "id": ID, "server_id": ID, "api_url": URL,
         "operation_id": "op-1", "registry_url": "ghcr.io", "credential_id": ID,
         "api_key": KEY}  # of a composite action  # fmt: skip
BUG, NO_MODULE = LookupError("a bug"), ImportError("no module")


class Trap(dict[str, str]):
    """Variables of which one cannot be read. By then, a step has a client and sent nothing."""

    def __init__(self, variables: Mapping[str, str], error: Exception) -> None:
        super().__init__(variables)
        self._error = error

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        """Return a variable, or raise."""
        if name == "GITHUB_REPOSITORY":
            raise self._error
        return super().get(name, default)


def run(step: Step, variables: Mapping[str, str]) -> tuple[int, list[str], list[str]]:
    """Run a step, and return its exit code, its commands and its lines, both after the masks."""
    log = io.StringIO()
    code = step(variables, log)
    _, mask, rest = log.getvalue().partition(f"::add-mask::{KEY}\n")
    assert (bool(mask), KEY in rest) == (True, False)
    lines = rest.splitlines()
    return code, [line.split("::")[1] for line in lines if line.startswith("::")], lines


@pytest.mark.parametrize(("error", "own", "found"), [(BUG, 194, ["error"]), (NO_MODULE, 197, [])])
def test_exception_has_its_exit_code(error: Exception, own: int, found: list[str]) -> None:
    code, commands, lines = run(entry.main, Trap({**MAIN, **OWN}, error))
    assert (code, commands, str(error) in "".join(lines)) == (own, found, False)
    assert [line.partition("#")[2] for line in lines[-1:]] == ["internal-error"] * len(found)
    code, commands, lines = run(entry.main, Trap({**MAIN, "RUNNER_DEBUG": "1"}, error))
    assert (code, set(commands), str(error) in lines[-1]) == (1, {*found, "debug"}, True)


def test_abandoned_step_is_canceled_without_annotation(tmp_path: Path) -> None:
    StepFiles(tmp_path, "login", ID).stop()
    variables = {**MAIN, "GITHUB_STATE": str(tmp_path / "s"), "GITHUB_ACTION": "login",
                 "DOCKER_AUTH_LOGIN_ID": ID}  # fmt: skip
    assert run(entry.main, variables)[:2] == (130, [])
    assert run(entry.main, {**variables, **OWN})[:2] == (195, [])
    own = str(Path("/proc/self/ns/pid").readlink())
    gone = {"DOCKER_AUTH_LAUNCHER": str(2**22 + 1)}  # above the highest process id of Linux
    for namespace, code in (("", 130), (own, 130), ("pid:[1]", 1)):
        found = run(entry.main, {**MAIN, **gone, "DOCKER_AUTH_PID_NAMESPACE": namespace})
        assert found[0] == code


@pytest.mark.parametrize(("stage", "error", "code", "anchors"), [
    ("failed", BUG, 193, []), ("succeeded", BUG, 193, ["logout-failed"]),
    ("succeeded", NO_MODULE, 197, []),
])  # fmt: skip
def test_post_never_fails_and_keeps_its_state_until_it_is_done(
    stage: str, error: Exception, code: int, anchors: list[str], tmp_path: Path
) -> None:
    """If Python lacks a module, the launcher starts the next one, with the same state."""
    files = StepFiles(tmp_path, "login", ID)
    files.append_state(json.dumps({**STATE, "stage": stage}))
    variables = {**OWN, "INPUT_API_KEY": "rca_unused", "GITHUB_STATE": str(tmp_path / "s"),
                 "GITHUB_ACTION": "login", "STATE_login": files.newest_state()}  # fmt: skip
    found, commands, lines = run(entry.post, Trap(variables, error))
    assert (found, commands) == (code, ["warning"] * len(anchors))
    assert [line.partition("#")[2] for line in lines if "#" in line] == anchors
    assert all("docker logout ghcr.io" in line for line in lines if "::warning::" in line)
    assert bool(files.newest_state()) is (error is NO_MODULE)
