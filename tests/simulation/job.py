"""Simulated job: the real main and post of lib.entry, one after the other or side by side."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path

from lib import entry
from lib.cancellation import Cancellation
from lib.entry import Step, System
from lib.inputs import DEFAULT_API_URL
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles
from tests.scheduler import Scheduler
from tests.simulation.api import Attempt, Fault, Network, Operation
from tests.variables import KEY, LOGIN_ID, PASSTHROUGH, VARIABLES

TIMEOUT_SECONDS = 20
MOST_POINTS = 3  # a choice point that is passed more often offers nothing anymore
STAGES = ("", *(stage.value for stage in Stage))
_NONE = LoginState(stage=Stage.NONE, id=LOGIN_ID, step=VARIABLES["GITHUB_ACTION"])
_STEP = {
    **VARIABLES,
    "INPUT_TIMEOUT": str(TIMEOUT_SECONDS),
    "GITHUB_STATE": "/simulated/GITHUB_STATE",
    "GITHUB_OUTPUT": "/simulated/GITHUB_OUTPUT",
}
JOBS: Mapping[str, Mapping[str, str]] = {
    "vault": {},
    "passthrough": PASSTHROUGH,
    "vault, composite": {"GITHUB_ACTION_PATH": "/composite", "RUNNER_DEBUG": "1"},
    "passthrough, no process table": PASSTHROUGH,
}
Pick = Callable[[str, tuple[str, ...]], int]


class Job(Scheduler):
    """One schedule, and everything that happens in it. Runs main and post to their ends.

    The choices are `given`, then those of `pick`. `points` are the choice points so far: label,
    options and index of the one that was chosen.
    """

    def __init__(self, given: Sequence[int] = (), pick: Pick = lambda *_: 0) -> None:
        super().__init__()
        self._given, self._pick = given, pick
        self.points: list[tuple[str, tuple[str, ...], int]] = []
        self.kind = self.choose("job", tuple(JOBS))
        self.exit_codes, self.problems = dict[str, int](), list[str]()
        self.lines: dict[str, list[str]] = {"main": [], "post": []}
        self.attempts, self.operations = list[Attempt](), list[Operation]()
        self.outage, self.outage_ends_at = Fault(), 0.0
        self.states = [_NONE.encode()]  # in GITHUB_STATE; the first is the launcher's
        self.unwritable: set[str] = set()  # GITHUB_STATE and GITHUB_OUTPUT, if not writable once
        self.folder: dict[str, str] = {}  # the newest state, and the stop file
        self.given_state = self.stage_seen = ""  # what post has read
        self.canceled_at = self.stopped_at = math.inf
        self._passed, self._last = dict[str, int](), ""
        clock = partial(
            Cancellation, now=lambda: self.now, sleep=self.pause, set_handler=lambda *_: None
        )
        self._system = System(
            clock=lambda abandoned: clock(lambda: self._is_canceled() or abandoned()),
            open_transport=self._open_transport,
            files=partial(_Files, job=self),
            append=self._append,
            is_running=lambda *_: self.actors["main"].is_alive or "process table" in self.kind,
        )
        random.seed(0)  # of the jitter
        self.spawn("main", self._main)
        self.run_actors()

    def choose(self, label: str, options: tuple[str, ...]) -> str:
        """Return what happens at a choice point."""
        at = len(self.points)
        index = self._given[at] if at < len(self._given) else self._pick(label, options)
        self.points.append((label, options, index))
        if index:
            self.note(f"[{label}: {options[index]}]")
        return options[index]

    def known(self, actor: str, kind: str) -> str:
        """Return what an actor knows from the latest response about its login or logout."""
        known = [a.known for a in self.attempts if a.actor == actor and a.kind.startswith(kind)]
        return known[-1] if known else ""

    def logins_known(self) -> set[str]:
        """Return what main knows of its login requests."""
        return {attempt.known for attempt in self.attempts if attempt.kind == "login"}

    def point(self, label: str, faults: tuple[str, ...] = ()) -> str:
        """Pass a scheduling point, and return the fault that happens there."""
        self.raise_if_killed()
        key = f"{self.current.name} {label}"
        repeats, self._last = key == self._last and label == "sleep", key
        passed = self._passed[key] = self._passed.get(key, 0) + (not repeats)
        options = ("go on", *self._interrupts(label), *faults)
        if repeats or passed > MOST_POINTS or len(options) == 1:
            return "go on"
        chosen = self.choose(key, options)
        if chosen == "kill":
            self.kill()
        if chosen == "cancel":
            self.canceled_at = self.now
        elif chosen == "post starts beside":
            self._start_post()
        if chosen in {"switch", "post starts beside"}:
            self.sleep(0.0)
        return chosen if chosen in faults else "go on"

    def pause(self, seconds: float) -> None:
        """Sleep, which is a scheduling point."""
        self.point("sleep")
        self.sleep(seconds)

    def start_attempt(self, kind: str, fault: Fault) -> Attempt:
        """Record a request of the current actor."""
        self.note(f"sends a {kind} request")
        if kind == "logout" and self._knows_of_no_login():
            self.problems.append("foreign logout")
        self.attempts.append(Attempt(self.current.name, kind, fault, self.now))
        return self.attempts[-1]

    def _knows_of_no_login(self) -> bool:
        is_post, logins = self.current.name == "post", self.logins_known()
        stage = self.stage_seen if is_post else stage_of(self.states[-1])
        if logins <= {"not processed"}:
            return not (self.is_unrecorded() and stage == "requested")
        failed = "failed" in {self.known("post", "login"), stage}
        return is_post and failed and not logins & {"unknown", "pending"}

    def is_unrecorded(self) -> bool:
        """Return whether main may know more than it saved."""
        return self.actors["main"].is_killed or "GITHUB_STATE" in self.unwritable

    def _interrupts(self, label: str) -> tuple[str, ...]:
        interrupts: tuple[str, ...] = ("kill", "post starts beside", "cancel")
        if self.current.name == "post":
            interrupts = ()
        elif "post" in self.actors or label == "exit":
            interrupts = ("kill",)
        is_file = not label.endswith(("sleep", "response", "exit"))
        return (*interrupts, "switch") if is_file and self.is_other_ready() else interrupts

    def _is_canceled(self) -> bool:
        return self.current.name == "main" and self.now >= self.canceled_at

    def _main(self) -> None:
        try:
            self.point("launcher")
            variables = {**_STEP, **JOBS[self.kind], "DOCKER_AUTH_LOGIN_ID": LOGIN_ID}
            code = entry.main(variables, _Log(self), self._system)
            self.point("exit")
            self.exit_codes["main"] = code
        finally:
            if "post" not in self.actors:
                delay = self.choose("seconds until post", ("0", "60", "skipped"))
                if delay != "skipped":
                    self._start_post(float(delay))

    def _start_post(self, delay: float = 0.0) -> None:
        is_lost = self.choose("STATE_login", ("as saved", "lost")) == "lost"
        self.given_state = "" if is_lost else self.states[-1]
        self.spawn("post", self._post, delay)

    def _post(self) -> None:
        variables = {**_STEP, **JOBS[self.kind], "STATE_login": self.given_state}
        if "composite" in self.kind:
            variables["INPUT_API_KEY"] = "rca_of-another-step"
        self.exit_codes["post"] = entry.post(variables, _Log(self), self._system)

    def _open_transport(self, step: Step, api_url: str, api_key: str) -> Network:
        if (api_url, api_key) != (DEFAULT_API_URL, KEY):
            self.problems.append("the key goes elsewhere, or is wrong")
        return Network(self, step.clock)

    def _append(self, file: Path, data: bytes) -> None:
        """Append an entry to a command file, all or nothing."""
        if self.point(f"append to {file.name}", ("not writable",)) == "not writable":
            self.unwritable.add(file.name)
            raise OSError(28, "No space left on device")
        value = data.decode().split("\n")[1]  # between two lines with the delimiter
        self.note(f"appends {value} to {file.name}")
        if file.name == "GITHUB_STATE":
            self.states.append(value)


@dataclass(frozen=True)
class _Files(StepFiles):
    """The step's stop file and state file. Each access to one is a scheduling point."""

    job: Job

    def is_stopped(self) -> bool:
        return "post" in self.job.actors and "stop" in self._folder("look for the stop file")

    def stop(self) -> None:
        self._folder("create the stop file")["stop"] = ""
        self.job.stopped_at = self.job.now

    def append_state(self, state: str) -> None:
        self._folder("append to the state file")["state"] = state

    def newest_state(self) -> str:
        newest = self._folder("read the state file").get("state", "")
        stages = stage_of(newest), stage_of(self.job.given_state)
        self.job.stage_seen = max(stages, key=STAGES.index)
        return newest

    def remove_state(self) -> None:
        self._folder("remove the state file").pop("state", None)

    def _folder(self, label: str) -> dict[str, str]:
        self.job.point(label)
        return self.job.folder


class _Log(StringIO):
    """Standard output of a step."""

    def __init__(self, job: Job) -> None:
        super().__init__()
        self._job = job

    def write(self, text: str) -> int:
        self._job.raise_if_killed()
        self._job.note(f"logs {text.rstrip()}")
        self._job.lines[self._job.current.name].append(text.rstrip())
        return len(text)


def stage_of(state: str) -> str:
    """Return the stage of a saved state, empty if there is none."""
    return str(json.loads(state)["stage"]) if state else ""
