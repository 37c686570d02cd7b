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
@pytest.mark.parametrize(("step", "login_id", "stopped"), [
    ("login", ID, True), ("login", OTHER, False), ("login", "", False), ("other", ID, False),
])  # fmt: skip
def test_post_stops_its_own_login_only(
    files: StepFiles, tmp_path: Path, step: str, login_id: str, *, stopped: bool
) -> None:
    files.stop()
    assert StepFiles(tmp_path, step, login_id).is_stopped() is stopped
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("unknown", ["", "../x", "no-uuid"])
def test_post_without_an_id_stops_all_logins_of_the_step(tmp_path: Path, unknown: str) -> None:
    StepFiles(tmp_path, "login", unknown).stop()
    for login_id, step in [(ID, "login"), (OTHER, "login"), ("", "login"), (ID, "other")]:
        assert StepFiles(tmp_path, step, login_id).is_stopped() is (step == "login")


def test_stop_file_is_private_and_follows_no_link(files: StepFiles, tmp_path: Path) -> None:
    files.stop()
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    path.symlink_to(tmp_path / "target")
    files.stop()
    assert list(tmp_path.iterdir()) == [path]
    assert files.is_stopped()


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
        (b"x" * 65_530 + b"\n1234\n", "1234"),
        (b"x" * 65_530 + b"\n1234\n5\n", "1234"),  # only 64 KiB are read
    ]:
        path.write_bytes(content)
        assert files.newest_state() == newest


def test_state_files_of_logins_are_separate(files: StepFiles, tmp_path: Path) -> None:
    other, unknown = StepFiles(tmp_path, "login", OTHER), StepFiles(tmp_path, "login", "")
    files.append_state("one")
    other.append_state("two")
    unknown.append_state("three")
    assert StepFiles(tmp_path, "other", ID).newest_state() == ""
    assert (files.newest_state(), other.newest_state()) == ("one", "two")
    for step_files in (unknown, files, files):
        step_files.remove_state()
    assert (files.newest_state(), other.newest_state()) == ("", "two")


def test_without_an_id_the_newest_file_of_the_step_counts(tmp_path: Path) -> None:
    assert StepFiles(tmp_path, "login", "").newest_state() == ""
    logins = [("login", ID), ("login", OTHER), ("other", ID)]
    for seconds, (step, login_id) in enumerate(logins):
        before = set(tmp_path.iterdir())
        StepFiles(tmp_path, step, login_id).append_state(f"{step} {login_id}")
        [path] = set(tmp_path.iterdir()) - before
        os.utime(path, (seconds, seconds))
    assert StepFiles(tmp_path, "login", "").newest_state() == f"login {OTHER}"


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
