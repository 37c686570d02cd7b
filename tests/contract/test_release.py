"""What may be released, and what the major tag may be moved to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runner.checkout import ROOT

NOTES = "### Added\n\n- A thing, [named](#here)."
CHANGELOG = f"""# Changelog

## [Unreleased]

## [1.2.3] - 2026-01-02

{NOTES}

## [1.2.2] - 2026-01-01

- An older thing.

[1.2.2]: https://example.com/
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project that is ready for v1.2.3."""
    files = {
        "CHANGELOG.md": CHANGELOG,
        "pyproject.toml": '[project]\nversion = "1.2.3"\n',
        "lib/transport.py": 'USER_AGENT = "reoclo-docker-auth/1.2.3"\n',
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools" / "release.py", tmp_path / "tools")
    return tmp_path


def release(
    project: Path, *arguments: str, given: list[dict[str, Any]] | None = None, own: str = ""
) -> tuple[int, str]:
    """Run the tool in a project, and give its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "tools/release.py", *arguments],
        cwd=project,
        env={"PATH": "", "PYTHONDONTWRITEBYTECODE": "1", "OWN": own},
        input="".join(json.dumps(line) + "\n" for line in given or []),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_the_notes_are_the_changelogs_section(project: Path) -> None:
    """Of a version that all files agree on, the notes are its section and no other."""
    assert release(project, "notes", "v1.2.3") == (0, NOTES + "\n")


def test_the_last_section_ends_before_the_links(project: Path) -> None:
    """The definitions of links at the end are not of the oldest version's notes."""
    for path in (project / "pyproject.toml", project / "lib" / "transport.py"):
        path.write_text(path.read_text("utf-8").replace("1.2.3", "1.2.2"), "utf-8")

    assert release(project, "notes", "v1.2.2") == (0, "- An older thing.\n")


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("pyproject.toml", "1.2.3", "1.2.4"),
        ("lib/transport.py", "1.2.3", "1.2.4"),
        ("CHANGELOG.md", "[1.2.3]", "[1.2.4]"),
        ("CHANGELOG.md", " - 2026-01-02", ""),
        ("CHANGELOG.md", NOTES, ""),
    ],
    ids=["pyproject", "user-agent", "no-section", "no-date", "no-text"],
)
def test_a_file_of_another_version_is_refused(project: Path, path: str, old: str, new: str) -> None:
    """Each file that does not speak of the tag's version is named."""
    file = project / path
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")

    code, said = release(project, "notes", "v1.2.3")

    assert code == 1
    assert said.startswith(f"::error::{file.name} ")


@pytest.mark.parametrize(
    "tag", ["1.2.3", "v1.2", "v1.2.3-rc.1", "v1.2.3.4", "v01.2.3", "v1.2.\uff13"]
)
def test_a_tag_of_another_form_is_refused(project: Path, tag: str) -> None:
    """Only vX.Y.Z is a release."""
    code, said = release(project, "notes", tag)

    assert code == 1
    assert "vX.Y.Z" in said


def run(name: str, conclusion: str | None = "success", suite: int = 1) -> dict[str, Any]:
    """Make a check run as GitHub tells of it."""
    status = "completed" if conclusion else "in_progress"
    return {"name": name, "status": status, "conclusion": conclusion, "suite": suite}


GREEN = [run("All green"), run("a", "skipped"), run("b", "neutral")]


def test_a_green_commit(project: Path) -> None:
    """All checks have ended well, and the required one is among them."""
    code, said = release(project, "green", "All green", given=GREEN)

    assert (code, said) == (0, "All of 3 check runs are green.\n")


@pytest.mark.parametrize("conclusion", ["failure", "cancelled", "timed_out", "stale", None])
def test_a_commit_that_is_not_green_is_refused(project: Path, conclusion: str | None) -> None:
    """One check that failed or has not ended is enough, and is named."""
    code, said = release(project, "green", "All green", given=[*GREEN, run("bad", conclusion)])

    assert code == 1
    assert said == f"::error::not green: bad ({conclusion or 'in_progress'})\n"


@pytest.mark.parametrize("runs", [[], [run("other")], [run("All green", "skipped")]])
def test_a_commit_without_the_required_check_is_refused(
    project: Path, runs: list[dict[str, Any]]
) -> None:
    """Nothing red is not enough: CI must have run."""
    code, said = release(project, "green", "All green", given=runs)

    assert code == 1
    assert "'All green' has not run" in said


def test_the_releases_own_check_runs_do_not_count(project: Path) -> None:
    """What is releasing has not ended, and may have failed before; it cannot be the proof."""
    own = [run("Check", None, suite=8), run("Check", "failure", suite=9)]

    assert release(project, "green", "All green", given=[*GREEN, *own], own="8\n9")[0] == 0
    assert release(project, "green", "All green", given=[run("All green", suite=8)], own="8")[0]


def published(tag: str, **different: bool) -> dict[str, Any]:
    """Make a release as GitHub tells of it."""
    state = {"draft": False, "prerelease": False, "immutable": True}
    return {"tag_name": tag, **state, **different}


@pytest.mark.parametrize(
    "others",
    [
        [],
        [published("v1.2.2"), published("v1.1.10")],
        [published("v2.0.0")],
        [published("v1.3.0", draft=True), published("v1.3.1", prerelease=True)],
        [published("nightly")],
    ],
    ids=["the-first", "older", "another-major", "not-out", "no-version"],
)
def test_the_newest_release_may_have_the_major_tag(
    project: Path, others: list[dict[str, Any]]
) -> None:
    """It is published for good, and no published release of its major version is newer."""
    code, said = release(project, "newest", "v1.2.3", given=[*others, published("v1.2.3")])

    assert (code, said) == (0, "v1.2.3 is the newest release of its major version.\n")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "no release"),
        ([published("v1.2.4")], "no release"),
        ([published("v1.2.3", draft=True)], "no release"),
        ([published("v1.2.3", prerelease=True)], "no release"),
        ([published("v1.2.3", immutable=False)], "not immutable"),
        ([published("v1.2.3"), published("v1.2.10")], "v1.2.10 is newer"),
    ],
    ids=["none", "another", "draft", "prerelease", "mutable", "newer"],
)
def test_another_release_may_not_have_the_major_tag(
    project: Path, given: list[dict[str, Any]], why: str
) -> None:
    """What is not out for good is refused, and so is a step back."""
    code, said = release(project, "newest", "v1.2.3", given=given)

    assert code == 1
    assert why in said
