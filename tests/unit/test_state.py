"""Tests of lib.state."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lib.errors import StateError
from lib.state import LoginState, Stage

ID = "11111111-2222-4333-8444-555555555555"
STATE = LoginState(
    stage=Stage.SUCCEEDED, id=ID, step="login", pid=7, started="123", interpreter="/bin/python3",
    server_id=ID, server_name="Büro", credential_id=ID, api_url="https://api.reoclo.com",
    operation_id="op-1", registry_url="ghcr.io", api_key="rca_0123456789",
)  # fmt: skip
GOOD: dict[str, Any] = json.loads(STATE.encode())


def is_rejected(text: str) -> bool:
    try:
        LoginState.decode(text)
    except StateError as error:
        assert (error.hint.anchor, "docker logout" in error.hint.text) == ("damaged-state", True)
        return True
    return False


@pytest.mark.parametrize("stage", list(Stage))
@pytest.mark.parametrize("changes", [
    {}, {"api_key": "", "cleanup": False, "maybe_repeated": True},
    {"registry_url": "", "credential_id": "", "server_name": "", "started": "", "pid": 0},
])  # fmt: skip
def test_encoded_state_is_decoded_unchanged(stage: Stage, changes: dict[str, Any]) -> None:
    state = replace(STATE, stage=stage, **changes)
    assert LoginState.decode(state.encode()) == state


def test_encoded_state_is_one_line_of_ascii_with_its_version() -> None:
    encoded = replace(STATE, server_name="ü\n\r\u2028").encode()
    assert (encoded.isascii(), encoded.isprintable(), " " in encoded) == (True, True, False)
    assert GOOD["version"] == 2


def test_first_state_of_the_launcher_is_decoded() -> None:
    state = LoginState.decode('{"version":2,"stage":"none","id":"x","step":"s"}')
    assert state == LoginState(stage=Stage.NONE, id="x", step="s")
    assert (state.cleanup, state.maybe_repeated, state.pid, state.api_key) == (True, False, 0, "")


def test_api_key_is_only_where_it_must_be() -> None:
    assert "rca_" not in f"{STATE!r} {STATE.encode_without_key()}"
    assert LoginState.decode(STATE.encode_without_key()) == replace(STATE, api_key="")


@pytest.mark.parametrize("text", [
    "null", "1", "[]", "{}", '"text"', "not json", "NaN", "[" * 100_000, "9" * 5000,
    '{"version":2}', '["version"]', '{"version":[]}',
])  # fmt: skip
def test_text_that_is_no_state_is_rejected(text: str) -> None:
    assert is_rejected(text)


def test_truncated_state_is_rejected() -> None:
    assert all(is_rejected(STATE.encode()[:end]) for end in range(len(STATE.encode())))


@pytest.mark.parametrize("name", sorted(GOOD))
def test_value_of_another_type_is_rejected(name: str) -> None:
    for value in (None, 1.5, [], "true", True, 1):
        is_same = type(value) is type(GOOD[name])
        assert is_same or is_rejected(json.dumps({**GOOD, name: value})), value


@pytest.mark.parametrize(("name", "values"), [
    ("version", [1, 3]), ("extra", ["x"]), ("stage", ["unheard-of"]),
    ("server_id", ["", "x" * 5000]), ("credential_id", ["x"]), ("server_name", ["a\nb"]),
    ("operation_id", ["", "../../keys"]), ("registry_url", ["a b", "::error::"]),
    ("api_url", ["", "http://evil.example"]),
])  # fmt: skip
@pytest.mark.parametrize("stage", ["accepted", "succeeded", "requested", "failed"])
def test_foreign_or_unsafe_value_is_rejected(stage: str, name: str, values: list[Any]) -> None:
    for value in values:
        may_be_unknown = (name, value) == ("operation_id", "") and stage in {"requested", "failed"}
        assert is_rejected(json.dumps({**GOOD, "stage": stage, name: value})) is not may_be_unknown


def test_later_stage_is_newer() -> None:
    states = [replace(STATE, stage=stage) for stage in Stage]
    older = [[state.is_older_than(other) for other in states] for state in states]
    assert older == [[False] * (n + 1) + [True] * (len(states) - n - 1) for n in range(len(states))]


def test_server_is_called_by_its_name_if_known() -> None:
    assert STATE.server == "server Büro"
    assert replace(STATE, server_name="").server == f"server {ID}"
