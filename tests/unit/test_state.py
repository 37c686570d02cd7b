"""Tests of lib.state."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lib.errors import StateError
from lib.state import LoginState, Stage

STATE = LoginState(
    stage=Stage.SUCCEEDED,
    id="99999999-2222-4333-8444-555555555555",
    step="login",
    pid=7,
    started="123",
    interpreter="/usr/bin/python3",
    server_id="11111111-2222-4333-8444-555555555555",
    server_name="Büro \u2028",
    credential_id="66666666-7777-4888-9999-000000000000",
    api_url="https://api.reoclo.com",
    operation_id="op-1",
    registry_url="ghcr.io",
    api_key="rca_0123456789",
)
NAMED = replace(STATE, server_name="build-1")
GOOD: dict[str, Any] = json.loads(NAMED.encode())


def is_rejected(**changes: object) -> bool:
    try:
        LoginState.decode(json.dumps({**GOOD, **changes}))
    except StateError as error:
        assert error.hint.anchor == "damaged-state"
        return True
    return False


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"api_key": "", "cleanup": False, "maybe_repeated": True},
        {"registry_url": "", "credential_id": "", "server_name": "", "started": ""},
    ],
)
def test_encoded_state_is_decoded_unchanged(stage: Stage, changes: dict[str, Any]) -> None:
    state = replace(NAMED, stage=stage, **changes)
    assert LoginState.decode(state.encode()) == state


def test_state_is_one_line_of_ascii_and_marked_with_its_version() -> None:
    encoded = STATE.encode()
    assert encoded.isascii()
    assert encoded.isprintable()
    assert " " not in encoded.replace("B\\u00fcro \\u2028", "")
    assert json.loads(encoded)["version"] == 2


def test_first_state_of_the_launcher_is_decoded() -> None:
    text = '{"version":2,"stage":"none","id":"x","step":"s"}'
    state = LoginState.decode(text)
    assert state == LoginState(stage=Stage.NONE, id="x", step="s")
    assert (state.cleanup, state.maybe_repeated, state.pid, state.api_key) == (True, False, 0, "")


def test_api_key_is_left_out_where_it_must_be() -> None:
    assert "rca_" not in repr(STATE)
    assert "rca_" not in STATE.encode_without_key()
    assert LoginState.decode(NAMED.encode_without_key()) == replace(NAMED, api_key="")


@pytest.mark.parametrize("text", [
    "", " ", "null", "true", "1", "[]", "{}", '"text"', "not json", "{", "login", "\x00", "NaN",
    "[" * 100_000, "9" * 5000, '{"version":2}', '["version"]', '{"version":[]}',
])  # fmt: skip
def test_text_that_is_no_state_is_rejected(text: str) -> None:
    with pytest.raises(StateError):
        LoginState.decode(text)


@pytest.mark.parametrize("end", range(0, len(NAMED.encode()), 3))
def test_truncated_state_is_rejected(end: int) -> None:
    with pytest.raises(StateError):
        LoginState.decode(NAMED.encode()[:end])


@pytest.mark.parametrize("name", sorted(GOOD))
def test_value_of_another_type_is_rejected(name: str) -> None:
    for value in (None, 1.5, [], {}, ["x"], "true" if GOOD[name] is not True else 1, True, 7):
        if type(value) is not type(GOOD[name]):
            assert is_rejected(**{name: value}), value


@pytest.mark.parametrize(
    "changes",
    [
        *({"version": version} for version in (1, 3, 0, "2", None)),
        {"extra": "x"},
        {"stage": "unheard-of"},
        *({"server_id": text} for text in ("", "x" * 5000)),
        *({"credential_id": text} for text in ("x", "x" * 5000)),
        *({"operation_id": text} for text in ("", "../../keys")),
        *({"stage": "accepted", "operation_id": text} for text in ("", "../../keys")),
        {"stage": "requested", "operation_id": "../../keys"},
        {"stage": "failed", "operation_id": "../../keys"},
        *({"registry_url": text} for text in ("a b", "${{ secrets.X }}", "::error::x", "x; id")),
        {"server_name": "a\nb"},
        *({"api_url": text} for text in ("", "http://evil.example", "https://u@evil.example")),
    ],
)
def test_foreign_or_unsafe_value_is_rejected(changes: dict[str, Any]) -> None:
    assert is_rejected(**changes)


@pytest.mark.parametrize("stage", [Stage.REQUESTED, Stage.FAILED])
def test_operation_can_be_unknown_before_the_response(stage: Stage) -> None:
    assert not is_rejected(stage=stage, operation_id="")


def test_later_stage_is_newer() -> None:
    states = [replace(STATE, stage=stage) for stage in Stage]
    for number, state in enumerate(states):
        newer = [state.is_older_than(other) for other in states]
        assert newer == [place > number for place in range(len(states))]


def test_server_is_called_by_its_name_if_known() -> None:
    assert NAMED.server == "server build-1"
    assert replace(NAMED, server_name="").server == f"server {STATE.server_id}"
