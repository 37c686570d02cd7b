"""The action's metadata fits the Marketplace and the code, and the workflows fit each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from lib.inputs import DEFAULT_API_URL, DEFAULT_TIMEOUT_SECONDS

ROOT = Path(__file__).resolve().parents[2]


def load(name: str) -> Any:
    """Return the content of a YAML file of the repository."""
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def test_action_is_fit_for_the_marketplace() -> None:
    action = load("action.yml")
    assert len(action["description"]) < 125
    assert set(action["branding"]) == {"icon", "color"}
    assert action["runs"]["post-if"] == "always()"
    # It is not run for `uses: ./`, and is run where the step's `if` is false.
    assert "pre" not in action["runs"]
    assert all((ROOT / action["runs"][stage]).is_file() for stage in ("main", "post"))


def test_defaults_of_the_action_are_those_of_the_code() -> None:
    inputs = load("action.yml")["inputs"]
    defaults = {name: about["default"] for name, about in inputs.items() if "default" in about}
    assert defaults == {
        "cleanup": "true",
        "api_url": DEFAULT_API_URL,
        "timeout": str(DEFAULT_TIMEOUT_SECONDS),
    }


def test_release_waits_for_every_job_of_ci() -> None:
    """release.yml requires, by its name, the job of ci.yml that waits for all others."""
    jobs = load(".github/workflows/ci.yml")["jobs"]
    [(last, job)] = [(name, job) for name, job in jobs.items() if job["name"] == "All green"]
    release = (ROOT / ".github/workflows/release.yml").read_text("utf-8")
    assert set(job["needs"]) == jobs.keys() - {last}
    assert job["steps"][0]["run"].count("success") == len(job["needs"])
    assert 'tools/release.py green "All green"' in release


def test_every_job_has_a_timeout() -> None:
    """GitHub's default is six hours."""
    for path in ROOT.glob(".github/workflows/*.yml"):
        assert all("timeout-minutes" in job for job in load(str(path))["jobs"].values()), path.name
