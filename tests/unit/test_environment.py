"""Tests of lib.runner.environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib.run_context import RunContext
from lib.runner.environment import Environment

FIELDS = {
    "repository": "GITHUB_REPOSITORY", "workflow": "GITHUB_WORKFLOW", "actor": "GITHUB_ACTOR",
    "trigger": "GITHUB_EVENT_NAME", "sha": "GITHUB_SHA", "ref": "GITHUB_REF",
    "run_id": "GITHUB_RUN_ID",
}  # fmt: skip
FLAGS = {
    "is_composite": ("GITHUB_ACTION_PATH", "/actions/x", ""),
    "is_gitea": ("GITEA_ACTIONS", "true", "false"),
    "is_act": ("ACT", "true", "1"),
    "is_debug": ("RUNNER_DEBUG", "1", "true"),
    "wants_own_exit_codes": ("DOCKER_AUTH_EXIT_CODES", "1", "0"),
}


def test_inputs_are_trimmed_and_state_is_not() -> None:
    variables = {"INPUT_API_KEY": " \trca_x\r\n", "INPUT_ACCESS_TOKEN": "t", "STATE_login": " {} "}
    environment = Environment(variables)
    assert environment.secrets() == ["rca_x", "t"]
    assert environment.saved_state("login") == " {} "
    assert "rca_" not in repr(environment)


@pytest.mark.parametrize(("method", "name", "text", "value", "default"), [
    ("state_file", "GITHUB_STATE", "/x", Path("/x"), None),
    ("output_file", "GITHUB_OUTPUT", "/x", Path("/x"), None),
    ("step", "GITHUB_ACTION", "x", "x", ""),
    ("login_id", "DOCKER_AUTH_LOGIN_ID", "x", "x", ""),
    ("launcher_namespace", "DOCKER_AUTH_PID_NAMESPACE", "x", "x", ""),
    ("launcher_pid", "DOCKER_AUTH_LAUNCHER", "4711", 4711, None),
    ("launcher_pid", "DOCKER_AUTH_LAUNCHER", "-1", None, None),
    ("seconds_left", "DOCKER_AUTH_SECONDS", "25.5", 25.5, None),
    ("seconds_left", "DOCKER_AUTH_SECONDS", "x", None, None),
    ("ca_paths", "SSL_CERT_FILE", " /a ", {"SSL_CERT_FILE": "/a"}, {}),
    ("ca_paths", "REQUESTS_CA_BUNDLE", "/a", {"REQUESTS_CA_BUNDLE": "/a"}, {}),
    ("ca_paths", "NODE_EXTRA_CA_CERTS", "/a", {"NODE_EXTRA_CA_CERTS": "/a"}, {}),
    *((method, name, true, True, False) for method, (name, true, _) in FLAGS.items()),
    *((method, name, false, False, False) for method, (name, _, false) in FLAGS.items()),
])  # fmt: skip
def test_value_comes_from_its_variable(
    method: str, name: str, text: str, value: object, default: object
) -> None:
    for variables, expected in (({name: text}, value), ({}, default), ({name: ""}, default)):
        assert getattr(Environment(variables), method)() == expected
    assert Environment({}).saved_state("x") == Environment({}).input("x") == ""


@pytest.mark.parametrize(
    ("gitea", "provider"), [("true", "gitea_actions"), ("false", "github_actions")]
)
def test_run_context_has_each_field_from_its_variable(gitea: str, provider: str) -> None:
    variables = {name: field for field, name in FIELDS.items()}
    found = Environment({**variables, "GITEA_ACTIONS": gitea}).run_context()
    assert found == RunContext(provider=provider, **{field: field for field in FIELDS})
    unknown = RunContext(provider="github_actions", **dict.fromkeys(FIELDS, ""))
    assert Environment({}).run_context() == unknown
