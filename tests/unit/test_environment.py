"""Tests of lib.runner.environment and lib.run_context."""

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
FLAGS = [
    ("is_composite", "GITHUB_ACTION_PATH", "/actions/x", ""),
    ("is_gitea", "GITEA_ACTIONS", "true", "false"), ("is_act", "ACT", "true", "1"),
    ("is_debug", "RUNNER_DEBUG", "1", "true"),
    ("wants_own_exit_codes", "DOCKER_AUTH_EXIT_CODES", "1", "0"),
]  # fmt: skip


def test_inputs_are_trimmed_and_state_is_not() -> None:
    variables = {"INPUT_API_KEY": " \trca_x\r\n", "INPUT_ACCESS_TOKEN": "t", "STATE_login": " {} "}
    environment = Environment(variables)
    assert environment.secrets() == ["rca_x", "t"]
    assert environment.saved_state("login") == " {} "
    assert "rca_" not in repr(environment)
    assert Environment({}).saved_state("x") == Environment({}).input("x") == ""


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
    *(("ca_paths", name, " /a ", {name: "/a"}, {})
      for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS")),
    *((method, name, true, True, False) for method, name, true, _ in FLAGS),
    *((method, name, false, False, False) for method, name, _, false in FLAGS),
])  # fmt: skip
def test_value_comes_from_its_variable(
    method: str, name: str, text: str, value: object, default: object
) -> None:
    for variables, expected in (({name: text}, value), ({}, default), ({name: ""}, default)):
        assert getattr(Environment(variables), method)() == expected


def test_run_context_has_each_field_from_its_variable() -> None:
    variables = {name: field for field, name in FIELDS.items()}
    for gitea, provider in (("true", "gitea_actions"), ("false", "github_actions")):
        found = Environment({**variables, "GITEA_ACTIONS": gitea}).run_context()
        assert found == RunContext(provider=provider, **{field: field for field in FIELDS})
    unknown = RunContext(provider="github_actions", **dict.fromkeys(FIELDS, ""))
    assert Environment({}).run_context() == unknown


def test_run_context_leaves_out_only_what_it_may() -> None:
    required = {"provider": "p", "repository": "r", "workflow": "", "trigger": "t", "actor": "a"}
    known = RunContext(**required, sha="0123abc", ref="refs/heads/main", run_id="42").body()
    context = {**required, "sha": "0123abc", "ref": "refs/heads/main"}
    assert known == {"run_id": "42", "run_context": context}
    unknown = RunContext(**required, sha="", ref="", run_id="").body()
    assert unknown == {"run_context": required}
