"""Which versions may be released, and which release the major tag may move to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib.version import __version__
from tests.runner.checkout import ROOT

NOTES = "### Added\n\n- A feature, [linked](#here)."
CHANGELOG = f"""# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-02

{NOTES}

## [1.2.2] - 2026-01-01

- An older feature.
"""
PASSED = [{"name": name, "conclusion": "success", "suite": 1} for name in ("All green", "other")]
PUBLISHED = {"draft": False, "prerelease": False, "immutable": True}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Create a project that is ready for v1.2.3."""
    files = {
        "CHANGELOG.md": CHANGELOG,
        "pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "lib/version.py": '__version__ = "1.2.3"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "release.py", tmp_path / "tools")
    return tmp_path


def release(
    project: Path, command: str, subject: str, *lines: dict[str, Any], own: str = ""
) -> tuple[int, str]:
    """Run the tool in a project, and return its exit code and all it printed."""
    done = subprocess.run(
        [sys.executable, "-B", "tools/release.py", command, subject],
        cwd=project,
        env={"PATH": "", "OWN": own},
        input="".join(json.dumps(line) + "\n" for line in lines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_pyproject_has_the_version_of_the_action() -> None:
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_notes_are_the_section_of_the_changelog(project: Path) -> None:
    assert release(project, "notes", "v1.2.3") == (0, NOTES + "\n")


@pytest.mark.parametrize(
    ("name", "removed"),
    [
        *((name, "1.2.3") for name in ("CHANGELOG.md", "lib/version.py", "pyproject.toml")),
        ("CHANGELOG.md", " - 2026-01-02"),
        ("CHANGELOG.md", NOTES),
    ],
)
def test_file_of_another_version_is_rejected(project: Path, name: str, removed: str) -> None:
    path = project / name
    path.write_text(path.read_text("utf-8").replace(removed, "", 1), "utf-8")

    code, printed = release(project, "notes", "v1.2.3")

    assert code == 1
    assert printed.startswith(f"::error::{name} ")


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3-rc.1", "v01.2.3", "v1.2.\uff13"])
def test_tag_of_another_form_is_rejected(project: Path, tag: str) -> None:
    assert release(project, "notes", tag)[0] == 1


@pytest.mark.parametrize(
    ("conclusion", "code"),
    [("skipped", 0), ("neutral", 0), ("failure", 1), ("cancelled", 1), ("timed_out", 1), (None, 1)],
)
def test_failed_or_running_check_is_not_green(
    project: Path, conclusion: str | None, code: int
) -> None:
    other = {"name": "b", "status": "in_progress", "conclusion": conclusion, "suite": 8}

    assert release(project, "green", "All green", *PASSED, other)[0] == code
    assert release(project, "green", "All green", *PASSED, other, own="8\n9")[0] == 0


@pytest.mark.parametrize("counted", [PASSED[1:], [{**PASSED[0], "conclusion": "skipped"}]])
def test_commit_without_the_required_check_is_rejected(
    project: Path, counted: list[dict[str, Any]]
) -> None:
    assert release(project, "green", "All green", *counted)[0] == 1


@pytest.mark.parametrize(
    ("tag", "state", "code"),
    [
        ("v1.2.2", {}, 0),
        ("v2.0.0", {}, 0),
        ("v1.3.0", {"draft": True}, 0),
        ("v1.3.1", {"prerelease": True}, 0),
        ("nightly", {}, 0),
        ("v1.2.10", {}, 1),
    ],
)
def test_major_tag_moves_to_the_newest_release_only(
    project: Path, tag: str, state: dict[str, bool], code: int
) -> None:
    releases = [{"tag_name": tag, **PUBLISHED, **state}, {"tag_name": "v1.2.3", **PUBLISHED}]

    assert release(project, "newest", "v1.2.3", *releases)[0] == code


@pytest.mark.parametrize("state", [{"draft": True}, {"prerelease": True}, {"immutable": False}])
def test_major_tag_does_not_move_to_an_unfinished_release(
    project: Path, state: dict[str, bool]
) -> None:
    mine = {"tag_name": "v1.2.3", **PUBLISHED, **state}

    assert release(project, "newest", "v1.2.3", mine)[0] == 1
    assert release(project, "newest", "v1.2.3")[0] == 1
