"""Support for the end-to-end tests: a step with the action, and what a runner and a user see."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.fake_api import FakeApi
from tests.fake_api.recording import RECORDINGS, Recording, parse
from tests.runner import GITHUB, PROFILES, Profile, Runner, StageResult

API_KEY = "rca_Zm9vYmFy0123456789"
SERVER_ID = "11111111-2222-4333-8444-555555555555"
CREDENTIAL_ID = "66666666-7777-4888-9999-000000000000"
VAULT = {"api_key": API_KEY, "server_id": SERVER_ID, "credential_id": CREDENTIAL_ID}
TOKEN = "ghp_0123456789abcdef"
PASSTHROUGH = {
    "api_key": API_KEY,
    "server_id": SERVER_ID,
    "username": "octocat",
    "access_token": TOKEN,
    "registry_url": "ghcr.io",
}
SHIPPED = ("action.yml", "main.py", "post.py", "lib", "logout")
LOGIN_AND_LOGOUT = ["login", "poll", "logout", "poll"]
# A wrapper around the real Python, for the fixture `python`.
REAL = f'{sys.executable} "$@"'

MakeRunner = Callable[..., Runner]
Wrap = Callable[[str], dict[str, str]]

on_github = pytest.mark.parametrize("profile", [GITHUB], ids=str)
on_each_runner = pytest.mark.parametrize("profile", PROFILES, ids=str)


@pytest.fixture
def profile() -> Profile:
    """Return GitHub's runner, unless the test is parametrized with others."""
    return GITHUB


@pytest.fixture
def make_runner(tmp_path: Path, profile: Profile) -> MakeRunner:
    """Return a function that creates a step with valid inputs, for a fake API."""

    def make(api: FakeApi | None = None, **options: Any) -> Runner:
        own = ("environment", "composites", "action")
        parameters = {name: options.pop(name) for name in own if name in options}
        url = {"api_url": api.url} if api else {}
        return Runner(tmp_path, {**VAULT, **url, **options}, profile=profile, **parameters)

    return make


@pytest.fixture
def python(tmp_path: Path) -> Wrap:
    """Return a function that writes a python3, and returns the variables that select it."""

    def write(script: str) -> dict[str, str]:
        program = tmp_path / "python" / "bin" / "python3"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        program.chmod(0o755)
        return {"pythonLocation": str(tmp_path / "python")}

    return write


def wait_for(condition: Callable[[], object]) -> None:
    """Wait for an event in another process."""
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("the event did not occur within 30 s")


def states(text: str) -> list[dict[str, Any]]:
    """Return the states in the content of a command file or a state file, in order."""
    return [json.loads(line[line.index("{") :]) for line in text.splitlines() if "{" in line]


def stages(text: str) -> list[str]:
    """Return the stages of these states."""
    return [state["stage"] for state in states(text)]


def processes(runner: Runner) -> dict[int, str]:
    """Return the command lines of a job's processes by process id, detached ones too."""
    mark = f"RUNNER_TEMP={runner.temp}".encode()
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # the process has exited
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found[int(folder.name)] = (folder / "cmdline").read_text("utf-8", "replace")
    return found


def find_process(runner: Runner, script: str) -> int:
    """Wait for the process that runs a script, and return its id."""

    def find() -> list[int]:
        return [pid for pid, line in processes(runner).items() if line.endswith(f"{script}\0")]

    wait_for(find)
    return find()[0]


def slow_login(name: str = "slow-login", *, delay: float, seconds: float) -> Recording:
    """Return a login that is accepted after a delay and ends later, and that may end anywhere.

    Args:
        name: Recording to start from.
        delay: Seconds until the API responds to the login request.
        seconds: Seconds from the login request until the server is logged in.
    """
    data = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    login, poll, *_ = data["exchanges"]
    login["responses"][0]["delay"] = delay
    [*_, done] = poll["responses"]
    running = {**done["body"], "status": "running"}
    for field in ("result", "completed_at"):
        running.pop(field)
    poll["responses"] = [{**done, "body": running, "lasts": {"seconds": seconds}}, done]
    for exchange in data["exchanges"]:
        exchange["times"] = {**exchange.get("times", {"most": 1}), "least": 0}
    return parse(name, data)


def check_cleanup(api: FakeApi, posts: Sequence[StageResult], *, seconds: float) -> str:
    """Check what must hold however main ended, and return what became of the login.

    Args:
        api: Played `slow_login`, to as many logins as there were.
        posts: Each post step of the job.
        seconds: As for `slow_login`.
    """
    sent = [seen for seen in api.requests if seen.method == "POST"]
    logins = [seen.at for seen in sent if "/login" in seen.path]
    logouts = [seen.at for seen in sent if seen.path.endswith("/logout")]
    annotations = [entry for post in posts for entry in post.log.annotations]
    assert all(post.exit_code == 0 for post in posts)
    assert "Traceback" not in "".join(post.output for post in posts)
    assert len(annotations) <= len(posts)
    if not logins:
        assert (logouts, annotations) == ([], []), "a login that was not requested"
        return "not requested"
    if annotations:
        assert {level for level, _ in annotations} == {"warning"}
        assert len(logouts) + len(annotations) >= len(logins), "silent login"
        return "warned"
    assert len(logouts) >= len(logins), "silent login"
    assert logouts[-1] >= max(logins) + seconds, "logout before the login ended"
    return "logged out"


def node_in_front(folder: Path, script: str) -> dict[str, str]:
    """Return a PATH on which `node` is a shell script; "$NODE" "$@" runs the real one."""
    program = folder / "node-in-front" / "node"
    program.parent.mkdir()
    path = os.environ["PATH"]
    real = f'NODE=$(PATH="{path}" command -v node)'
    program.write_text(f"#!/bin/sh\n{real}\n{script}\n", "utf-8")
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{path}"}
