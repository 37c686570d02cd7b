"""The rules for the inputs."""

from __future__ import annotations

import pytest

from lib.environment import Environment
from lib.errors import InputError
from lib.inputs import Inputs, LogoutInputs, check_api_url, read_inputs, read_logout_inputs
from lib.models import LogoutRequest, PassthroughLogin, VaultLogin

GOOD = {
    "INPUT_API_KEY": "rca_0123456789",
    "INPUT_SERVER_ID": "11111111-2222-4333-8444-555555555555",
    "INPUT_CREDENTIAL_ID": "66666666-7777-4888-9999-AAAAAAAAAAAA",
}


def read(**variables: str) -> Inputs:
    """Read good inputs with some of them replaced."""
    return read_inputs(Environment({**GOOD, **variables}))


def told(**variables: str) -> str:
    """Give the error that such inputs make."""
    with pytest.raises(InputError) as caught:
        read(**variables)
    return str(caught.value)


def test_what_is_not_given_has_its_default() -> None:
    """Three inputs are enough."""
    assert read() == Inputs(
        api_key="rca_0123456789",
        login=VaultLogin(
            server_id="11111111-2222-4333-8444-555555555555",
            credential_id="66666666-7777-4888-9999-AAAAAAAAAAAA",
        ),
        cleanup=True,
        api_url="https://api.reoclo.com",
        timeout=300,
    )


def test_white_space_around_inputs_is_dropped() -> None:
    """A line end that was pasted with a value is no part of it."""
    padded = {name: f"  {value}\r\n" for name, value in GOOD.items()}
    assert read(**padded) == read()
    assert read(INPUT_CLEANUP=" ", INPUT_API_URL=" ", INPUT_TIMEOUT=" ") == read()


def test_keys_of_the_old_prefix_are_keys() -> None:
    """Keys made before the prefix changed still work."""
    assert read(INPUT_API_KEY="rk_a_123").api_key == "rk_a_123"


@pytest.mark.parametrize("name", ["api_key", "server_id"])
@pytest.mark.parametrize("value", ["", " \n"])
def test_a_missing_input_is_named_with_the_usual_cause(name: str, value: str) -> None:
    """An empty secret is explained: forks, Dependabot, environments, reusable workflows."""
    message = told(**{f"INPUT_{name.upper()}": value})
    assert message.startswith(f"The input {name} is missing or empty.")
    for cause in ("forks", "Dependabot", "environment", "secrets: inherit"):
        assert cause in message


def test_an_integration_key_is_recognized() -> None:
    """A key of the other kind is called so."""
    assert "is an integration key (rk_t_)" in told(INPUT_API_KEY="rk_t_0123456789")


@pytest.mark.parametrize("key", ["hunter2hunter2", '"rca_quoted"', "Bearer rca_x", "RCA_x"])
def test_what_is_no_key_is_refused_and_not_shown(key: str) -> None:
    """A secret is never echoed, not even a malformed one."""
    message = told(INPUT_API_KEY=key)
    assert "is not a Reoclo automation key" in message
    assert key not in message


@pytest.mark.parametrize(
    "key", ["rca_a b", "rca_a\nb", "rca_a\tb", "rca_é", "rca_\x7f", "rca_\x00x"]
)
def test_a_key_has_only_printable_ascii_in_it(key: str) -> None:
    """White space and control characters inside a key are told, and the key is not."""
    message = told(INPUT_API_KEY=key)
    assert "white space or unprintable characters" in message
    assert key not in message


@pytest.mark.parametrize("name", ["server_id", "credential_id"])
@pytest.mark.parametrize(
    "value",
    ["build-1", "11111111222243338444555555555555", "{11111111-2222-4333-8444-555555555555}",
     "g1111111-2222-4333-8444-555555555555", "11111111-2222-4333-8444-555555555555/.."],
)  # fmt: skip
def test_an_id_is_a_uuid(name: str, value: str) -> None:
    """Anything but a UUID is refused under the input's name, and not shown."""
    message = told(**{f"INPUT_{name.upper()}": value})
    assert message.startswith(f"The input {name} is not a UUID such as")
    assert value not in message


@pytest.mark.parametrize("word", ["true", "True", "TRUE"])
def test_cleanup_knows_yamls_true(word: str) -> None:
    """YAML 1.2 writes true in three ways."""
    assert read(INPUT_CLEANUP=word).cleanup is True


@pytest.mark.parametrize("word", ["false", "False", "FALSE"])
def test_cleanup_knows_yamls_false(word: str) -> None:
    """YAML 1.2 writes false in three ways."""
    assert read(INPUT_CLEANUP=word).cleanup is False


@pytest.mark.parametrize("word", ["yes", "no", "0", "1", "tRUE", "flase", "off"])
def test_cleanup_takes_nothing_else(word: str) -> None:
    """A word that may mean either is an error rather than a guess."""
    assert "cleanup is neither true nor false" in told(INPUT_CLEANUP=word)


@pytest.mark.parametrize(("text", "seconds"), [("1", 1), ("3600", 3600), ("060", 60)])
def test_timeout_is_whole_seconds(text: str, seconds: int) -> None:
    """From one second to an hour."""
    assert read(INPUT_TIMEOUT=text).timeout == seconds


@pytest.mark.parametrize("text", ["0", "3601", "-1", "1.5", "5m", "1_0", "٣", "9" * 5000])
def test_timeout_takes_nothing_else(text: str) -> None:
    """What is no whole number of seconds in the range is refused."""
    assert "from 1 to 3600" in told(INPUT_TIMEOUT=text)


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://reoclo.example.com", "https://reoclo.example.com"),
        (
            "https://reoclo.example.com:8443/base/path//",
            "https://reoclo.example.com:8443/base/path",
        ),
        ("HTTPS://reoclo.example.com/", "HTTPS://reoclo.example.com"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_an_api_url_keeps_its_path_and_loses_its_last_slashes(given: str, used: str) -> None:
    """Https anywhere and http on this machine are addresses the key may go to."""
    assert check_api_url(given) == used
    assert read(INPUT_API_URL=given).api_url == used


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("http://reoclo.example.com", "plain http"),
        ("http://localhost.evil.example", "plain http"),
        ("http://10.0.0.1", "plain http"),
        ("ftp://reoclo.example.com", "does not begin with https://"),
        ("reoclo.example.com", "does not begin with https://"),
        ("https://", "does not begin with https://"),
        ("https:///path", "does not begin with https://"),
        ("https://user@reoclo.example.com", "user name or password"),
        ("https://:secretpw@reoclo.example.com", "user name or password"),
        ("https://@reoclo.example.com", "user name or password"),
        ("https://reoclo.example.com?x=1", "query or a fragment"),
        ("https://reoclo.example.com/#x", "query or a fragment"),
        ("https://reoclo.example.com/?", "query or a fragment"),
        ("https://reoclo.example.com/#", "query or a fragment"),
        ("https://reoclo.example.com:port", "host or port is malformed"),
        ("https://reoclo.example.com:99999", "host or port is malformed"),
        ("https://[::1", "host or port is malformed"),
        ("https://reoclo example.com", "characters in it that no URL has"),
        ("https://reoclo.example.com\\@evil.example", "characters in it that no URL has"),
        ("https://reoclö.example.com", "characters in it that no URL has"),
        ("https://reoclo.exa\nmple.com", "characters in it that no URL has"),
    ],
)
def test_an_address_the_key_must_not_go_to_is_refused(url: str, found: str) -> None:
    """The error tells what is wrong with the address without showing it."""
    message = told(INPUT_API_URL=url)
    assert message.startswith("The input api_url is not an address the key may be sent to.")
    assert found in message
    assert "secretpw" not in message


def test_the_key_is_not_in_the_repr_of_the_inputs() -> None:
    """A traceback that shows the inputs shows no key."""
    assert "rca_" not in repr(read())


PASSTHROUGH = {
    "INPUT_CREDENTIAL_ID": "",
    "INPUT_USERNAME": "octocat",
    "INPUT_ACCESS_TOKEN": "ghp_0123456789",
    "INPUT_REGISTRY_URL": "ghcr.io",
}


def test_the_workflows_own_credential_is_read() -> None:
    """In passthrough mode user name, token and registry take the place of credential_id."""
    assert read(**PASSTHROUGH).login == PassthroughLogin(
        server_id=GOOD["INPUT_SERVER_ID"],
        registry_url="ghcr.io",
        username="octocat",
        access_token="ghp_0123456789",
    )


def test_a_token_may_have_many_lines() -> None:
    """The key file of a service account is JSON on several lines, and is handed on as it is."""
    key = '{\n  "type": "service_account"\n}'
    login = read(**{**PASSTHROUGH, "INPUT_ACCESS_TOKEN": f"\n{key}\n"}).login
    assert isinstance(login, PassthroughLogin)
    assert login.access_token == key


def test_without_a_credential_both_modes_are_named() -> None:
    """Neither mode: the error names all that could be given, and the usual cause."""
    message = told(INPUT_CREDENTIAL_ID=" ")
    for name in ("credential_id", "username", "access_token", "registry_url", "forks"):
        assert name in message


@pytest.mark.parametrize("name", ["username", "access_token", "registry_url"])
def test_two_credentials_are_refused(name: str) -> None:
    """Both modes: the error names what was given of the second."""
    message = told(**{f"INPUT_{name.upper()}": "ghcr.io"})
    assert message.startswith(f"The inputs name two credentials: credential_id and {name}.")


@pytest.mark.parametrize(
    "missing", [["username"], ["access_token"], ["registry_url"], ["username", "access_token"]]
)
def test_half_a_mode_is_refused(missing: list[str]) -> None:
    """The error names what is missing, what is given, and the usual cause."""
    message = told(**{**PASSTHROUGH, **{f"INPUT_{name.upper()}": "" for name in missing}})
    names = f"input {missing[0]} is" if len(missing) == 1 else f"inputs {' and '.join(missing)} are"
    assert message.startswith(f"The {names} missing or empty, with ")
    assert "secrets: inherit" in message
    assert "ghp_" not in message


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("INPUT_USERNAME", "octo\ncat", "The input username has unprintable characters"),
        ("INPUT_REGISTRY_URL", "ghcr.io/${{ x }}", "The input registry_url is not the address"),
        ("INPUT_REGISTRY_URL", "ghcr io", "docker.io for Docker Hub"),
    ],
)
def test_a_malformed_passthrough_input_is_refused(variable: str, value: str, said: str) -> None:
    """What cannot be a user name or a registry is named, and not shown."""
    message = told(**{**PASSTHROUGH, variable: value})
    assert said in message
    assert value not in message


@pytest.mark.parametrize(
    ("variables", "is_told"),
    [
        ({"GITEA_ACTIONS": "true", "GITHUB_ACTION_PATH": "/x"}, True),
        ({"GITEA_ACTIONS": "true"}, False),
        ({"GITHUB_ACTION_PATH": "/x"}, False),
    ],
)
def test_giteas_composites_are_named_as_a_cause(
    variables: dict[str, str], *, is_told: bool
) -> None:
    """Gitea's runner fills our inputs from those of the composite action: the error says so."""
    message = told(INPUT_CLEANUP="sometimes", **variables)
    assert ("the composite's input of the same name" in message) is is_told


def read_logout(**variables: str) -> LogoutInputs:
    """Read good inputs of the logout with some of them replaced."""
    good = {**GOOD, "INPUT_REGISTRY_URL": "ghcr.io", **variables}
    return read_logout_inputs(Environment(good))


def test_the_logout_has_inputs_of_its_own() -> None:
    """Key, server and registry are enough; a credential is of no interest."""
    assert read_logout() == LogoutInputs(
        api_key="rca_0123456789",
        logout=LogoutRequest(server_id=GOOD["INPUT_SERVER_ID"], registry_url="ghcr.io"),
        api_url="https://api.reoclo.com",
    )


@pytest.mark.parametrize("name", ["api_key", "server_id", "registry_url"])
def test_the_logout_names_what_is_missing(name: str) -> None:
    """Each of its inputs is asked for by its name."""
    with pytest.raises(InputError, match=f"The input {name} is missing or empty"):
        read_logout(**{f"INPUT_{name.upper()}": ""})
