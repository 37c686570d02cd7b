"""Tests of what importing the package does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lib
from lib.version import __version__

ROOT = Path(lib.__file__).resolve().parents[1]


def run(program: str) -> list[str]:
    """Run a program in a Python of its own, and return the words that it prints."""
    command = [sys.executable, "-B", "-c", program]
    return subprocess.check_output(command, cwd=ROOT, text=True).split()


def test_vendored_libraries_come_first() -> None:
    names = ("requests", "urllib3", "certifi", "idna", "backoff", "actions_toolkit", "truststore")
    program = f"import lib, {', '.join(names)}\nfor name in {names}: print(eval(name).__file__)"
    assert run(program) == [str(ROOT / "lib" / "_vendor" / name / "__init__.py") for name in names]


def test_slow_libraries_are_not_imported_at_start() -> None:
    names = ("requests", "backoff", "truststore", "asyncio", "traceback", "lib.inputs")
    program = f"import sys, lib.entry; print(*(name in sys.modules for name in {names}))"
    assert run(program) == ["False"] * len(names)


def test_exit_codes_are_those_of_the_launcher() -> None:
    codes = (lib.SUCCEEDED, lib.FAILED, lib.CANCELED, lib.TOO_OLD, lib.UNUSABLE)
    assert codes == (193, 194, 195, 196, 197)


def test_version_has_three_numbers() -> None:
    assert all(part.isdecimal() for part in __version__.split("."))
    assert __version__.count(".") == 2
