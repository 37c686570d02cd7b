"""The check in lib/__init__.py: which interpreters it rejects, and how."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib import TOO_OLD, UNUSABLE
from tests.conftest import Play
from tests.e2e.conftest import MakeRunner, run_job
from tests.runner.checkout import ROOT

FLAGS = ("-B", "-s", "-S", "-u", "-Wignore")


def installed(*patterns: str) -> list[Path]:
    """Return the interpreters that pyenv has, by the patterns of their versions."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return sorted(path for name in patterns for path in versions.glob(f"{name}/bin/python"))


def check_rejected(python: Path, *arguments: str, code: int) -> None:
    """Check that the launcher gets a code, and a person one line."""

    def run(**environment: str) -> tuple[int, str, int]:
        command = [str(python), *FLAGS, *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout, done.stderr.count("\n")

    assert run(DOCKER_AUTH_EXIT_CODES="1") == (code, "", 0)
    assert run() == (1, "", 1)


@pytest.mark.parametrize("python", installed("2.7.*", "3.[0-9].*"), ids=lambda path: path.parts[-3])
def test_old_python_is_rejected(python: Path) -> None:
    for script in ("main.py", "post.py", "logout/main.py"):
        check_rejected(python, str(ROOT / script), code=TOO_OLD)


def test_old_pythons_exist_in_ci() -> None:
    assert installed("2.7.*", "3.[0-9].*") or os.environ.get("CI") != "true"


def test_python_without_ssl_is_unusable() -> None:
    hide = f"import sys; sys.modules['_ssl'] = None; sys.path.insert(0, {str(ROOT)!r}); import lib"
    check_rejected(Path(sys.executable), "-c", hide, code=UNUSABLE)


@pytest.mark.parametrize(
    "python",
    installed("3.1[0-9].*") or [Path(sys.executable)],
    ids=lambda path: path.parts[-3],
)
def test_supported_python_logs_in_and_out(
    fake_api: Play, make_runner: MakeRunner, python: Path
) -> None:
    """The launcher starts it from pythonLocation."""
    location = {"pythonLocation": str(python.parents[1])}
    run_job(make_runner(fake_api("ghcr"), environment=location))
