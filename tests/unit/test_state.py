"""What main leaves for post."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from lib.errors import StateError
from lib.state import VERSION, LoginState, Stage

STATE = LoginState(
    stage=Stage.SUCCEEDED,
    server_id="11111111-2222-4333-8444-555555555555",
    credential_id="66666666-7777-4888-9999-000000000000",
    api_url="https://api.reoclo.com",
    cleanup=True,
    operation_id="op-1",
    registry_url="ghcr.io",
    api_key="rca_0123456789",
)
GOOD: dict[str, Any] = json.loads(STATE.encode())
OPTIONAL = {"operation_id", "registry_url", "is_repeated", "api_key"}


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("api_key", ["", "rca_0123456789"])
@pytest.mark.parametrize("cleanup", [True, False])
def test_what_is_written_is_read_again(stage: Stage, api_key: str, *, cleanup: bool) -> None:
    """A state comes back as it was, whatever is in it."""
    state = dataclasses.replace(STATE, stage=stage, api_key=api_key, cleanup=cleanup)
    assert LoginState.decode(state.encode()) == state


def test_a_login_that_was_only_requested_is_read_again() -> None:
    """Neither operation nor registry is known of it yet."""
    state = dataclasses.replace(STATE, stage=Stage.REQUESTED, operation_id="", registry_url="")
    assert LoginState.decode(state.encode()) == state


def test_a_registry_can_be_known_before_the_operation() -> None:
    """Where the job itself names the registry, the login's answer is not needed to know it."""
    state = dataclasses.replace(STATE, stage=Stage.REQUESTED, operation_id="")
    assert LoginState.decode(state.encode()) == state


def test_a_state_is_one_line_of_ascii() -> None:
    """No runner can cut or recode it."""
    encoded = dataclasses.replace(STATE, server_id="ü\n\r\u2028").encode()
    assert encoded.isascii()
    assert encoded.isprintable()


def test_the_key_is_not_in_the_repr() -> None:
    """A traceback that shows the state shows no key."""
    assert "rca_" not in repr(STATE)


@pytest.mark.parametrize("text", [
    "", " ", "null", "true", "1", "[]", "{}", '"text"', "not json", "{", "login", "\x00",
    "[" * 100_000, "9" * 5000, "NaN", '{"version":1}', '["version"]', '{"version":[]}',
])  # fmt: skip
def test_what_is_no_state_is_called_so(text: str) -> None:
    """An entry of another program is an error with a remedy, never another exception."""
    with pytest.raises(StateError, match="docker logout"):
        LoginState.decode(text)


@pytest.mark.parametrize("end", range(len(STATE.encode())))
def test_a_part_of_a_state_is_no_state(end: int) -> None:
    """Wherever a state was cut, it is not used."""
    with pytest.raises(StateError):
        LoginState.decode(STATE.encode()[:end])


@pytest.mark.parametrize("name", sorted(GOOD.keys() - OPTIONAL))
def test_a_state_without_one_of_its_fields_is_damaged(name: str) -> None:
    """What must be there must be there."""
    with pytest.raises(StateError):
        LoginState.decode(json.dumps({key: GOOD[key] for key in GOOD if key != name}))


@pytest.mark.parametrize("name", sorted(GOOD))
@pytest.mark.parametrize("value", [None, 7, [], {}, ["x"], 1.5])
def test_a_field_of_another_kind_is_refused(name: str, value: object) -> None:
    """Every value is checked for its kind."""
    with pytest.raises(StateError):
        LoginState.decode(json.dumps({**GOOD, name: value}))


@pytest.mark.parametrize("cleanup", ["true", "", 1, 0, None])
def test_cleanup_is_a_bool_and_nothing_like_it(cleanup: object) -> None:
    """A text "false" would otherwise count as true."""
    with pytest.raises(StateError, match="of the wrong kind"):
        LoginState.decode(json.dumps({**GOOD, "cleanup": cleanup}))


def test_a_field_too_many_is_refused() -> None:
    """Who writes more than this version knows is another version or another program."""
    with pytest.raises(StateError):
        LoginState.decode(json.dumps({**GOOD, "extra": "x"}))


@pytest.mark.parametrize("version", [VERSION + 1, 0, "1", None])
def test_another_version_is_called_so(version: object) -> None:
    """A state of another version is not guessed at."""
    with pytest.raises(StateError, match="another version"):
        LoginState.decode(json.dumps({**GOOD, "version": version, "new": "x"}))


@pytest.mark.parametrize("registry_url", ["a b", "$" + "{{ secrets.X }}", "::error::x"])
@pytest.mark.parametrize("stage", list(Stage))
def test_a_registry_that_is_none_is_refused_at_every_stage(stage: Stage, registry_url: str) -> None:
    """What is no registry's address is neither printed nor sent anywhere."""
    foreign = dataclasses.replace(STATE, stage=stage, registry_url=registry_url)
    with pytest.raises(StateError, match="malformed"):
        LoginState.decode(foreign.encode())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stage", "unheard-of"),
        ("server_id", "x" * 5000),
        ("credential_id", "x" * 5000),
        ("operation_id", "../../keys"),
        ("operation_id", ""),
        ("registry_url", "ghcr.io; id"),
        ("registry_url", ""),
        ("api_url", "http://evil.example"),
        ("api_url", "https://user@evil.example"),
        ("api_url", ""),
    ],
)
@pytest.mark.parametrize("stage", [Stage.ACCEPTED, Stage.SUCCEEDED])
def test_a_value_that_may_not_be_used_is_refused(stage: str, name: str, value: str) -> None:
    """Post trusts its state no more than main trusts its inputs."""
    with pytest.raises(StateError):
        LoginState.decode(json.dumps({**GOOD, "stage": stage, name: value}))
