"""The commands that print measurements run and print them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows(*command: str) -> list[list[str]]:
    """Run a module of tools/, and return the cells of the table that it prints."""
    program = [sys.executable, "-B", "-m", *command]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, check=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[1:]]


def test_matrix_of_256_jobs_on_one_key_succeeds() -> None:
    [[jobs, _, seconds, throttled, *failed]] = rows("tools.load")
    assert jobs == "256"
    assert int(seconds) < 120
    assert int(throttled) > 0
    assert failed == ["0", "0"]


def test_bench_measures_each_run() -> None:
    measured = {row[0]: row[1] for row in rows("tools.bench", "--rounds=1", "--logins=0,1")}
    assert measured["main, after a login of 0 s"] == "4"
    assert 4 < int(measured["main, after a login of 1 s"].split()[-1]) < 9
    assert "post itself, cleanup: false" in measured
