"""Fixtures of the end-to-end tests: a step with the action, and programs for it to find."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fake_api import FakeApi
from tests.runner import GITHUB, Profile, Runner, StageResult

API_KEY = "rca_Zm9vYmFy0123456789"
SERVER_ID = "11111111-2222-4333-8444-555555555555"
CREDENTIAL_ID = "66666666-7777-4888-9999-000000000000"
VAULT = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
SHIPPED = ("action.yml", "main.py", "post.py", "lib", "logout")
CANCELED = 130
# In a script called python3, starts the real one.
REAL = f'{sys.executable} "$@"'

MakeRunner = Callable[..., Runner]
Program = Callable[..., Path]


@pytest.fixture
def profile() -> Profile:
    """Return GitHub's runner, unless the test is parametrized with others."""
    return GITHUB


@pytest.fixture
def make_runner(tmp_path: Path, profile: Profile) -> MakeRunner:
    """Return a function that creates a step with valid inputs, and takes Runner's options."""

    def make(api: FakeApi, *, timeout: str = "300", **options: Any) -> Runner:
        inputs = {**VAULT, "api_url": api.url, "timeout": timeout}
        return Runner(tmp_path, inputs, profile=profile, **options)

    return make


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Return a function that writes a program into a new folder and returns the folder."""

    def write(content: str | bytes, name: str = "python3") -> Path:
        path = tmp_path / f"path-{len(list(tmp_path.iterdir()))}" / name
        path.parent.mkdir()
        script = f"#!/bin/sh\n{content}\n".encode() if isinstance(content, str) else content
        path.write_bytes(script)
        path.chmod(0o755)
        return path.parent

    return write


def first_on_path(folder: Path) -> dict[str, str]:
    """Return the variable by which the programs of a folder are found first."""
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def run_job(runner: Runner) -> tuple[StageResult, StageResult]:
    """Run main and post, and check that both succeed without an annotation."""
    main, post = runner.main(), runner.post()
    assert (main.exit_code, post.exit_code) == (0, 0), main.output + post.output
    assert main.log.annotations == post.log.annotations == []
    return main, post


def wait_for(condition: Callable[[], object]) -> None:
    """Wait for an event in another process."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the event did not occur within 30 s")
