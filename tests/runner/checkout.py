"""Checkout of this repository, as a runner would make one."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check_out(target: Path, *paths: str) -> None:
    """Copy the files that git tracks or would track, below some paths or all, to a folder."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True)
    for name in listing.stdout.splitlines():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes((ROOT / name).read_bytes())
