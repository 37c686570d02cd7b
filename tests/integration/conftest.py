"""What the integration tests share: a job with the action as its step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.integration.job import Job

MakeJob = Callable[..., Job]


@pytest.fixture
def make_job(tmp_path: Path, restored_signals: None) -> MakeJob:
    """Make a job for an API's address."""
    del restored_signals  # it is there for what it does at the end
    return lambda api_url, **variables: Job(tmp_path, api_url, **variables)
