"""Which versions may be released, and which release the major tag may move to."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lib.version import __version__
from tools.release import ROOT, ReleaseError, green, newest, notes

NOTES = "### Added\n\n- A feature, [linked](#here)."
FILES = {
    "CHANGELOG.md": f"""# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-02

{NOTES}

## [1.2.2] - 2026-01-01

- An older feature.
""",
    "pyproject.toml": '[project]\nversion = "1.2.3"\n',
    "lib/version.py": '__version__ = "1.2.3"\n',
}
PASSED = [{"name": name, "conclusion": "success", "suite": 1} for name in ("All green", "other")]
PUBLISHED = {"tag_name": "v1.2.3", "draft": False, "prerelease": False, "immutable": True}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the files of a project."""
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return folder


def test_notes_are_the_section_of_the_changelog(tmp_path: Path) -> None:
    assert notes("v1.2.3", write(tmp_path, FILES)) == NOTES
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_file_of_another_version_is_rejected(tmp_path: Path) -> None:
    changes = [(name, "1.2.3") for name in FILES]
    changes += [("CHANGELOG.md", " - 2026-01-02"), ("CHANGELOG.md", NOTES)]
    for name, removed in changes:
        project = write(tmp_path, {**FILES, name: FILES[name].replace(removed, "", 1)})
        with pytest.raises(ReleaseError, match=name):
            notes("v1.2.3", project)


@pytest.mark.parametrize("tag", ["1.2.3", "v1.2", "v1.2.3-rc.1", "v01.2.3", "v1.2.\uff13"])
def test_tag_of_another_form_is_rejected(tag: str) -> None:
    command = [sys.executable, "-B", "tools/release.py", "notes", tag]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("::error::")


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", None])
def test_failed_or_running_check_is_not_green(conclusion: str | None) -> None:
    other = {"name": "bad", "status": "in_progress", "conclusion": conclusion, "suite": 8}
    idle = [{**PASSED[1], "conclusion": conclusion} for conclusion in ("skipped", "neutral")]
    with pytest.raises(ReleaseError, match="bad"):
        green([*PASSED, other], "All green", [])
    assert green([*PASSED, *idle, other], "All green", ["8", "9"])


def test_commit_without_the_required_check_is_not_green() -> None:
    for runs in (PASSED[1:], [{**PASSED[0], "conclusion": "skipped"}]):
        with pytest.raises(ReleaseError, match="All green"):
            green(runs, "All green", [])


@pytest.mark.parametrize("change", [{"draft": True}, {"prerelease": True}, {"immutable": False}])
def test_release_that_may_still_change_is_rejected(change: dict[str, bool]) -> None:
    with pytest.raises(ReleaseError):
        newest([{**PUBLISHED, **change}], "v1.2.3")


def test_major_tag_moves_to_the_newest_release_only() -> None:
    others = [{**PUBLISHED, "tag_name": tag} for tag in ("v1.2.2", "v2.0.0", "nightly")]
    draft = {**PUBLISHED, "tag_name": "v1.3.0", "draft": True}
    assert newest([*others, draft, PUBLISHED], "v1.2.3")
    for releases in ([], [PUBLISHED, {**PUBLISHED, "tag_name": "v1.2.10"}]):
        with pytest.raises(ReleaseError):
            newest(releases, "v1.2.3")
