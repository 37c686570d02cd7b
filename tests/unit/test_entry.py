"""The two steps from outside: an environment in, a log and an exit code out."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from lib import entry

pytestmark = pytest.mark.usefixtures("restored_signals")

KEY = "rca_0123456789"
INPUTS = {
    "INPUT_API_KEY": KEY,
    "INPUT_SERVER_ID": "11111111-2222-4333-8444-555555555555",
    "INPUT_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
    "INPUT_API_URL": "http://127.0.0.1:9",
}
STATE = {
    "version": 1,
    "stage": "succeeded",
    "server_id": INPUTS["INPUT_SERVER_ID"],
    "credential_id": INPUTS["INPUT_CREDENTIAL_ID"],
    "api_url": INPUTS["INPUT_API_URL"],
    "cleanup": True,
    "operation_id": "op-1",
    "registry_url": "ghcr.io",
    "api_key": "",
}
Step = Callable[[Mapping[str, str], io.StringIO], int]


class Trap(dict[str, str]):
    """Variables of which one cannot be read."""

    def __init__(self, variables: Mapping[str, str], trap: str) -> None:
        super().__init__(variables)
        self._trap = trap

    def get(self, name: str, default: str = "") -> str:  # type: ignore[override]  # as we call it
        """Give a variable, or fail as only a bug would."""
        if name == self._trap:
            raise LookupError("a bug")
        return super().get(name, default)


def run(step: Step, variables: Mapping[str, str]) -> tuple[int, list[str]]:
    """Run a step; give its exit code and its log."""
    stream = io.StringIO()
    code = step(variables, stream)
    return code, stream.getvalue().splitlines()


def state(**changes: object) -> str:
    """Give a saved state with some values replaced."""
    return json.dumps({**STATE, **changes})


def test_main_masks_the_key_before_all_else() -> None:
    """Even where another input is bad, the first line is the mask."""
    code, log = run(entry.main, {**INPUTS, "INPUT_SERVER_ID": "build-1"})
    assert code == 1
    assert log[0] == f"::add-mask::{KEY}"
    assert [line[:9] for line in log[1:]] == ["::error::"]


@pytest.mark.parametrize("name", ["INPUT_API_KEY", "INPUT_SERVER_ID", "INPUT_CREDENTIAL_ID"])
def test_a_missing_input_is_one_error_and_saves_nothing(name: str, tmp_path: Path) -> None:
    """What is refused before a request leaves nothing to undo."""
    files = {"GITHUB_STATE": str(tmp_path / "s"), "GITHUB_OUTPUT": str(tmp_path / "o")}
    code, log = run(entry.main, {**INPUTS, **files, name: ""})
    told = [line for line in log if not line.startswith("::add-mask::")]
    assert code == 1
    assert len(told) == 1
    assert told[0].startswith("::error::The input")
    assert f"{name[6:].lower()} is missing or empty" in told[0]
    assert list(tmp_path.iterdir()) == []


def test_a_malformed_key_is_masked_and_not_shown() -> None:
    """A secret in the wrong place stays one."""
    code, log = run(entry.main, {**INPUTS, "INPUT_API_KEY": "ghp_someotherkey"})
    assert code == 1
    assert log[0] == "::add-mask::ghp_someotherkey"
    assert "ghp_" not in "".join(log[1:])


def test_main_needs_the_file_for_the_state_before_it_sends_anything() -> None:
    """A login that post could not undo is not begun."""
    code, log = run(entry.main, INPUTS)
    assert code == 1
    assert log[-1].startswith("::error::The runner's file for state (GITHUB_STATE)")


@pytest.mark.parametrize("debug", [True, False])
def test_a_bug_is_a_short_error_and_its_traceback_is_for_debugging(*, debug: bool) -> None:
    """Users see where to report it; the traceback is there if they ask for it."""
    variables = {**INPUTS, "RUNNER_DEBUG": "1" if debug else ""}
    code, log = run(entry.main, Trap(variables, "GITHUB_REPOSITORY"))
    errors = [line for line in log if line.startswith("::error::")]
    traces = [line for line in log if line.startswith("::debug::")]
    assert code == 1
    assert len(errors) == 1
    assert errors[0].startswith("::error::The action itself failed.")
    assert bool(traces) is debug
    assert any("LookupError: a bug" in line for line in traces) is debug
    assert set(log) == {f"::add-mask::{KEY}", *errors, *traces}


def test_a_bug_in_post_is_a_warning() -> None:
    """Post never fails the job, not even by itself."""
    code, log = run(entry.post, Trap({**INPUTS, "STATE_login": state()}, "GITHUB_REPOSITORY"))
    assert code == 0
    assert log[0] == f"::add-mask::{KEY}"
    [warning] = log[1:]
    server = INPUTS["INPUT_SERVER_ID"]
    assert warning.startswith(f"::warning::Server {server} may still be logged in to ghcr.io: ")
    assert "this action itself failed" in warning
    assert "docker logout ghcr.io" in warning


def test_post_without_a_state_has_nothing_to_do() -> None:
    """One line says why."""
    code, log = run(entry.post, INPUTS)
    assert code == 0
    assert log == [f"::add-mask::{KEY}", "Nothing to log out: no login was begun."]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cleanup": False}, "Not logged out, as asked (cleanup: false)"),
        ({"stage": "failed"}, "Nothing to log out: the login did not work."),
        ({"stage": "failed", "cleanup": False}, "Nothing to log out: the login did not work."),
    ],
)
def test_post_says_in_one_line_why_it_does_nothing(changes: dict[str, object], told: str) -> None:
    """No request is made, and no annotation."""
    code, log = run(entry.post, {**INPUTS, "STATE_login": state(**changes)})
    assert code == 0
    assert len(log) == 2
    assert log[1].startswith(told)


@pytest.mark.parametrize(
    "saved", ["{", "true", state(version=2), state(stage="x"), state(cleanup=1)]
)
def test_a_damaged_state_is_one_warning(saved: str) -> None:
    """Post says what it cannot know, without a traceback, and stays green."""
    code, log = run(entry.post, {**INPUTS, "STATE_login": saved})
    assert code == 0
    assert len(log) == 2
    assert log[1].startswith("::warning::The state that the login step saved cannot be used")
    assert "docker logout" in log[1]


def test_a_login_without_an_answer_is_one_warning() -> None:
    """Post does not know the registry, and says what to look for."""
    saved = state(stage="requested", operation_id="", registry_url="")
    code, log = run(entry.post, {**INPUTS, "STATE_login": saved})
    assert code == 0
    assert len(log) == 2
    assert log[1].startswith(
        "::warning::A login with the credential 66666666-7777-4888-9999-000000000000 may have "
        "reached server 11111111-2222-4333-8444-555555555555"
    )
    assert "docker logout" in log[1]


def test_post_without_a_key_says_what_stays_logged_in() -> None:
    """A key that is gone is one warning with the server, the registry and the command."""
    code, log = run(entry.post, {"STATE_login": state()})
    assert code == 0
    assert len(log) == 1
    assert log[0].startswith(
        "::warning::Server 11111111-2222-4333-8444-555555555555 may still be logged in to "
        "ghcr.io: post was given no api_key. To log it out now, run `docker logout ghcr.io` on "
        "that server, as the user of Reoclo's runner agent."
    )


def test_post_masks_the_key_of_the_state() -> None:
    """Inside a composite action the key comes from the state, and is as secret there."""
    saved = state(stage="failed", api_key="rca_fromstate")
    code, log = run(entry.post, {"STATE_login": saved})
    assert code == 0
    assert log[0] == "::add-mask::rca_fromstate"
