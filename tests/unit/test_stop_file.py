"""Tests of lib.stop_file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib.stop_file import StepFiles

ID = "11111111-2222-4333-8444-555555555555"
OTHER = "66666666-7777-4888-9999-000000000000"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("step", "login_id", "stopped"),
    [
        ("login", ID, True),
        ("login", OTHER, False),  # an inner step of the same composite action
        ("login", "", False),
        ("other", ID, False),
    ],
)
def test_post_stops_its_own_login_only(
    tmp_path: Path, step: str, login_id: str, *, stopped: bool
) -> None:
    StepFiles(tmp_path, "login", ID).stop()
    assert StepFiles(tmp_path, step, login_id).is_stopped() is stopped
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize("unknown", ["", "../x", "no-uuid"])
def test_post_without_an_id_stops_every_login_of_the_step(tmp_path: Path, unknown: str) -> None:
    StepFiles(tmp_path, "login", unknown).stop()
    for login_id, step in [(ID, "login"), (OTHER, "login"), ("", "login"), (ID, "other")]:
        assert StepFiles(tmp_path, step, login_id).is_stopped() is (step == "login")


def test_stop_file_needs_no_target_and_replaces_nothing(tmp_path: Path) -> None:
    files = StepFiles(tmp_path, "login", ID)
    files.stop()
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    path.unlink()
    path.symlink_to(tmp_path / "target")
    files.stop()
    assert names(tmp_path) == [path.name]
    assert files.is_stopped()


def test_newest_state_is_the_last_complete_line(tmp_path: Path) -> None:
    files = StepFiles(tmp_path, "login", ID)
    assert files.newest_state() == ""
    files.append_state("one")
    files.append_state("two ü")
    assert files.newest_state() == "two ü"
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    with path.open("ab") as file:
        file.write(b"cut of")
    assert files.newest_state() == "two ü"
    path.write_bytes(b"cut of")
    assert files.newest_state() == ""
    path.write_bytes(b"\xff\n")
    assert files.newest_state() == "\ufffd"


def test_state_files_of_logins_are_separate(tmp_path: Path) -> None:
    StepFiles(tmp_path, "login", ID).append_state("one")
    StepFiles(tmp_path, "login", OTHER).append_state("two")
    assert StepFiles(tmp_path, "login", ID).newest_state() == "one"
    assert StepFiles(tmp_path, "other", ID).newest_state() == ""
    StepFiles(tmp_path, "login", "").remove_state()
    StepFiles(tmp_path, "login", ID).remove_state()
    StepFiles(tmp_path, "login", ID).remove_state()
    assert StepFiles(tmp_path, "login", ID).newest_state() == ""
    assert StepFiles(tmp_path, "login", OTHER).newest_state() == "two"


def test_without_an_id_the_newest_file_of_the_step_counts(tmp_path: Path) -> None:
    assert StepFiles(tmp_path, "login", "").newest_state() == ""
    for seconds, (step, login_id) in enumerate(
        [("login", ID), ("login", OTHER), ("other", ID)], start=1
    ):
        before = set(tmp_path.iterdir())
        StepFiles(tmp_path, step, login_id).append_state(login_id)
        [path] = set(tmp_path.iterdir()) - before
        os.utime(path, (seconds, seconds))
    StepFiles(tmp_path, "login", "no-uuid").append_state("x")
    assert len(names(tmp_path)) == 3
    assert StepFiles(tmp_path, "login", "").newest_state() == OTHER


def test_state_file_is_no_link_and_no_pipe(tmp_path: Path) -> None:
    files = StepFiles(tmp_path, "login", ID)
    files.append_state("one")
    [path] = tmp_path.iterdir()
    target = path.rename(tmp_path / "target")
    path.symlink_to(target)
    files.append_state("two")
    assert files.newest_state() == ""
    assert target.read_text() == "one\n"
    path.unlink()
    os.mkfifo(path)
    files.append_state("two")
    assert files.newest_state() == ""


def test_state_file_is_read_up_to_64_kib(tmp_path: Path) -> None:
    files = StepFiles(tmp_path, "login", ID)
    files.append_state("x" * 65_530)
    files.append_state("1234")
    assert files.newest_state() == "1234"
    files.append_state("5")
    assert files.newest_state() == "1234"


@pytest.mark.parametrize("has_folder", [True, False])
def test_without_a_usable_folder_nothing_happens(tmp_path: Path, *, has_folder: bool) -> None:
    files = StepFiles(tmp_path / "missing" if has_folder else None, "login", ID)
    files.stop()
    files.append_state("one")
    files.remove_state()
    assert not files.is_stopped()
    assert files.newest_state() == ""
    assert StepFiles(files.folder, "login", "").newest_state() == ""
