"""The files for people who take part: the changelog, the templates and the guide."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text("utf-8")
FORMS = ROOT / ".github" / "ISSUE_TEMPLATE"
KINDS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]
HEADING = re.compile(r"\[Unreleased\]|\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)")


def complaints(changelog: str) -> list[str]:
    """Tell where a changelog is not in the form of Keep a Changelog."""
    sections = re.split(r"^## (.+)\n", changelog, flags=re.MULTILINE)
    found = [] if sections[0].startswith("# Changelog\n") else ["the title"]
    headings = [HEADING.fullmatch(heading) for heading in sections[1::2]]
    if None in headings or not headings:
        return [*found, "a heading"]
    versions = [tuple(map(int, match.groups()[:3])) for match in headings[1:] if match and match[1]]
    if len(versions) != len(headings) - 1 or versions != sorted(set(versions), reverse=True):
        found.append("the order of versions")
    days = [date.fromisoformat(match[4]) for match in headings if match and match[4]]
    if days != sorted(days, reverse=True):
        found.append("the order of days")
    return found + [what for section in sections[2::2] for what in complaints_about(section)]


def complaints_about(section: str) -> list[str]:
    """Tell what is wrong with the section of a version."""
    parts = re.split(r"^### (.+)\n", section, flags=re.MULTILINE)
    kinds = parts[1::2]
    found = [f"a kind: {kind}" for kind in kinds if kind not in KINDS]
    if len(set(kinds)) != len(kinds):
        found.append("a kind twice")
    entries = [part.strip() for part in parts[2::2]]
    return found + ["a kind without a list" for part in entries if not part.startswith("- ")]


def test_the_changelog_is_in_the_form_that_it_names() -> None:
    """It is in the form of Keep a Changelog, with what is not released at its top."""
    assert "keepachangelog.com" in CHANGELOG
    assert "\n## [Unreleased]\n" in CHANGELOG
    assert complaints(CHANGELOG) == []


BREAKS = {
    "the title": ("# Changelog\n", "# News\n"),
    "a heading": ("## [Unreleased]", "## Unreleased"),
    "the order of versions": ("## [Unreleased]", "## [1.0.0] - 2026-01-01\n\n## [Unreleased]"),
    "the order of days": (
        "### Added",
        "## [2.0.0] - 2025-01-01\n## [1.0.0] - 2026-01-01\n### Added",
    ),
    "a kind: New": ("### Added", "### New"),
    "a kind twice": ("### Added\n", "### Added\n\n- A thing.\n\n### Added\n"),
    "a kind without a list": ("### Added\n", "### Fixed\n\nA thing.\n\n### Added\n"),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_changelog_of_another_form_is_found(what: str) -> None:
    """What the test before this one looks for it does find."""
    assert complaints(CHANGELOG.replace(*BREAKS[what], 1)) == [what]


def fields(form: str) -> dict[str, dict[str, Any]]:
    """Give the fields of an issue form, by their ids."""
    loaded = yaml.safe_load((FORMS / form).read_text("utf-8"))
    return {field["id"]: field for field in loaded["body"] if "id" in field}


def is_required(field: dict[str, Any]) -> bool:
    """Tell whether an issue cannot be sent without a field, or all of its boxes."""
    options = field["attributes"].get("options", [])
    if field["type"] == "checkboxes":
        return all(option.get("required") for option in options)
    return bool(field["validations"]["required"])


def test_a_bug_comes_with_what_one_would_ask_for() -> None:
    """Version, runner, log with debug logging, and a look for secrets: all are required."""
    bug = fields("bug.yml")

    assert all(is_required(bug[name]) for name in ("version", "runner", "log", "secrets"))
    assert "debug logging" in bug["log"]["attributes"]["description"]
    assert "no key, token or password" in bug["secrets"]["attributes"]["options"][0]["label"]


def test_each_runner_of_the_readme_can_be_chosen() -> None:
    """The runners that the README names are those of the form for bugs."""
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("## Runtime requirements")[2].partition("\n\n- ")[0]
    named = re.findall(r"^\| ([A-Z].+?|act) \|", table, re.MULTILINE)
    options = fields("bug.yml")["runner"]["attributes"]["options"]

    assert len(named) > 4
    missing = [name for name in named if name.removesuffix("'s runner") not in options]
    assert missing == ["Container jobs"]  # the form asks for that under another name


def test_each_folder_of_tests_is_in_the_guide() -> None:
    """Who writes a test finds where it belongs."""
    guide = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert set(re.findall(r"^\| `tests/(\w+)`", guide, re.MULTILINE)) == folders
