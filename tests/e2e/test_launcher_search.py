"""What the launcher looks at before it starts the first Python: PATH, and nothing beyond it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.runner.checkout import ROOT

# A file system in which all files exist, and which remembers what it was asked.
ASK = """
const { candidates } = require(process.argv[1]);
const asked = [];
const note = (name, answer) => (file) => (asked.push(`${name} ${file}`), answer);
const files = { existsSync: note("exists", true), readdirSync: note("list", []) };
const [first] = candidates(JSON.parse(process.argv[2]), "linux", files).next().value;
console.log(JSON.stringify([first, asked]));
"""
TOOL_CACHE = {"RUNNER_TOOL_CACHE": "/cache"}


def search(environment: dict[str, str]) -> tuple[str, list[str]]:
    """Give the first candidate, and what was looked at to find it."""
    launcher = str(ROOT / "lib" / "launcher" / "launch.cjs")
    done = subprocess.run(
        [shutil.which("node") or "node", "-e", ASK, launcher, json.dumps(environment)],
        capture_output=True,
        check=True,
        text=True,
    )
    first, asked = json.loads(done.stdout)
    return first, asked


@pytest.mark.parametrize("more", [{}, TOOL_CACHE], ids=str)
def test_no_folder_is_listed_where_path_has_a_python3(more: dict[str, str]) -> None:
    """One question for each folder of PATH; the tool cache is not touched."""
    first, asked = search({"PATH": "/one:/two", **more})

    assert first == "/one/python3"
    assert asked == ["exists /one/python3", "exists /two/python3"]


def test_only_python_location_is_looked_at_where_it_is_set() -> None:
    """What actions/setup-python set up costs one question."""
    first, asked = search({"PATH": "/one:/two", "pythonLocation": "/setup", **TOOL_CACHE})

    assert first == "/setup/bin/python3"
    assert asked == ["exists /setup/bin/python3"]
