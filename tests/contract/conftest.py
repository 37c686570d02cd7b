"""What the tests of documents and examples share: actionlint, in a repository with our actions."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

Lint = Callable[[str], str]


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    """Give a function that tells what actionlint finds in a workflow; nothing is good.

    Our own actions are in the workflow's repository, so that actionlint holds each use of them
    against their inputs and outputs.
    """
    program = _actionlint()
    workflow = _repository_with_our_actions(tmp_path) / ".github" / "workflows" / "test.yml"
    workflow.parent.mkdir(parents=True)
    shellcheck = Path(sys.prefix) / "bin" / "shellcheck"

    def check(text: str) -> str:
        workflow.write_text(_with_local_actions(text), "utf-8")
        done = subprocess.run(
            [program, "-no-color", "-shellcheck", shellcheck, "-pyflakes=", workflow],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr

    return check


def _actionlint() -> Path:
    """Find what `make check` builds; where it says so itself, it must be there."""
    told = os.environ.get("ACTIONLINT")
    program = ROOT / (told or "build/tools/bin/actionlint")
    if told is None and not program.is_file():
        pytest.skip("actionlint is not built; make check does that, and runs this test")
    return program


def _repository_with_our_actions(folder: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    for name in ("action.yml", "lib/launcher", "logout", ".github/actions"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copyfile
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, folder / name)
    return folder


def _with_local_actions(workflow: str) -> str:
    logout = workflow.replace("uses: reoclo/docker-auth/logout@v1", "uses: ./logout")
    return logout.replace("uses: reoclo/docker-auth@v1", "uses: ./")
