"""The workflows hold to what keeps a supply chain short and a token small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github" / "actions").glob("*/action.yml"))
USES = re.compile(r"^\s*(?:- )?uses: (.+)$", re.MULTILINE)
PINNED = re.compile(r"[\w.-]+(/[\w.-]+)+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\./\S*")

each_file = pytest.mark.parametrize("path", WORKFLOWS + ACTIONS, ids=lambda path: path.parent.name)
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """Give the jobs of a workflow, by name."""
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text("utf-8"))["jobs"]
    return loaded


def steps(path: Path) -> list[dict[str, Any]]:
    """Give all steps of a workflow or of a composite action."""
    loaded = yaml.safe_load(path.read_text("utf-8"))
    parts = [*loaded.get("jobs", {}).values(), loaded.get("runs", {})]
    return [step for part in parts for step in part.get("steps", [])]


def test_the_workflows_are_found() -> None:
    """The other tests have something to look at."""
    assert {"ci", "codeql", "release"} <= {path.stem for path in WORKFLOWS}


@each_file
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    """What is used is a full SHA with its version beside it, or of this repository."""
    used = USES.findall(path.read_text("utf-8"))

    assert len(used) == len([step for step in steps(path) if "uses" in step])
    assert [name for name in used if not PINNED.fullmatch(name)] == []


@each_workflow
def test_a_workflow_has_no_permissions_of_its_own(path: Path) -> None:
    """Each job asks for what it needs, and has nothing else."""
    assert yaml.safe_load(path.read_text("utf-8"))["permissions"] == {}


@each_workflow
def test_every_checkout_leaves_no_credentials(path: Path) -> None:
    """No later step finds the job's token in .git/config."""
    checkouts = [step for step in steps(path) if "actions/checkout@" in step.get("uses", "")]

    assert [step for step in checkouts if step["with"]["persist-credentials"] is not False] == []


@each_workflow
def test_every_job_ends(path: Path) -> None:
    """No job runs for the six hours that are GitHub's default."""
    assert [name for name, job in jobs(path).items() if "timeout-minutes" not in job] == []


@each_file
def test_no_script_has_an_expression_in_it(path: Path) -> None:
    """What comes from outside reaches a script by its environment, never as a part of it."""
    assert [step["run"] for step in steps(path) if "${{" in step.get("run", "")] == []


def test_a_release_asks_for_a_check_that_exists() -> None:
    """release.yml requires, by its name, the job of ci.yml that waits for all the others."""
    ci = jobs(ROOT / ".github" / "workflows" / "ci.yml")
    [(waiting, job)] = [(name, job) for name, job in ci.items() if job["name"] == "All green"]

    assert set(job["needs"]) == ci.keys() - {waiting}
    assert job["steps"][0]["run"].count("success") == len(job["needs"])
    release = (ROOT / ".github" / "workflows" / "release.yml").read_text("utf-8")
    assert 'tools/release.py green "All green"' in release
