"""What release.yml asks before it publishes a version, and before it moves the major tag.

    python tools/release.py notes vX.Y.Z     check the files for that version, print its notes
    python tools/release.py green NAME       check the check runs on stdin; NAME must be one
    python tools/release.py newest vX.Y.Z    check the releases on stdin: it is out, none is newer

The check runs and the releases are GitHub's, one JSON object a line. A check run whose suite is
named in OWN, in the environment, does not count.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)", re.ASCII)
# Skipped and neutral is what a check is that had nothing to do.
GREEN = {"success", "skipped", "neutral"}

Version = tuple[int, ...]


class ReleaseError(Exception):
    """This may not be released."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        0 if it may go on, else 1.
    """
    options = _options(arguments)
    try:
        print(_answer(options.question, options.about))
    except ReleaseError as error:
        # As a workflow command for the run's page; notes go to a file, so not on stdout.
        print(f"::error::{error}", file=sys.stderr)
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("question", choices=["notes", "green", "newest"])
    parser.add_argument("about", help="the tag; for green: the check that must be there")
    return parser.parse_args(arguments)


def _answer(question: str, about: str) -> str:
    if question == "notes":
        return notes(ROOT, about)
    given = [json.loads(line) for line in sys.stdin]
    if question == "green":
        return green(given, about, os.environ.get("OWN", "").split())
    return newest(given, about)


def parse(tag: str) -> Version:
    """Read a tag, strictly: vX.Y.Z and nothing else.

    Raises:
        ReleaseError: it is something else.
    """
    found = VERSION.fullmatch(tag)
    if not found:
        raise ReleaseError(f"{tag!r} is not of the form vX.Y.Z")
    return tuple(int(part) for part in found.groups())


def notes(root: Path, tag: str) -> str:
    """Check that the files are of the tag's version, and give what the changelog says about it.

    Raises:
        ReleaseError: a file is of another version, or the changelog has no section for it.
    """
    parse(tag)
    version = tag[1:]
    _expect(root / "pyproject.toml", f'version = "{version}"')
    _expect(root / "lib" / "transport.py", f'USER_AGENT = "reoclo-docker-auth/{version}"')
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    heading = rf"## \[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d"
    section = re.search(rf"^{heading}\n(.*?)(?=^## |^\[|\Z)", changelog, re.DOTALL | re.MULTILINE)
    if not section or not section[1].strip():
        raise ReleaseError(f"CHANGELOG.md has no section `## [{version}] - YYYY-MM-DD` with text")
    return section[1].strip()


def _expect(path: Path, line: str) -> None:
    if line not in path.read_text("utf-8").splitlines():
        raise ReleaseError(f"{path.name} does not have the line `{line}`")


def green(runs: Iterable[dict[str, Any]], required: str, own: Iterable[str] = ()) -> str:
    """Check that all check runs of a commit have ended well.

    Args:
        runs: Each with its name, status, conclusion and suite.
        required: The name of one that must be there, and be a success.
        own: The suites that do not count.

    Raises:
        ReleaseError: one has not ended, or not well, or the required one is missing.
    """
    counted = [run for run in runs if str(run["suite"]) not in set(own)]
    red = [
        f"{run['name']} ({run['conclusion'] or run['status']})"
        for run in counted
        if not _is_green(run)
    ]
    if red:
        raise ReleaseError("not green: " + ", ".join(sorted(red)))
    if not any(run["name"] == required and run["conclusion"] == "success" for run in counted):
        raise ReleaseError(f"the check {required!r} has not run on this commit")
    return f"All of {len(counted)} check runs are green."


def _is_green(run: dict[str, Any]) -> bool:
    return run["status"] == "completed" and run["conclusion"] in GREEN


def newest(releases: Iterable[dict[str, Any]], tag: str) -> str:
    """Check that a tag's release is out for good, and that none of its major version is newer.

    Raises:
        ReleaseError: there is none, it is a draft, a prerelease or not immutable, or one is newer.
    """
    version = parse(tag)
    out = [release for release in releases if not release["draft"] and not release["prerelease"]]
    mine = [release for release in out if release["tag_name"] == tag]
    if not mine:
        raise ReleaseError(f"{tag} has no release that is published and no prerelease")
    if not mine[0]["immutable"]:
        raise ReleaseError(f"the release {tag} is not immutable: switch that on in the settings")
    tags = [release["tag_name"] for release in out if VERSION.fullmatch(release["tag_name"])]
    newer = [other for other in tags if parse(other)[0] == version[0] and parse(other) > version]
    if newer:
        raise ReleaseError(f"{max(newer, key=parse)} is newer than {tag}")
    return f"{tag} is the newest release of its major version."


if __name__ == "__main__":
    sys.exit(main())
