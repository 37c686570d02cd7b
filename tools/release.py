"""Checks of release.yml, before it publishes a version and before it moves the major tag.

    python tools/release.py notes vX.Y.Z     check the version in the files, print the notes
    python tools/release.py green NAME       check the check runs on stdin; NAME must be one
    python tools/release.py newest vX.Y.Z    check the releases on stdin: published, none newer

Stdin has one JSON object of GitHub's per line. OWN lists the check suites that do not count.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
# Conclusions of a check that passed, or that had nothing to do.
PASSED = {"success", "skipped", "neutral"}


class ReleaseError(Exception):
    """The version must not be released."""


def parse(tag: str) -> tuple[int, ...]:
    """Return the version of a tag, which must be of the form vX.Y.Z."""
    found = VERSION.fullmatch(tag)
    if not found:
        raise ReleaseError(f"{tag!r} is not of the form vX.Y.Z")
    return tuple(int(part) for part in found.groups())


def notes(tag: str, root: Path = ROOT) -> str:
    """Check that the files have the tag's version, and return its section of the changelog."""
    version = ".".join(map(str, parse(tag)))
    for name, line in (
        ("lib/version.py", f'__version__ = "{version}"'),
        ("pyproject.toml", f'version = "{version}"'),
    ):
        if line not in (root / name).read_text("utf-8").splitlines():
            raise ReleaseError(f"{name} does not have the line `{line}`")
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    heading = rf"## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d"
    section = re.search(rf"^{heading}\n(.*?)(?=^## |^\[|\Z)", changelog, re.DOTALL | re.MULTILINE)
    if not section or not section[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD` with text")
    return section[1].strip()


def green(runs: list[dict[str, Any]], required: str, own: list[str]) -> str:
    """Check that all check runs of a commit passed, and that the required one is among them."""
    counted = [run for run in runs if str(run["suite"]) not in own]
    failed = [run for run in counted if run["conclusion"] not in PASSED]
    if failed:
        names = sorted(f"{run['name']} ({run['conclusion'] or run['status']})" for run in failed)
        raise ReleaseError("not green: " + ", ".join(names))
    if not any(run["name"] == required and run["conclusion"] == "success" for run in counted):
        raise ReleaseError(f"the check {required!r} has not passed on this commit")
    return f"All {len(counted)} check runs passed."


def newest(releases: list[dict[str, Any]], tag: str) -> str:
    """Check that a tag's release is published for good and the newest of its major version."""
    version = parse(tag)
    final = [release for release in releases if not (release["draft"] or release["prerelease"])]
    published = {release["tag_name"]: release for release in final}
    if tag not in published:
        raise ReleaseError(f"{tag} has no published release")
    if not published[tag]["immutable"]:
        raise ReleaseError(f"the release {tag} is not immutable: turn that on in the settings")
    others = [parse(other) for other in filter(VERSION.fullmatch, published)]
    if any(version < other < (version[0] + 1,) for other in others):
        raise ReleaseError(f"a newer release than {tag} is published")
    return f"{tag} is the newest release of its major version."


def main(command: str, subject: str) -> int:
    """Run a command, and return the exit code."""
    try:
        if command == "notes":
            print(notes(subject))
        else:
            lines = [json.loads(line) for line in sys.stdin]
            own = os.environ.get("OWN", "").split()
            print(green(lines, subject, own) if command == "green" else newest(lines, subject))
    except ReleaseError as error:
        print(f"::error::{error}", file=sys.stderr)  # not stdout, which becomes the notes
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
