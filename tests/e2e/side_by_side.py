"""A job in a container: a cancellation reaches no process of main, and post starts beside it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.e2e.conftest import PASSTHROUGH, VAULT, check_cleanup, slow_login, states
from tests.fake_api import FakeApi
from tests.runner import ACT, GITHUB, Profile, Runner, StageResult
from tests.runner.runner import RunningStage

# How long the API takes to accept a login, and until the server is logged in.
DELAY_SECONDS, LOGIN_SECONDS = 0.3, 0.6
STEP = {"GITHUB_ACTION": "__reoclo_docker-auth"}


class Variant(NamedTuple):
    """Kind of job."""

    inputs: Mapping[str, str]
    recording: str
    profile: Profile = GITHUB
    steps: int = 1


VARIANTS = {
    "vault": Variant(VAULT, "slow-login"),
    "passthrough": Variant(PASSTHROUGH, "passthrough"),
    "composite": Variant(VAULT, "slow-login", steps=2),  # two steps that share GITHUB_ACTION
    "act": Variant(VAULT, "slow-login", ACT),  # main and post share their command files
}


class Overlap:
    """A step whose main is running, and keeps running when the runner gives it up."""

    def __init__(self, runner: Runner) -> None:
        folder = runner.temp / "_runner_file_commands"
        earlier = set(folder.glob("save_state*"))
        self._runner = runner
        self._main: RunningStage = runner.begin("main")
        [self._state_file] = set(folder.glob("save_state*")) - earlier

    def saved(self) -> str:
        """Return what main has saved so far."""
        return self._state_file.read_text("utf-8")

    def begin_post(self) -> RunningStage:
        """Start post with the state that the runner would read now."""
        for line in self.saved().splitlines()[::-1]:
            if states(line):
                self._runner.set({"STATE_login": line[line.index("{") :]})
                break
        return self._runner.begin("post")

    def wait(self) -> StageResult:
        """Wait until main has exited."""
        return self._main.wait()


def cancel_at(folder: Path, variant: str, moment: float) -> str:
    """Run a job, cancel its last step after so many seconds, and return what became of it.

    Raises:
        AssertionError: A login outlives the job, or post sent a logout without a login.
    """
    inputs, recording, profile, steps = VARIANTS[variant]
    played = slow_login(recording, delay=DELAY_SECONDS, seconds=LOGIN_SECONDS)
    composites = [{}] * (steps > 1)
    with FakeApi([played], endless=True) as api:
        given = {**inputs, "api_url": api.url}
        *earlier, last = [
            Runner(folder, given, profile=profile, environment=STEP, composites=composites)
            for _ in range(steps)
        ]
        assert all(step.main().exit_code == 0 for step in earlier)
        overlap = Overlap(last)
        time.sleep(moment)
        posts = [overlap.begin_post().wait(), *(step.post() for step in earlier)]
        main = overlap.wait()
    outcome = check_cleanup(api, posts, seconds=LOGIN_SECONDS)
    assert main.exit_code in {0, 130}
    assert main.log.annotations == []
    sent = sum("/login" in seen.path for seen in api.requests)
    return "not requested" if sent < steps and outcome == "logged out" else outcome
