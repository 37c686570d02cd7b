"""Tests of lib.inputs, lib.runner.environment and lib.run_context."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib.api.models import LogoutRequest, PassthroughLogin, VaultLogin
from lib.errors import InputError
from lib.inputs import LoginInputs, LogoutInputs, read_login_inputs, read_logout_inputs
from lib.runner.environment import Environment

KEY = "rca_0123456789"
ID = "11111111-2222-4333-8444-555555555555"
VAULT = {"api_key": KEY, "server_id": ID, "credential_id": ID.replace("1", "A")}
LOGOUT = {"api_key": KEY, "server_id": ID, "registry_url": "ghcr.io"}
DIRECT = {**LOGOUT, "username": "octocat", "access_token": "ghp_0123456789"}
PASSTHROUGH = PassthroughLogin(**{name: DIRECT[name] for name in DIRECT if name != "api_key"})
FIELDS = {name: f"GITHUB_{name.upper()}" for name in ("repository", "workflow", "actor", "sha")}
FIELDS |= {"ref": "GITHUB_REF", "run_id": "GITHUB_RUN_ID", "trigger": "GITHUB_EVENT_NAME"}


def environment(inputs: dict[str, str], **variables: str) -> Environment:
    return Environment({f"INPUT_{name.upper()}": inputs[name] for name in inputs} | variables)


def read(inputs: dict[str, str], **changes: str) -> LoginInputs:
    return read_login_inputs(environment({**inputs, **changes}))


def rejected(inputs: dict[str, str], **changes: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read(inputs, **changes)
    assert caught.value.hint.text.endswith(".")
    return caught.value


def test_optional_inputs_have_defaults_and_all_are_trimmed() -> None:
    request = VaultLogin(server_id=ID, credential_id=VAULT["credential_id"])
    url = "https://api.reoclo.com"
    expected = LoginInputs(api_key=KEY, request=request, cleanup=True, api_url=url, timeout=300)
    assert read(VAULT) == expected
    assert read({name: f"  {value}\r\n" for name, value in VAULT.items()}) == expected
    assert read(VAULT, cleanup=" ", api_url=" ", timeout=" ") == expected


def test_valid_input_is_accepted() -> None:
    valid: dict[str, dict[str, object]] = {
        "api_key": {key: key for key in ("rca_1", "rk_a_1", "rxy_1", "rk_z_1", "rab_!~", "rdsx_1")},
        "cleanup": {"true": True, "True": True, "TRUE": True, "false": False, "FALSE": False},
        "timeout": {"1": 1, "3600": 3600, "000002": 2},
        "api_url": {"https://r.example.com/base/": "https://r.example.com/base"},
    }  # fmt: skip
    for name, values in valid.items():
        assert {text: getattr(read(VAULT, **{name: text}), name) for text in values} == values
    # GitHub's tokens have about 520 characters and dots since 2026-04.
    for token in ("x", "{\n 1}\t\x7fé", f"ghs_{'aB3.' * 129}"):
        expected = replace(PASSTHROUGH, access_token=token)
        assert read(DIRECT, access_token=f"{token}\n").request == expected


def test_invalid_input_is_named_and_not_shown() -> None:
    for name, texts in {
        "api_key": ["rk_t_1", "rk_m_1", "rds_1", "ghp_0123456789", '"rca_quoted"', "RCA_x", "rca_",
                    "r_1", "ra_1", "rabcd_1", "rk__1", "rk_A_1", "xrca_1", "rca_a\nb", "rca_\x7f"],
        "server_id": ["build-one"], "credential_id": ["build-one"],
        "cleanup": ["yes", "0", "1", "tRUE", "null"],
        "timeout": ["0", "3601", "-1", "1.5", "5m", "1_0", "٣", "9" * 5000, "0000001"],
        "api_url": ["http://evil.example", "https://u:pw@x.example"],
        "username": ["octo\vcat"], "registry_url": ["ghcr.io/${{x}}"],
    }.items():  # fmt: skip
        for text in texts:
            error = rejected(DIRECT if name in DIRECT else VAULT, **{name: text})
            assert (error.hint.anchor, name in error.summary) == ("invalid-input", True)
            assert len(text) < 5 or text not in str(error)


def test_credential_is_one_complete_mode() -> None:
    error = rejected(VAULT, username="x")
    assert (error.hint.anchor, "credential_id" in error.summary) == ("invalid-input", True)
    for inputs, names in (
        (VAULT, ["api_key"]), (VAULT, ["server_id"]), (VAULT, ["credential_id"]),
        (DIRECT, ["username"]), (DIRECT, ["username", "access_token"]),
    ):  # fmt: skip
        error = rejected(inputs, **dict.fromkeys(names, " \n"))
        missing, _, _ = error.summary.partition(" missing or empty")
        assert error.hint.anchor == "missing-input"
        assert [name for name in inputs if name in missing] == names
        assert "ghp_" not in str(error)


def test_logout_has_inputs_of_its_own_and_shows_no_secret() -> None:
    request = LogoutRequest(server_id=ID, registry_url="ghcr.io")
    expected = LogoutInputs(api_key=KEY, request=request, api_url="https://api.reoclo.com")
    assert read_logout_inputs(environment(LOGOUT)) == expected
    shown = f"{expected!r} {read(DIRECT)!r} {PASSTHROUGH.description}"
    assert (KEY in shown, "ghp_" in shown) == (False, False)


@pytest.mark.parametrize(("method", "name", "values"), [
    ("state_file", "GITHUB_STATE", {"/x": Path("/x"), "": None}),
    ("output_file", "GITHUB_OUTPUT", {"/x": Path("/x"), "": None}),
    ("step", "GITHUB_ACTION", {"x": "x"}), ("login_id", "DOCKER_AUTH_LOGIN_ID", {"x": "x"}),
    ("launcher_pid", "DOCKER_AUTH_LAUNCHER", {"4711": 4711, "-1": None, "": None}),
    ("seconds_left", "DOCKER_AUTH_SECONDS", {"25.5": 25.5, "x": None, "": None}),
    ("is_act", "ACT", {"true": True, "yes": False}),
    ("is_debug", "RUNNER_DEBUG", {"1": True, "true": False}),
    ("wants_own_exit_codes", "DOCKER_AUTH_EXIT_CODES", {"1": True, "true": False}),
    ("secrets", "INPUT_ACCESS_TOKEN", {" \tghp_x\r\n": ["", "ghp_x"]}),
    ("ca_paths", "NODE_EXTRA_CA_CERTS", {" /a ": {"NODE_EXTRA_CA_CERTS": "/a"}, " ": {}}),
])  # fmt: skip
def test_value_comes_from_its_variable(method: str, name: str, values: dict[str, object]) -> None:
    assert {text: getattr(Environment({name: text}), method)() for text in values} == values


def test_run_context_has_each_field_from_its_variable() -> None:
    variables = {name: field for field, name in FIELDS.items()}
    found = Environment({**variables, "GITEA_ACTIONS": "true"}).run_context()
    context = {field: field for field in FIELDS if field != "run_id"}
    known = {"run_id": "run_id", "run_context": {"provider": "gitea_actions", **context}}
    assert found.body() == known
    required = dict.fromkeys(["repository", "workflow", "trigger", "actor"], "")
    unknown = {"run_context": {"provider": "github_actions", **required}}
    assert Environment({}).run_context().body() == unknown
