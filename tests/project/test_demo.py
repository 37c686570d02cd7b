"""The demo shows log, outputs and audit trail of each job."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.demo import INPUTS
from tests.runner.checkout import ROOT

EXPECTED = {
    "good": ["(exit code 0)", "outputs.registry_url", "registry_login  accepted"],
    "refused": ["Error: ", "(exit code 1)", "registry_login  accepted"],
    "cancelled": ["(exit code 130)", "registry_login  accepted", "registry_logout  accepted"],
}


@pytest.mark.parametrize("job", EXPECTED)
def test_demo_shows_what_users_and_auditors_see(job: str) -> None:
    command = [sys.executable, "-m", "tests.demo", job]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    places = [done.stdout.find(text) for text in EXPECTED[job]]
    assert -1 not in places
    assert places == sorted(places)
    assert INPUTS["api_key"] not in done.stdout
    assert "\x1b" not in done.stdout
