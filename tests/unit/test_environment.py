"""What the runner's variables mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.environment import Environment

GITHUB = {
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Deploy",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_SHA": "0123abc",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "42",
}


def test_an_input_is_trimmed() -> None:
    """White space and line ends around an input are no part of it."""
    assert Environment({"INPUT_API_KEY": " \trca_x\r\n"}).input("api_key") == "rca_x"


def test_what_is_not_set_is_empty() -> None:
    """Nothing that the runner leaves out is an error here."""
    nothing = Environment({})
    assert nothing.input("api_key") == ""
    assert nothing.saved_state() == ""
    assert nothing.state_file() is None
    assert nothing.output_file() is None


def test_the_runners_files_are_paths(tmp_path: Path) -> None:
    """The files for state and outputs come as paths; an empty name is none."""
    environment = Environment({"GITHUB_STATE": str(tmp_path / "s"), "GITHUB_OUTPUT": ""})
    assert environment.state_file() == tmp_path / "s"
    assert environment.output_file() is None


def test_the_saved_state_is_that_of_main() -> None:
    """Post finds what main saved, as it is."""
    assert Environment({"STATE_login": ' {"a": 1} '}).saved_state() == ' {"a": 1} '


@pytest.mark.parametrize(("path", "expected"), [(None, False), ("", False), ("/actions/x", True)])
def test_a_composite_action_is_known_by_its_path(path: str | None, *, expected: bool) -> None:
    """Outside a composite action the path is unset or empty."""
    variables = {} if path is None else {"GITHUB_ACTION_PATH": path}
    assert Environment(variables).is_composite() is expected


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("", False), ("true", False)])
def test_debug_is_on_where_the_runner_says_1(value: str, *, expected: bool) -> None:
    """Only the runner's own 1 turns debug lines on."""
    assert Environment({"RUNNER_DEBUG": value}).is_debug() is expected


def test_the_run_has_what_the_audit_log_keeps() -> None:
    """Each field of the run comes from its own variable."""
    assert Environment(GITHUB).run().body() == {
        "run_id": "42",
        "run_context": {
            "provider": "github_actions",
            "repository": "acme/shop",
            "workflow": "Deploy",
            "trigger": "push",
            "actor": "octocat",
            "sha": "0123abc",
            "ref": "refs/heads/main",
        },
    }


@pytest.mark.parametrize(
    ("gitea", "provider"), [("true", "gitea_actions"), ("false", "github_actions")]
)
def test_gitea_is_told_from_github(gitea: str, provider: str) -> None:
    """Gitea and Forgejo say of themselves what they are."""
    assert Environment({**GITHUB, "GITEA_ACTIONS": gitea}).run().provider == provider


def test_the_environment_keeps_secrets_out_of_its_repr() -> None:
    """A traceback that shows the environment shows no variable."""
    assert "rca_" not in repr(Environment({"INPUT_API_KEY": "rca_secret"}))


@pytest.mark.parametrize(("text", "process"), [("4711", 4711), ("", None), ("no number", None)])
def test_the_launcher_is_known_by_its_process_id(text: str, process: int | None) -> None:
    """The launcher names itself; without one there is nobody to be left by."""
    assert Environment({"DOCKER_AUTH_LAUNCHER": text}).launcher() == process
    assert Environment({}).launcher() is None


@pytest.mark.parametrize(("value", "is_act"), [("true", True), ("", False), ("1", False)])
def test_act_and_its_family_are_known(value: str, *, is_act: bool) -> None:
    """Act, Gitea's and Forgejo's runners say who they are."""
    assert Environment({"ACT": value}).is_act() is is_act
    assert not Environment({}).is_act()
