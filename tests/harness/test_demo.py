"""The demo: what it shows of each job, and in which colours."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

from tests import demo
from tests.runner.checkout import ROOT

COMMAND = (sys.executable, "-m", "tests.demo")
TIMEOUT_SECONDS = 60


def show(*jobs: str) -> str:
    """Run the demo in a pipe, to its good end."""
    return subprocess.run(
        [*COMMAND, *jobs],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_SECONDS,
    ).stdout


def show_on_terminal(**variables: str) -> str:
    """Run the demo of a refused login on a terminal, to its good end."""
    ours, its = pty.openpty()
    environment = {**os.environ, "NO_COLOR": "", **variables}
    process = subprocess.Popen(
        [*COMMAND, "refused"], cwd=ROOT, env=environment, stdout=its, stdin=its
    )
    os.close(its)
    with open(ours, "rb", buffering=0) as terminal:  # noqa: PTH123 it has no path
        output = b"".join(iter(lambda: _read(terminal.fileno()), b""))
    assert process.wait(TIMEOUT_SECONDS) == 0
    return output.decode()


def _read(terminal: int) -> bytes:
    """Read on; Linux reports the end of a terminal as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""


EXPECTED = {
    "good": [
        "Logged in to ghcr.io on server build-1",
        "(exit code 0)",
        "steps.login.outputs.registry_url",
        "Logged out of ghcr.io",
        "registry_login  accepted",
        "octocat, with key rca_…",
        "registry_logout  accepted",
    ],
    "refused": [
        "Error: The login to ghcr.io on server build-1 failed",
        "in the credential in Reoclo. (Operation",
        "(exit code 1)",
        "Nothing to log out",
        "registry_login  accepted",
    ],
    "cancelled": [
        "Registry ghcr.io (ghcr), operation",
        "(exit code 130)",
        "Logged out of ghcr.io",
        "registry_login  accepted",
        "registry_logout  accepted",
    ],
}


@pytest.mark.parametrize("job", EXPECTED)
def test_each_job_is_shown_as_users_and_auditors_see_it(job: str) -> None:
    """The log, the outcome, the cleanup and the trail are shown in this order, without the key."""
    shown = show(job)

    places = [shown.find(said) for said in EXPECTED[job]]
    assert -1 not in places
    assert places == sorted(places)
    assert demo.API_KEY not in shown


def test_what_does_not_go_as_it_should_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exit code tells of a job that went wrong, so that nobody is shown a broken product."""
    monkeypatch.setattr(demo, "JOBS", {"good": lambda: True, "broken": lambda: False})
    monkeypatch.setattr(sys, "argv", ["demo"])

    assert demo.main() == 1


def test_a_job_that_there_is_not_is_told() -> None:
    """Who mistypes a name is told the names that there are."""
    done = subprocess.run([*COMMAND, "god"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "good, refused, cancelled" in done.stderr.splitlines()[-1]


def test_all_jobs_are_shown_unless_some_are_named() -> None:
    """`make demo` shows each of them, in plain text where nobody watches."""
    shown = show()

    assert [name for name, told in EXPECTED.items() if told[0] not in shown] == []
    assert "\x1b" not in shown


def test_errors_are_red_on_a_terminal() -> None:
    """Titles and errors stand out where somebody watches, and every colour ends."""
    shown = show_on_terminal()

    assert "\x1b[31mError: The login to ghcr.io" in shown
    assert "\x1b[1m=== A login that the registry refuses" in shown
    assert shown.count("\x1b[0m") * 2 == shown.count("\x1b[")


def test_nothing_is_coloured_for_who_wants_no_colours() -> None:
    """NO_COLOR is respected, as no-color.org has it."""
    assert "\x1b" not in show_on_terminal(NO_COLOR="1")
