"""Tests of lib.stop_file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.stop_file import StepFiles

ID = "11111111-2222-4333-8444-555555555555"
OTHER = ID.replace("1", "6")


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
