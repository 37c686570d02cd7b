"""Fixtures of the tests under act."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.act.act import Act


@pytest.fixture
def act(tmp_path: Path) -> Act:
    """Return an Act. Without act on PATH the test is skipped, in CI it fails."""
    program = shutil.which("act")
    if program is None:
        missing = "act is not on PATH: go install github.com/nektos/act@v0.2.89"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return Act(program, tmp_path)
