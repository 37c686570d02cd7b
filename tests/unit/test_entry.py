"""Tests of lib.entry: an environment in, a log and an exit code out. Nothing is sent."""

from __future__ import annotations

import gc
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
INPUTS = {
    "INPUT_API_KEY": KEY,
    "INPUT_SERVER_ID": ID,
    "INPUT_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
    "INPUT_API_URL": "https://127.0.0.1:9",
}
LOGOUT = {**INPUTS, "INPUT_REGISTRY_URL": "ghcr.io"}
STATE = {
    "version": 2,
    "stage": "succeeded",
    "id": ID,
    "step": "login",
    "server_id": ID,
    "api_url": "https://127.0.0.1:9",
    "operation_id": "op-1",
    "registry_url": "ghcr.io",
}
OWN = {"DOCKER_AUTH_EXIT_CODES": "1"}


class Trap(dict[str, str]):
    """Variables of which one cannot be read: by then, main has connected and sent nothing."""

    def __init__(self, variables: Mapping[str, str], error: BaseException) -> None:
        super().__init__(variables)
        self._error = error

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]
        if name == "GITHUB_REPOSITORY":
            raise self._error
        return super().get(name, default)


def run(step: Step, variables: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run a step, and return its exit code and its log without masks."""
    log = io.StringIO()
    code = step(variables, log)
    lines = log.getvalue().splitlines()
    masks = [line for line in lines if line.startswith("::add-mask::")]
    assert lines[: len(masks)] == masks
    assert KEY not in "".join(lines[len(masks) :])
    return code, lines[len(masks) :]


def commands(lines: list[str]) -> list[str]:
    return [line.split("::")[1] for line in lines if line.startswith("::")]


def post(saved: str, **variables: str) -> tuple[int, list[str]]:
    return run(entry.post, {**INPUTS, "STATE_login": saved, **variables})


def state(**changes: object) -> str:
    return json.dumps({**STATE, **changes})


@pytest.mark.parametrize(("step", "inputs"), [(entry.main, INPUTS), (entry.logout, LOGOUT)])
@pytest.mark.parametrize(
    ("error", "own", "shell", "annotations"),
    [
        (LookupError("a bug"), 194, 1, ["error"]),
        (ImportError("no module"), 197, 1, []),
    ],
)
def test_exception_has_its_exit_code(
    step: Step, inputs: dict[str, str], error: Exception, own: int, shell: int, annotations: list[str]
) -> None:
    assert run(step, Trap(inputs, error))[0] == shell
    code, log = run(step, Trap({**inputs, **OWN}, error))
    assert (code, commands(log)) == (own, annotations)
    assert [line.partition("#")[2] for line in log[1:]] == ["internal-error"] * len(annotations)


@pytest.mark.parametrize("error", [LookupError("a bug"), ImportError("no module")])
def test_traceback_is_logged_in_debug_only(error: Exception) -> None:
    _, log = run(entry.main, Trap({**INPUTS, "RUNNER_DEBUG": "1"}, error))
    is_bug = isinstance(error, LookupError)
    assert any(str(error) in line and line.startswith("::debug::") for line in log)
    assert any(line.startswith("::debug::Traceback") for line in log) is is_bug
    assert commands(log).count("error") == is_bug
    _, log = run(entry.main, Trap(INPUTS, error))
    assert str(error) not in "".join(log)


@pytest.mark.parametrize(("step", "inputs"), [(entry.main, INPUTS), (entry.logout, LOGOUT)])
def test_invalid_input_is_one_error(
    step: Step, inputs: dict[str, str], tmp_path: Path
) -> None:
    files = {"GITHUB_STATE": str(tmp_path / "s"), "GITHUB_OUTPUT": str(tmp_path / "o")}
    for variables, own in ((files, 1), ({**files, **OWN}, 194)):
        code, log = run(step, {**inputs, **variables, "INPUT_SERVER_ID": "build-1"})
        assert (code, commands(log), len(log)) == (own, ["error"], 2)
        assert log[1].endswith("#invalid-input")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("step", [entry.main, entry.logout, entry.post])
def test_secrets_are_masked_first_even_if_malformed(step: Step) -> None:
    log = io.StringIO()
    step({"INPUT_API_KEY": "ghp_someotherkey", "INPUT_ACCESS_TOKEN": "one1\ntwo2"}, log)
    masks = [f"::add-mask::{text}" for text in ("ghp_someotherkey", "one1", "two2")]
    assert log.getvalue().splitlines()[:3] == masks
    assert log.getvalue().count("ghp_") == 1


def test_main_sends_nothing_without_a_file_for_the_state() -> None:
    code, log = run(entry.main, INPUTS)
    assert (code, commands(log)) == (1, ["error"])
    assert log[-1].endswith("#runner-files")


@pytest.mark.parametrize(("step", "inputs"), [(entry.main, INPUTS), (entry.logout, LOGOUT)])
def test_stop_file_cancels_without_annotation(
    step: Step, inputs: dict[str, str], tmp_path: Path
) -> None:
    StepFiles(tmp_path, "login", ID).stop()
    variables = {
        **inputs,
        "GITHUB_STATE": str(tmp_path / "s"),
        "GITHUB_ACTION": "login",
        "DOCKER_AUTH_LOGIN_ID": ID,
    }
    for extra, expected in (({}, 130), (OWN, 195)):
        code, log = run(step, {**variables, **extra})
        assert (code, commands(log)) == (expected, [])
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("namespace", "is_canceled"), [("", True), ("own", True), ("pid:[1]", False)]
)
def test_dead_launcher_cancels_in_its_own_namespace(namespace: str, *, is_canceled: bool) -> None:
    own = str(Path("/proc/self/ns/pid").readlink())
    variables = {
        **INPUTS,
        "DOCKER_AUTH_LAUNCHER": str(2**22 + 1),  # above the kernel's highest process id
        "DOCKER_AUTH_PID_NAMESPACE": own if namespace == "own" else namespace,
    }
    assert (run(entry.main, variables)[0] == 130) is is_canceled


def test_imports_are_not_searched_for_garbage() -> None:
    gc.unfreeze()
    run(entry.main, Trap(INPUTS, LookupError()))
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    assert gc.isenabled()
    assert frozen


@pytest.mark.parametrize(
    "saved",
    ["", '{"version":2,"stage":"none"}', state(cleanup=False), state(stage="failed")],
)
def test_post_with_nothing_to_do_logs_one_line(saved: str) -> None:
    code, log = post(saved)
    assert (code, commands(log), len(log)) == (0, [], 1)
    assert post(saved, **OWN)[0] == 193


@pytest.mark.parametrize("saved", ["{", "true", state(version=1), state(cleanup=1)])
def test_damaged_state_is_one_warning(saved: str) -> None:
    code, log = post(saved, **OWN)
    assert (code, commands(log)) == (193, ["warning"])
    assert log[-1].endswith("#damaged-state")


@pytest.mark.parametrize(
    ("saved", "variables", "anchor", "names"),
    [
        (state(), {"INPUT_API_KEY": ""}, "logout-failed", ["ghcr.io", ID, "op-1"]),
        (
            state(stage="requested", operation_id="", registry_url="", credential_id=ID),
            {},
            "outcome-unknown",
            [f"credential {ID}", f"server {ID}"],
        ),
    ],
)
def test_post_warns_once_of_what_may_stay_logged_in(
    saved: str, variables: dict[str, str], anchor: str, names: list[str]
) -> None:
    code, log = post(saved, **variables)
    assert (code, commands(log), len(log)) == (0, ["warning"], 2)
    assert log[1].endswith(f"#{anchor}")
    for name in ["docker logout", *names]:
        assert name in log[0]


@pytest.mark.parametrize(
    ("error", "code", "annotations"),
    [(LookupError("a bug"), 193, ["warning"]), (ImportError("no module"), 197, [])],
)
def test_post_never_fails_but_can_be_unusable(
    error: Exception, code: int, annotations: list[str]
) -> None:
    found, log = run(entry.post, Trap({**INPUTS, **OWN, "STATE_login": state()}, error))
    assert (found, commands(log)) == (code, annotations)
    assert not annotations or "docker logout ghcr.io" in log[0]


def test_post_masks_and_uses_the_key_of_the_state() -> None:
    log = io.StringIO()
    saved = state(api_key="rca_fromstate")
    entry.post(Trap({"STATE_login": saved}, LookupError()), log)
    assert log.getvalue().startswith("::add-mask::rca_fromstate\n::warning::")
    assert log.getvalue().count("rca_fromstate") == 1
