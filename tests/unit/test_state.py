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
    assert LoginState.decode(state.encode_without_key()) == replace(state, api_key="")
    assert (state.encode().isascii(), " " in state.encode(), GOOD["version"]) == (True, False, 2)
    assert "rca_" not in f"{state!r} {state.encode_without_key()}"
    assert state.server == f"server {state.server_name or ID}"


def test_first_state_of_the_launcher_is_decoded() -> None:
    state = LoginState.decode('{"version":2,"stage":"none","id":"x","step":"s"}')
    assert state == LoginState(stage=Stage.NONE, id="x", step="s")
    assert (state.cleanup, state.maybe_repeated, state.pid, state.api_key) == (True, False, 0, "")


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


@pytest.fixture
def files(tmp_path: Path) -> StepFiles:
    return StepFiles(tmp_path, "login", ID)


# The inner steps of a composite action share the step's name.
@pytest.mark.parametrize(("post_id", "stopped"), [
    (ID, [True, False, False, False]), ("", [True, True, True, False]),
    ("../x", [True, True, True, False]),
])  # fmt: skip
def test_post_stops_its_own_login_or_if_unknown_all(
    tmp_path: Path, post_id: str, stopped: list[bool]
) -> None:
    StepFiles(tmp_path, "login", post_id).stop()
    logins = [("login", ID), ("login", OTHER), ("login", ""), ("other", ID)]
    assert [StepFiles(tmp_path, *login).is_stopped() for login in logins] == stopped
    assert len(list(tmp_path.iterdir())) == 1


def test_stop_file_is_private_and_follows_no_link(files: StepFiles, tmp_path: Path) -> None:
    files.stop()
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    path.symlink_to(tmp_path / "target")
    files.stop()
    assert (list(tmp_path.iterdir()), files.is_stopped()) == ([path], True)


def test_newest_state_is_the_last_complete_line(files: StepFiles, tmp_path: Path) -> None:
    assert files.newest_state() == ""
    files.append_state("one")
    files.append_state("two ü")
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
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
    other, unknown = StepFiles(tmp_path, "login", OTHER), StepFiles(tmp_path, "login", "")
    foreign = StepFiles(tmp_path, "other", ID)
    assert unknown.newest_state() == ""
    for seconds, step_files in enumerate((files, other, foreign, unknown)):
        before = set(tmp_path.iterdir())
        step_files.append_state(str(seconds))
        for path in set(tmp_path.iterdir()) - before:
            os.utime(path, (seconds, seconds))
    found = [step_files.newest_state() for step_files in (files, other, foreign, unknown)]
    assert found == ["0", "1", "2", "1"]  # without an id, that of the step's newest file
    for step_files in (unknown, files, files):
        step_files.remove_state()
    assert (files.newest_state(), other.newest_state()) == ("", "1")


def test_state_file_is_no_link_and_no_pipe(files: StepFiles, tmp_path: Path) -> None:
    files.append_state("one")
    [path] = tmp_path.iterdir()
    target = path.rename(tmp_path / "target")
    path.symlink_to(target)
    files.append_state("two")
    assert (files.newest_state(), target.read_text()) == ("", "one\n")
    path.unlink()
    os.mkfifo(path)
    files.append_state("two")
    assert files.newest_state() == ""


@pytest.mark.parametrize("folder", [None, Path("/nonexistent")])
def test_without_a_usable_folder_nothing_happens(folder: Path | None) -> None:
    for login_id in (ID, ""):
        files = StepFiles(folder, "login", login_id)
        files.stop()
        files.append_state("one")
        files.remove_state()
        assert (files.is_stopped(), files.newest_state()) == (False, "")
