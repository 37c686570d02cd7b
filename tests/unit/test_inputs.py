"""Tests of lib.inputs."""

from __future__ import annotations

import pytest

from lib.api.models import LogoutRequest, PassthroughLogin, VaultLogin
from lib.errors import InputError
from lib.inputs import (
    LoginInputs,
    LogoutInputs,
    read_api_url,
    read_login_inputs,
    read_logout_inputs,
)
from lib.runner.environment import Environment

KEY = "rca_0123456789"
SERVER = "11111111-2222-4333-8444-555555555555"
CREDENTIAL = "66666666-7777-4888-9999-AAAAAAAAAAAA"
VAULT = {"api_key": KEY, "server_id": SERVER, "credential_id": CREDENTIAL}
DIRECT = {
    "api_key": KEY,
    "server_id": SERVER,
    "username": "octocat",
    "access_token": "ghp_0123456789",
    "registry_url": "ghcr.io",
}


def environment(inputs: dict[str, str], **variables: str) -> Environment:
    return Environment({**{f"INPUT_{k.upper()}": v for k, v in inputs.items()}, **variables})


def read(**inputs: str) -> LoginInputs:
    return read_login_inputs(environment({**VAULT, **inputs}))


def rejected(inputs: dict[str, str], **variables: str) -> InputError:
    with pytest.raises(InputError) as caught:
        read_login_inputs(environment(inputs, **variables))
    return caught.value


def test_optional_inputs_have_defaults() -> None:
    assert read() == LoginInputs(
        api_key=KEY,
        request=VaultLogin(server_id=SERVER, credential_id=CREDENTIAL),
        cleanup=True,
        api_url="https://api.reoclo.com",
        timeout=300,
    )


def test_whitespace_around_inputs_is_trimmed() -> None:
    assert read(**{name: f"  {value}\r\n" for name, value in VAULT.items()}) == read()
    assert read(cleanup=" ", api_url=" ", timeout=" ") == read()


@pytest.mark.parametrize(
    "key", ["rca_1", "rk_a_1", "rss_1", "rxy_1", "rk_z_1", "rab_!~", f"rca_{'x' * 500}", "rdsx_1"]
)
def test_key_of_a_reoclo_family_is_accepted(key: str) -> None:
    assert read(api_key=key).api_key == key


@pytest.mark.parametrize(
    ("key", "kind"), [("rk_t_1", "rk_t_"), ("rk_m_1", "rk_m_"), ("rds_1", "rds_")]
)
def test_key_kind_that_cannot_work_is_named(key: str, kind: str) -> None:
    error = rejected({**VAULT, "api_key": key})
    assert error.hint.anchor == "invalid-input"
    assert kind in error.summary


@pytest.mark.parametrize(
    "key",
    ["ghp_0123456789", "hunter2hunter2", '"rca_quoted"', "Bearer rca_x", "RCA_x", "rca_", "r_1",
     "ra_1", "rabcd_1", "rk__1", "rk_A_1", "xrca_1", "rca_a b", "rca_a\nb", "rca_a\tb", "rca_é",
     "rca_\x7f", "rca_\x00x"],
)  # fmt: skip
def test_text_that_is_no_key_is_rejected_and_not_shown(key: str) -> None:
    error = rejected({**VAULT, "api_key": key})
    assert error.hint.anchor == "invalid-input"
    assert "api_key" in error.summary
    assert key == "rca_" or key not in str(error)


@pytest.mark.parametrize("name", ["api_key", "server_id"])
@pytest.mark.parametrize("value", ["", " \n"])
def test_missing_input_names_the_usual_causes(name: str, value: str) -> None:
    error = rejected({**VAULT, name: value})
    assert error.hint.anchor == "missing-input"
    assert name in error.summary
    for cause in ("fork", "Dependabot", "environment", "secrets: inherit"):
        assert cause in error.hint.text


@pytest.mark.parametrize("name", ["server_id", "credential_id"])
def test_malformed_uuid_is_rejected_and_not_shown(name: str) -> None:
    error = rejected({**VAULT, name: "build-one"})
    assert error.hint.anchor == "invalid-input"
    assert name in error.summary
    assert "build-one" not in str(error)


@pytest.mark.parametrize(
    ("text", "cleanup"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False),
     ("FALSE", False), ("", True)],
)  # fmt: skip
def test_cleanup_accepts_booleans_of_yaml(text: str, *, cleanup: bool) -> None:
    assert read(cleanup=text).cleanup is cleanup


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *(("cleanup", text) for text in ("yes", "no", "0", "1", "tRUE", "flase", "off", "null")),
        *(("timeout", text) for text in ("0", "3601", "-1", "1.5", "5m", "1_0", "٣", "9" * 5000)),
        ("timeout", "0000001"),
        *(("api_url", text) for text in ("http://evil.example", "https://u:pw@r.example")),
        ("api_url", "https://r.example.com/api/automation/v1"),
    ],
)
def test_malformed_option_is_rejected(name: str, text: str) -> None:
    error = rejected({**VAULT, name: text})
    assert error.hint.anchor == "invalid-input"
    assert name in error.summary
    assert "pw" not in str(error)


@pytest.mark.parametrize(
    ("text", "seconds"), [("1", 1), ("3600", 3600), ("060", 60), ("000002", 2)]
)
def test_timeout_is_whole_seconds(text: str, seconds: int) -> None:
    assert read(timeout=text).timeout == seconds


def test_api_url_is_normalized() -> None:
    assert read(api_url="https://r.example.com/base/").api_url == "https://r.example.com/base"
    assert read_api_url(environment({})) == "https://api.reoclo.com"


def test_passthrough_inputs_become_a_passthrough_login() -> None:
    assert read_login_inputs(environment(DIRECT)).request == PassthroughLogin(
        server_id=SERVER,
        registry_url="ghcr.io",
        username="octocat",
        access_token="ghp_0123456789",
    )


@pytest.mark.parametrize(
    "token",
    ['{\n  "type": "service_account"\n}', f"ghs_{'a.b-c_d' * 74}"[:520], "x", "a\tb\x7fé"],
)
def test_access_token_can_be_any_text(token: str) -> None:
    request = read_login_inputs(environment({**DIRECT, "access_token": f"\n{token}\n"})).request
    assert isinstance(request, PassthroughLogin)
    assert request.access_token == token


def test_no_credential_names_inputs_of_both_modes() -> None:
    error = rejected({**VAULT, "credential_id": " "})
    assert error.hint.anchor == "missing-input"
    for name in ("credential_id", "username", "access_token", "registry_url"):
        assert name in error.summary


@pytest.mark.parametrize("names", [["username"], ["access_token", "registry_url"]])
def test_both_modes_together_are_rejected(names: list[str]) -> None:
    error = rejected({**VAULT, **{name: "ghcr.io" for name in names}})
    assert error.hint.anchor == "invalid-input"
    assert all(name in error.summary for name in ["credential_id", *names])


@pytest.mark.parametrize(
    ("missing", "start"),
    [
        (["username"], "Input username is missing"),
        (["access_token"], "Input access_token is missing"),
        (["username", "registry_url"], "Inputs username and registry_url are missing"),
    ],
)
def test_incomplete_passthrough_names_missing_inputs(missing: list[str], start: str) -> None:
    error = rejected({**DIRECT, **dict.fromkeys(missing, "")})
    assert error.hint.anchor == "missing-input"
    assert error.summary.startswith(start)
    present = [name for name in ("username", "access_token", "registry_url") if name not in missing]
    assert error.summary.endswith(f"{' and '.join(present)} {'are' if present[1:] else 'is'} set")
    assert "ghp_" not in str(error)


@pytest.mark.parametrize(
    ("name", "value"),
    [("username", "octo\ncat"), ("registry_url", "ghcr.io/${{ x }}"), ("registry_url", "ghcr io")],
)
def test_malformed_passthrough_input_is_rejected(name: str, value: str) -> None:
    error = rejected({**DIRECT, name: value})
    assert error.hint.anchor == "invalid-input"
    assert name in error.summary
    assert value not in str(error)


@pytest.mark.parametrize(
    ("variables", "is_named"),
    [
        ({"GITEA_ACTIONS": "true", "GITHUB_ACTION_PATH": "/x"}, True),
        ({"GITEA_ACTIONS": "true"}, False),
        ({"GITHUB_ACTION_PATH": "/x"}, False),
    ],
)
def test_composite_on_gitea_is_named_as_a_cause(
    variables: dict[str, str], *, is_named: bool
) -> None:
    errors = [rejected({**VAULT, "cleanup": "sometimes"}, **variables)]
    with pytest.raises(InputError) as caught:
        read_logout_inputs(environment({}, **variables))
    for error in [*errors, caught.value]:
        assert ("Gitea" in error.hint.text) is is_named


def test_secrets_are_not_in_the_repr() -> None:
    logout = read_logout_inputs(environment({**VAULT, "registry_url": "ghcr.io"}))
    for found in (read(), read_login_inputs(environment(DIRECT)), logout):
        assert KEY not in repr(found)
        assert DIRECT["access_token"] not in repr(found)


def test_logout_needs_key_server_and_registry() -> None:
    inputs = {"api_key": KEY, "server_id": SERVER, "registry_url": "ghcr.io"}
    assert read_logout_inputs(environment(inputs)) == LogoutInputs(
        api_key=KEY,
        request=LogoutRequest(server_id=SERVER, registry_url="ghcr.io"),
        api_url="https://api.reoclo.com",
    )
    for name in inputs:
        with pytest.raises(InputError, match=f"Input {name} "):
            read_logout_inputs(environment({**inputs, name: ""}))
