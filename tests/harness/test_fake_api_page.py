"""The page about the fake API: each command of it does what the page says."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.fake_api import recording
from tests.runner.checkout import ROOT

PAGE = (ROOT / "fixtures" / "FAKE-API.md").read_text("utf-8")
START, CURL, ACT = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
SETUP, LIST, SERVE = START.splitlines()
[PYTHON] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
WITHOUT_COLOURS = {**os.environ, "NO_COLOR": "1"}


def words(command: str, **replaced: str) -> list[str]:
    """Split a command of the page, with other words in the place of some."""
    return [replaced.get(word, word) for word in shlex.split(command)]


def started(command: str, **replaced: str) -> subprocess.Popen[str]:
    """Start a command of the page with the Python that runs the tests."""
    python, *arguments = words(command, **replaced)
    assert python == ".venv/bin/python"
    return subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    """Serve as the page says, on a free port."""
    process = started(SERVE, **{"8080": "0"})
    yield process
    process.kill()
    process.communicate()


def test_the_set_up_is_a_target_of_make() -> None:
    """Make knows how to set up what the other commands need."""
    subprocess.run([*words(SETUP), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_the_list_has_each_scenario_with_its_title() -> None:
    """The command that lists the scenarios does so."""
    output, _ = started(LIST).communicate(timeout=20)

    lines = output.splitlines()
    assert [line.split()[0] for line in lines] == recording.names()
    assert [line for line in lines if recording.load(line.split()[0]).title not in line] == []


def test_curl_logs_in_and_out_and_the_trail_tells_as_it_goes(
    server: subprocess.Popen[str],
) -> None:
    """Each curl command is answered as the page means it, and each entry is told when it comes."""
    assert server.stdout
    url = server.stdout.readline().split()[-1]
    script = CURL.replace("http://127.0.0.1:8080", url)
    asked = subprocess.run(
        ["bash", "-euc", script], capture_output=True, check=True, text=True, timeout=60
    )

    login, poll, logout = asked.stdout.splitlines()
    assert '"registry_url": "ghcr.io"' in login
    assert '"status": "completed"' in poll
    assert '"operation_id"' in logout
    live = [server.stdout.readline() for _ in range(5)]
    assert [line.split()[2] for line in live if "audit:" in line] == [
        "registry_login",
        "registry_logout",
    ]
    server.send_signal(signal.SIGINT)
    assert "Audit trail:\n1. " in server.communicate(timeout=20)[0]


def test_the_table_has_each_option() -> None:
    """No option of the command line is missing from the page, and none of the page's is gone."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.fake_api", "--help"],
        cwd=ROOT,
        env=WITHOUT_COLOURS,
        capture_output=True,
        check=True,
        text=True,
    ).stdout

    options = set(re.findall(r"^  (?:-h, )?(--\w+)", told, re.MULTILINE))
    assert options == set(re.findall(r"^\| `(--\w+)`", PAGE, re.MULTILINE))


def test_each_scenario_of_the_page_is_there() -> None:
    """No scenario is named that cannot be chosen."""
    table = PAGE.partition("Some scenarios")[2].partition("## ")[0]
    first_cells = " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))

    named = re.findall(r"`([\w-]+)`", first_cells)
    assert len(named) > 10
    assert [name for name in named if name not in recording.names()] == []


def test_the_example_for_tests_checks_what_was_asked() -> None:
    """The example in Python runs, and its last line raises where nothing was asked."""
    done = subprocess.run(
        [sys.executable, "-c", PYTHON], cwd=ROOT, capture_output=True, check=False, text=True
    )

    assert done.stdout.startswith("http://127.0.0.1:")
    assert "AssertionError: missing: a login for ghcr" in done.stderr
