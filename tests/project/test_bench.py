"""The benchmark: its tables, not its times."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_benchmark_prints_its_tables() -> None:
    """Bare starts, main and post, cold and warm, with requests, memory and imports."""
    bench = subprocess.run(
        [sys.executable, "-B", "-m", "tools.bench", "--rounds=1", "--logins=0,3"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )

    lines = [line for line in bench.stdout.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    named = {row[0]: row for row in rows}
    assert {len(row) for row in rows} == {10, 3}
    assert named["main over a login of 0 s"][1] == "2"
    assert int(named["main over a login of 3 s"][1].split()[-1]) > 2
    assert named["post that logs out"][1] == "2"
    assert named["post with nothing to do"][1] == "0"
    assert named.keys() >= {"bare Node", "bare Python", "Python that imports requests"}
    assert named["requests"][0] == "requests"
    assert "MiB, Python" in bench.stdout
    assert "?" not in bench.stdout
