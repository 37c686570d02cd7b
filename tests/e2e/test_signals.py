"""Signals, and processes that are killed: main exits soon, and post logs out or warns."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import CANCELED, REAL, MakeRunner, Program, first_on_path, wait_for
from tests.e2e.jobs import check_cleanup, processes, slow_login, stages
from tests.fake_api import FakeApi, load
from tests.runner import ACT, FORGEJO, GITEA, Runner
from tests.runner.runner import RunningStage

# Seconds from the login request until the server is logged in.
SECONDS = 2.5
DELAYS = pytest.mark.parametrize("delay", [2, 0], ids=["request in flight", "polling"])


def begin(runner: Runner, until: Callable[[], object]) -> RunningStage:
    """Start main, and wait for an event."""
    running = runner.begin("main")
    wait_for(until)
    return running


@pytest.mark.parametrize("signals", ["INT", "INT TERM"])
@pytest.mark.parametrize("script", [f"exec {REAL}", f"{REAL}; exit $?"], ids=["exec", "wrapper"])
def test_main_canceled_while_polling_exits(
    make_runner: MakeRunner, program: Program, signals: str, script: str
) -> None:
    """A wrapper that does not exec dies. Python then finds that the launcher is gone."""
    with FakeApi([slow_login(delay=0, seconds=SECONDS)]) as api:
        environment = first_on_path(program(script))
        runner = make_runner(api, environment=environment, timeout="3600")
        running = begin(runner, lambda: len(api.requests) > 1)
        for name in signals.split():
            running.signal(signal.Signals[f"SIG{name}"])
        main, post = running.wait(), runner.post()
    # SIGTERM can meet a Node that is exiting. Runners ignore the code after a cancellation.
    assert main.exit_code in {CANCELED, -signal.SIGTERM}
    assert main.log.annotations == []
    assert stages(main.state_text) == ["none", "requested", "accepted"]
    assert check_cleanup(api, [post], seconds=SECONDS) == "logged out"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("responds", [True, False])
def test_login_request_in_flight_has_a_grace_period(
    make_runner: MakeRunner, number: signal.Signals, *, responds: bool
) -> None:
    """Also if Node is killed alone: otherwise Python would wait for an hour."""
    recording = slow_login(delay=2, seconds=SECONDS) if responds else load("lost-answer")
    with FakeApi([recording], endless=True) as api:
        runner = make_runner(api, timeout="3600")
        running = begin(runner, lambda: api.requests)
        running.signal(number)
        running.wait_for_orphans()
        main, post = running.wait(), runner.post()
    assert main.exit_code == (CANCELED if number == signal.SIGINT else -number)
    assert main.log.annotations == []
    assert stages(main.state_text) == ["none", "requested", "accepted"][: 3 if responds else 2]
    outcome = "logged out" if responds else "warned"
    assert check_cleanup(api, [post], seconds=SECONDS) == outcome


@pytest.mark.parametrize("script", ["exec /bin/sleep 60", f"exec {REAL}"], ids=["node", "main.py"])
def test_main_canceled_before_the_request_sends_none(
    make_runner: MakeRunner, program: Program, tmp_path: Path, script: str
) -> None:
    """Neither before Python starts nor while it imports its modules."""
    ready = tmp_path / "ready"
    with FakeApi([]) as api:
        environment = first_on_path(program(f": > {ready}; {script}"))
        runner = make_runner(api, environment=environment)
        main = begin(runner, ready.exists).end()
        runner.set({"PATH": os.environ["PATH"]})
        post = runner.post()
    assert main.exit_code == CANCELED
    assert stages(main.state_text) == ["none"]
    assert (post.exit_code, post.log.annotations, api.requests) == (0, [], [])


@pytest.mark.parametrize("profile", [ACT, GITEA, FORGEJO], ids=str)
@DELAYS
def test_login_of_a_killed_step_is_cleaned_up(make_runner: MakeRunner, delay: int) -> None:
    """These runners kill Node or its group, and close the terminal."""
    with FakeApi([slow_login(delay=delay, seconds=SECONDS)]) as api:
        runner = make_runner(api)
        running = begin(runner, lambda: len(api.requests) >= (1 if delay else 2))
        main = running.end()
        running.wait_for_orphans()
        post = runner.post()
    assert main.exit_code == -signal.SIGKILL
    assert stages(main.state_text)[1:] == ["requested", "accepted"][: 1 if delay else 2]
    assert check_cleanup(api, [post], seconds=SECONDS) == ("warned" if delay else "logged out")


@DELAYS
def test_killed_python_is_one_error_and_cleaned_up(make_runner: MakeRunner, delay: int) -> None:
    """Once it has saved a state, no other Python starts."""
    with FakeApi([slow_login(delay=delay, seconds=SECONDS)], endless=True) as api:
        runner = make_runner(api)
        running = begin(runner, lambda: len(api.requests) >= (1 if delay else 2))
        [pid] = [pid for pid, line in processes(runner).items() if "main.py" in line]
        os.kill(pid, signal.SIGKILL)
        main, post = running.wait(), runner.post()
    assert (main.exit_code, [level for level, _ in main.log.annotations]) == (1, ["error"])
    assert sum(seen.path.endswith("/login") for seen in api.requests) == 1
    assert check_cleanup(api, [post], seconds=SECONDS) == ("warned" if delay else "logged out")
