"""Tests of lib.state and lib.stop_file."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib.errors import StateError
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles

ID = "11111111-2222-4333-8444-555555555555"
OTHER = ID.replace("1", "6")
STATE = LoginState(
    stage=Stage.SUCCEEDED, id=ID, step="login", pid=7, started="123", interpreter="/bin/python3",
    server_id=ID, server_name="Büro", credential_id=ID, api_url="https://api.reoclo.com",
    operation_id="op-1", registry_url="ghcr.io", api_key="rca_0123456789",
)  # fmt: skip
GOOD: dict[str, Any] = json.loads(STATE.encode())


def reject(data: object) -> None:
    with pytest.raises(StateError, match="docker logout") as caught:
        LoginState.decode(data if isinstance(data, str) else json.dumps(data))
    assert caught.value.hint.anchor == "damaged-state"


@pytest.mark.parametrize("stage", list(Stage))
def test_encoded_state_is_decoded_unchanged(stage: Stage) -> None:
    unknown = dict.fromkeys(["registry_url", "credential_id", "server_name", "started"], "")
    for changes in ({}, {"cleanup": False, "maybe_repeated": True}, {**unknown, "pid": 0}):
        state = replace(STATE, stage=stage, **changes)
        assert LoginState.decode(state.encode()) == state
        assert LoginState.decode(state.encode_without_key()) == replace(state, api_key="")
        assert (state.encode().isascii(), " " in state.encode()) == (True, False)
        assert "rca_" not in f"{state!r} {state.encode_without_key()}"
        assert not state.is_older_than(state)


def test_text_that_is_no_state_is_rejected() -> None:
    first = LoginState.decode('{"version":2,"stage":"none","id":"x","step":"s"}')
    assert first == LoginState(stage=Stage.NONE, id="x", step="s")  # of the launcher
    versions = ['{"version":2}', '["version"]', '{"version":[]}']
    for text in ("null", "1", '"x"', "{}", "NaN", "[" * 100_000, "9" * 5000, *versions):
        reject(text)
    for end in range(len(STATE.encode())):
        reject(STATE.encode()[:end])


def test_value_of_another_type_is_rejected() -> None:
    for name, good in GOOD.items():
        values: list[object] = [None, 1.5, [], "true", True, 1]
        for value in values:
            if type(value) is not type(good):
                reject({**GOOD, name: value})


def test_foreign_or_unsafe_value_is_rejected() -> None:
    unsafe: dict[str, list[object]] = {
        "version": [1, 3], "extra": ["x"], "stage": ["unheard-of"], "server_id": ["", "x" * 5000],
        "credential_id": ["x"], "server_name": ["a\nb"], "registry_url": ["a b", "::error::"],
        "operation_id": ["../../keys"], "api_url": ["", "http://evil.example"],
    }  # fmt: skip
    for name, values in unsafe.items():
        for value in values:
            reject({**GOOD, name: value})
    for stage in (Stage.ACCEPTED, Stage.SUCCEEDED):
        reject({**GOOD, "stage": stage, "operation_id": ""})
    for stage in (Stage.REQUESTED, Stage.FAILED):
        reject({**GOOD, "stage": stage, "operation_id": "../../keys"})
        state = replace(STATE, stage=stage, operation_id="")
        assert LoginState.decode(state.encode()) == state


@pytest.fixture
def files(tmp_path: Path) -> StepFiles:
    return StepFiles(tmp_path, "login", ID)


# The inner steps of a composite action share the step's name.
@pytest.mark.parametrize(("post_id", "stopped"), [(ID, [1, 0, 0, 0]), ("../x", [1, 1, 1, 0])])
def test_post_stops_its_own_login_or_if_unknown_all(
    tmp_path: Path, post_id: str, stopped: list[bool]
) -> None:
    StepFiles(tmp_path, "login", post_id).stop()
    logins = [("login", ID), ("login", OTHER), ("login", ""), ("other", ID)]
    assert [StepFiles(tmp_path, *login).is_stopped() for login in logins] == stopped
    assert len(list(tmp_path.iterdir())) == 1


def test_newest_state_is_the_last_complete_line(files: StepFiles, tmp_path: Path) -> None:
    assert files.newest_state() == ""
    files.append_state("one")
    files.append_state("two ü")
    [path] = tmp_path.iterdir()
    for content, newest in [
        (path.read_bytes(), "two ü"),
        (path.read_bytes() + b"cut of", "two ü"),
        (b"cut of", ""),
        (b"\xff\n", "\ufffd"),
        (b"x" * 65_530 + b"\n1234\n5\n", "1234"),  # only 64 KiB are read
    ]:
        path.write_bytes(content)
        assert files.newest_state() == newest


def test_state_files_of_logins_are_separate(files: StepFiles, tmp_path: Path) -> None:
    other, foreign = StepFiles(tmp_path, "login", OTHER), StepFiles(tmp_path, "other", ID)
    unknown = StepFiles(tmp_path, "login", "")
    assert unknown.newest_state() == ""
    unknown.append_state("x")
    for seconds, step_files in enumerate((other, files, foreign)):
        before = set(tmp_path.iterdir())
        step_files.append_state(str(seconds))
        [path] = set(tmp_path.iterdir()) - before
        os.utime(path, (seconds, seconds))
    found = [step_files.newest_state() for step_files in (files, other, foreign, unknown)]
    assert found == ["1", "0", "2", "1"]  # without an id, that of the step's newest file
    for step_files in (unknown, files, files):
        step_files.remove_state()
    assert (files.newest_state(), other.newest_state()) == ("", "0")


def test_links_and_pipes_are_not_followed(files: StepFiles, tmp_path: Path) -> None:
    files.stop()
    files.append_state("one")
    stop, state = sorted(tmp_path.iterdir(), key=lambda path: path.suffix, reverse=True)
    assert [path.stat().st_mode & 0o777 for path in (stop, state)] == [0o600] * 2
    target = state.rename(tmp_path / "target")
    state.symlink_to(target)
    stop.unlink()
    stop.symlink_to(tmp_path / "no-target")
    files.stop()
    files.append_state("two")
    assert (files.newest_state(), target.read_text(), files.is_stopped()) == ("", "one\n", True)
    assert not (tmp_path / "no-target").exists()
    state.unlink()
    os.mkfifo(state)
    files.append_state("two")
    assert files.newest_state() == ""
