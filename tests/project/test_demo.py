"""The demo: what it shows of each job."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests import demo
from tests.runner.checkout import ROOT

COMMAND = (sys.executable, "-m", "tests.demo")
EXPECTED = {
    "good": [
        "(exit code 0)",
        "outputs.registry_url",
        "registry_login  accepted",
        "registry_logout",
    ],
    "refused": ["Error: ", "(exit code 1)", "registry_login  accepted"],
    "cancelled": ["(exit code 130)", "registry_login  accepted", "registry_logout  accepted"],
    "key-not-allowed": ["Error: ", "(exit code 1)", "registry_login  rejected (403)"],
}


@pytest.mark.parametrize("job", EXPECTED)
def test_demo_shows_log_outcome_and_audit_trail(job: str) -> None:
    done = subprocess.run([*COMMAND, job], cwd=ROOT, capture_output=True, check=True, text=True)
    places = [done.stdout.find(text) for text in EXPECTED[job]]
    assert -1 not in places
    assert places == sorted(places)
    assert demo.API_KEY not in done.stdout
    assert "\x1b" not in done.stdout


def test_unknown_job_is_an_error_that_lists_the_jobs() -> None:
    done = subprocess.run([*COMMAND, "god"], cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 2
    assert "good, refused, cancelled" in done.stderr
