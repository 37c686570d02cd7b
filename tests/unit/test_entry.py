"""Tests of lib.entry: an environment in, a log and an exit code out. Nothing is sent."""

from __future__ import annotations

import gc
import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from lib import entry
from lib.stop_file import StepFiles

pytestmark = pytest.mark.usefixtures("restored_signals")

Step = Callable[[Mapping[str, str], io.StringIO], int]

KEY = "rca_0123456789"
ID = "11111111-2222-4333-8444-555555555555"
URL = "https://127.0.0.1:9"
NO_PROCESS = 2**22 + 1  # above the highest process id of Linux
OWN = {"DOCKER_AUTH_EXIT_CODES": "1"}
MAIN = {"INPUT_API_KEY": KEY, "INPUT_SERVER_ID": ID, "INPUT_CREDENTIAL_ID": ID,
        "INPUT_API_URL": URL}  # fmt: skip
LOGOUT = {**MAIN, "INPUT_REGISTRY_URL": "ghcr.io"}
STATE = {"version": 2, "stage": "succeeded", "id": ID, "server_id": ID, "api_url": URL,
         "operation_id": "op-1", "registry_url": "ghcr.io", "credential_id": ID,
         "pid": NO_PROCESS}  # fmt: skip
BUG, NO_MODULE = LookupError("a bug"), ImportError("no module")

main_and_logout = pytest.mark.parametrize(
    ("step", "inputs"), [(entry.main, MAIN), (entry.logout, LOGOUT)]
)


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
    """Run a step, and return its exit code, its commands and its lines, both without masks."""
    log = io.StringIO()
    code = step(variables, log)
    lines = log.getvalue().splitlines()
    while lines and lines[0].startswith("::add-mask::"):
        lines.pop(0)
    assert KEY not in "".join(lines)
    return code, [line.split("::")[1] for line in lines if line.startswith("::")], lines


def post(error: Exception | None = None, **changes: object) -> tuple[int, list[str], list[str]]:
    """Run post with a saved state."""
    variables = {**MAIN, **OWN, "STATE_login": json.dumps({**STATE, **changes})}
    return run(entry.post, Trap(variables, error) if error else variables)


@main_and_logout
@pytest.mark.parametrize(("error", "own", "found"), [(BUG, 194, ["error"]), (NO_MODULE, 197, [])])
def test_exception_has_its_exit_code(
    step: Step, inputs: dict[str, str], error: Exception, own: int, found: list[str]
) -> None:
    gc.unfreeze()
    code, commands, lines = run(step, Trap({**inputs, **OWN}, error))
    assert (gc.isenabled(), gc.get_freeze_count() > 0) == (True, True)
    assert (code, commands, str(error) in "".join(lines)) == (own, found, False)
    assert [line.partition("#")[2] for line in lines[-1:]] == ["internal-error"] * len(found)
    code, commands, lines = run(step, Trap({**inputs, "RUNNER_DEBUG": "1"}, error))
    assert (code, set(commands), str(error) in lines[-1]) == (1, {*found, "debug"}, True)


@main_and_logout
def test_abandoned_step_is_canceled_without_annotation(
    step: Step, inputs: dict[str, str], tmp_path: Path
) -> None:
    StepFiles(tmp_path, "login", ID).stop()
    variables = {**inputs, "GITHUB_STATE": str(tmp_path / "s"), "GITHUB_ACTION": "login",
                 "DOCKER_AUTH_LOGIN_ID": ID}  # fmt: skip
    assert run(step, variables)[:2] == (130, [])
    assert run(step, {**variables, **OWN})[:2] == (195, [])
    assert len(list(tmp_path.iterdir())) == 1
    own = str(Path("/proc/self/ns/pid").readlink())
    for namespace, code in (("", 130), (own, 130), ("pid:[1]", 1)):  # of a launcher that is gone
        launcher = {"DOCKER_AUTH_LAUNCHER": str(NO_PROCESS), "DOCKER_AUTH_PID_NAMESPACE": namespace}
        assert run(entry.main, {**MAIN, **launcher})[0] == code


@pytest.mark.parametrize(("error", "changes", "anchor", "names"), [
    (None, {"version": 1}, "damaged-state", []),
    (None, {"stage": "requested", "operation_id": "", "registry_url": ""}, "outcome-unknown",
     [f"credential {ID}", f"server {ID}"]),
    (BUG, {}, "logout-failed", ["docker logout ghcr.io", "op-1"]),
])  # fmt: skip
def test_post_warns_once_and_never_fails(
    error: Exception | None, changes: dict[str, Any], anchor: str, names: list[str]
) -> None:
    code, commands, lines = post(error, **changes)
    assert (code, commands, len(lines)) == (193, ["warning"], 2)
    assert lines[1].endswith(f"#{anchor}")
    assert all(name in lines[0] for name in ["docker logout", *names])
    assert (post(NO_MODULE)[:2], run(entry.post, MAIN)[:2]) == ((197, []), (0, []))


def test_post_uses_and_masks_the_key_of_the_state() -> None:
    log = io.StringIO()
    entry.post(Trap({"STATE_login": json.dumps({**STATE, "api_key": "rca_other"})}, BUG), log)
    assert log.getvalue().startswith("::add-mask::rca_other\n::warning::")
    assert log.getvalue().count("rca_other") == 1
