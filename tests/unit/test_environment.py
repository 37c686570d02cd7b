"""Tests of lib.runner.environment."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lib.run_context import RunContext
from lib.runner.environment import Environment

GITHUB = {
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Deploy",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_SHA": "0123abc",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "42",
}


def test_input_is_trimmed() -> None:
    environment = Environment({"INPUT_API_KEY": " \trca_x\r\n", "INPUT_ACCESS_TOKEN": "t"})
    assert environment.input("api_key") == "rca_x"
    assert environment.secrets() == ["rca_x", "t"]


def test_saved_state_is_passed_on_unchanged() -> None:
    assert Environment({"STATE_login": ' {"a": 1} '}).saved_state("login") == ' {"a": 1} '


def test_everything_can_be_missing() -> None:
    nothing = Environment({})
    assert nothing.secrets() == ["", ""]
    assert (nothing.input("x"), nothing.saved_state("x"), nothing.step()) == ("", "", "")
    assert (nothing.login_id(), nothing.launcher_namespace()) == ("", "")
    assert (nothing.state_file(), nothing.output_file()) == (None, None)
    assert (nothing.launcher_pid(), nothing.seconds_left()) == (None, None)
    assert nothing.ca_paths() == {}
    unknown = dict.fromkeys(("repository", "workflow", "trigger", "actor", "sha", "ref"), "")
    assert nothing.run_context() == RunContext(provider="github_actions", run_id="", **unknown)


@pytest.mark.parametrize(
    ("read", "name"),
    [(Environment.state_file, "GITHUB_STATE"), (Environment.output_file, "GITHUB_OUTPUT")],
)
def test_command_files_are_paths(read: Callable[[Environment], Path | None], name: str) -> None:
    assert read(Environment({name: "/tmp/x"})) == Path("/tmp/x")  # noqa: S108 never opened
    assert read(Environment({name: ""})) is None


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (Environment.step, "GITHUB_ACTION"),
        (Environment.login_id, "DOCKER_AUTH_LOGIN_ID"),
        (Environment.launcher_namespace, "DOCKER_AUTH_PID_NAMESPACE"),
    ],
)
def test_text_comes_from_its_variable(read: Callable[[Environment], str], name: str) -> None:
    assert read(Environment({name: "x"})) == "x"


@pytest.mark.parametrize(
    ("read", "name", "true", "false"),
    [
        (Environment.is_composite, "GITHUB_ACTION_PATH", "/actions/x", ""),
        (Environment.is_gitea, "GITEA_ACTIONS", "true", "false"),
        (Environment.is_act, "ACT", "true", "1"),
        (Environment.is_debug, "RUNNER_DEBUG", "1", "true"),
        (Environment.wants_own_exit_codes, "DOCKER_AUTH_EXIT_CODES", "1", "0"),
    ],
)
def test_flag_needs_the_value_that_runners_set(
    read: Callable[[Environment], bool], name: str, true: str, false: str
) -> None:
    assert read(Environment({name: true})) is True
    assert read(Environment({name: false})) is False
    assert read(Environment({})) is False


@pytest.mark.parametrize(
    ("text", "pid", "seconds"),
    [("4711", 4711, 4711.0), ("25.5", None, 25.5), ("-1", None, -1.0), ("x", None, None)],
)
def test_numbers_of_the_launcher_are_parsed(
    text: str, pid: int | None, seconds: float | None
) -> None:
    environment = Environment({"DOCKER_AUTH_LAUNCHER": text, "DOCKER_AUTH_SECONDS": text})
    assert (environment.launcher_pid(), environment.seconds_left()) == (pid, seconds)


def test_ca_paths_are_those_that_are_set() -> None:
    variables = {"SSL_CERT_FILE": " /a ", "REQUESTS_CA_BUNDLE": "", "NODE_EXTRA_CA_CERTS": "/b"}
    expected = {"SSL_CERT_FILE": "/a", "NODE_EXTRA_CA_CERTS": "/b"}
    assert Environment(variables).ca_paths() == expected
    assert Environment({"REQUESTS_CA_BUNDLE": "/c"}).ca_paths() == {"REQUESTS_CA_BUNDLE": "/c"}


@pytest.mark.parametrize(
    ("gitea", "provider"), [("true", "gitea_actions"), ("false", "github_actions")]
)
def test_run_context_has_each_field_from_its_variable(gitea: str, provider: str) -> None:
    assert Environment({**GITHUB, "GITEA_ACTIONS": gitea}).run_context() == RunContext(
        provider=provider,
        repository="acme/shop",
        workflow="Deploy",
        trigger="push",
        actor="octocat",
        sha="0123abc",
        ref="refs/heads/main",
        run_id="42",
    )


def test_variables_are_not_in_the_repr() -> None:
    assert "rca_" not in repr(Environment({"INPUT_API_KEY": "rca_secret"}))
