"""A checkout of this repository, as a runner would make one."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def check_out(target: Path, *paths: str) -> None:
    """Copy the files that git tracks, or would, so that nothing else can help.

    Args:
        target: The folder to copy them to.
        paths: Which files and folders; all if none is named.
    """
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *paths],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    for name in listing.stdout.splitlines():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target / name)
