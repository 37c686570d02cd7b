"""What importing the package does before all else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import lib

ROOT = Path(lib.__file__).resolve().parents[1]


def run(program: str) -> list[str]:
    """Run a program in a Python of its own, and give the words it prints."""
    ended = subprocess.run(
        [sys.executable, "-B", "-c", program], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return ended.stdout.split()


def test_the_vendored_libraries_come_first() -> None:
    """No library of the job's Python replaces one of ours."""
    names = ("requests", "urllib3", "certifi", "idna", "backoff", "actions_toolkit")
    program = f"import lib, {', '.join(names)}\nfor name in {names}: print(eval(name).__file__)"

    assert run(program) == [str(ROOT / "lib" / "_vendor" / name / "__init__.py") for name in names]


def test_a_post_with_nothing_to_do_does_not_load_requests() -> None:
    """What takes long to import is imported where it is needed."""
    program = "import sys, lib.entry; print('requests' in sys.modules, 'backoff' in sys.modules)"

    assert run(program) == ["False", "False"]
