"""Simulated job: main and post as lib.entry wires them, and the runner's files."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from lib import CANCELED, FAILED, SUCCEEDED
from lib import login as login_module
from lib import logout as logout_module
from lib.api.client import Client
from lib.cancellation import Canceled, Cancellation
from lib.entry import _clean_up_unsaved, _run
from lib.inputs import DEFAULT_API_URL, LoginInputs, read_login_inputs
from lib.runner.commands import Runner
from lib.runner.environment import Environment
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles
from tests.simulation.api import KEY, REGISTRY, SERVER_ID, Attempt, Fault, Network, Operation
from tests.simulation.world import Actor, Choices, Killed, World

TIMEOUT_SECONDS = 20
# A choice point that is passed more often offers nothing anymore.
MOST_POINTS = 3
STAGES = ("", *(stage.value for stage in Stage))
KINDS = ("usual", "cleanup: false", "composite", "no shared folder", "no process table")
_EXIT_CODES = {SUCCEEDED: 0, FAILED: 1, CANCELED: 130}
_NONE = LoginState(stage=Stage.NONE, id="99999999-2222-4333-8444-555555555555", step="__reoclo")
_MODES = {
    "vault": {"CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000"},
    "passthrough": {"USERNAME": "me", "ACCESS_TOKEN": "password", "REGISTRY_URL": REGISTRY},
}
MODES = tuple(_MODES)


class Program(NamedTuple):
    """The code under test. A mutant replaces a part of it."""

    login: Any = login_module
    logout: Any = logout_module
    looks_for_stop_file: bool = True


class Job(World):
    """One schedule, and everything that happens in it."""

    def __init__(self, mode: str, choices: Choices, program: Program = Program()) -> None:
        super().__init__(choices)
        self.mode, self.program = mode, program
        self.kind, self.saved_state = "usual", "as saved"
        self.exit_codes: dict[str, int] = {}
        self.lines: dict[str, list[str]] = {"main": [], "post": []}
        self.attempts: list[Attempt] = []
        self.operations: list[Operation] = []
        self.outage: tuple[float, Fault] | None = None
        self.states: list[str] = []  # in GITHUB_STATE
        self.folder: dict[str, str] = {}  # the newest state, and the stop file
        self.outputs: list[str] = []
        self.unwritable: list[str] = []
        self.problems: list[str] = []
        self.told: dict[tuple[str, str], str] = {}  # what an actor knows of its operation
        self.given_state = self.stage_seen = ""  # what post has read
        self.canceled_at = self.stopped_at = math.inf
        self.overlaps = False
        self._passed: dict[str, int] = {}
        self._last = ""

    def run(self) -> Job:
        """Run the job to its end."""
        random.seed(0)  # of the jitter
        self.spawn("main", self._main)
        self.run_actors()
        return self

    @property
    def main(self) -> Actor:
        """The actor of the main step."""
        return self.actors["main"]

    @property
    def post(self) -> Actor | None:
        """The actor of the post step, if it has started."""
        return self.actors.get("post")

    @property
    def has_no_promise(self) -> bool:
        """Whether post has no access to what main saved."""
        is_stale = self.overlaps or self.saved_state == "lost"
        return self.kind == "no shared folder" and is_stale

    def check(self, is_right: bool, problem: str) -> None:  # noqa: FBT001 as in assert
        """Record a problem unless all is right."""
        if not is_right:
            self.problems.append(problem)

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
            self.current.is_killed = True
            raise Killed
        if chosen == "cancel":
            self.canceled_at = self.now
        elif chosen in {"switch", "post starts beside"}:
            if chosen != "switch":
                self.overlaps = True
                self._start_post()
            self.sleep(0.0)
        return chosen if chosen in faults else "go on"

    def start_attempt(self, attempt: Attempt) -> None:
        """Record a request."""
        self.note(f"sends a {attempt.kind} request")
        self.attempts.append(attempt)
        if attempt.kind == "logout":
            self.told[attempt.actor, "logout"] = "pending"
            is_foreign = not self.has_no_promise and self._knows_of_no_login(attempt.actor)
            self.check(not is_foreign, "foreign logout")

    def deliver(
        self, attempt: Attempt, status: int, body: bytes, operation: Operation | None
    ) -> None:
        """Record what a response tells its recipient."""
        self.note(f"receives {status} {body.decode()[:200]}")
        if not 200 <= status < 300:
            attempt.verdict = "unknown" if status >= 500 else "not processed"
            return
        attempt.verdict = "unknown"
        try:
            data = json.loads(body or b"{}") or {}
        except ValueError:
            return
        if attempt.kind != "login" or (data.get("operation_id") and data.get("registry_url")):
            attempt.verdict = "accepted"
            if operation:
                self.told[attempt.actor, operation.kind] = _meaning(data, operation)

    def stage(self) -> str:
        """Return the stage of the newest entry in GITHUB_STATE."""
        return stage_of(self.states[-1]) if self.states else ""

    def on_end(self, actor: Actor) -> None:
        """Start post after main."""
        if actor is self.main and not self.post:
            when = self.choose("post", ("runs at once", "runs a minute later", "is skipped"))
            if when != "is skipped":
                self._start_post(60.0 if when == "runs a minute later" else 0.0)

    def _knows_of_no_login(self, actor: str) -> bool:
        logins = {attempt.verdict for attempt in self.attempts if attempt.kind == "login"}
        stage = self.stage() if actor == "main" else self.stage_seen
        if logins <= {"not processed"}:
            is_unrecorded = bool(self.unwritable) or self.main.is_killed
            return not (is_unrecorded and stage == "requested")
        failed = "failed" in {self.told.get((actor, "login")), stage}
        return failed and logins <= {"accepted", "not processed"}

    def _interrupts(self, label: str) -> tuple[str, ...]:
        interrupts: tuple[str, ...] = ("kill", "post starts beside", "cancel")
        if self.current is not self.main:
            interrupts = ()
        elif self.post or label == "exit":
            interrupts = ("kill",)
        is_file = not label.endswith(("sleep", "response", "exit"))
        return (*interrupts, "switch") if is_file and self.is_other_ready() else interrupts

    def _start_post(self, delay: float = 0.0) -> None:
        saved = self.states[-1] if self.states else ""
        self.saved_state = self.choose("STATE_login", ("as saved", "lost", "damaged"))
        given = {"as saved": saved, "lost": "", "damaged": saved[: len(saved) // 2]}
        self.given_state = given[self.saved_state]
        self.spawn("post", self._post, delay)

    def _main(self) -> None:
        self.kind = self.choose("job", KINDS)
        self.point("launcher")
        self._save(_NONE.encode())
        runner, files = self._runner(), _Files(None, _NONE.step, _NONE.id, job=self)
        cancellation = self._clock(
            lambda: (
                self.now >= self.canceled_at
                or (self.program.looks_for_stop_file and files.is_stopped())
            )
        )
        inputs = _inputs(self.mode, str(self.kind != "cleanup: false"))
        state = LoginState(
            stage=Stage.NONE,
            id=_NONE.id,
            step=_NONE.step,
            api_key=KEY if self.kind == "composite" else "",
        )

        def step() -> None:
            runner.mask(KEY)
            client = self._connect(inputs.api_url, inputs.api_key, runner, cancellation)
            needs = {"runner": runner, "files": files, "cancellation": cancellation}
            try:
                self.program.login.log_in(inputs, state, client=client, **needs)
            except self.program.login.UnsavedLogin as error:
                raise _clean_up_unsaved(error, client, runner, cancellation) from error
            cancellation.raise_if_canceled()  # as Cancellation.handle_signals does

        try:
            code = _run(step, runner, report=runner.error)
        except Canceled:
            code = CANCELED
        self.point("exit")
        self.exit_codes["main"] = _EXIT_CODES.get(code, code)

    def _post(self) -> None:
        runner, clock = self._runner(), self._clock(lambda: False)
        own_key = "rca_of-another-step" if self.kind == "composite" else KEY

        def step() -> None:
            runner.mask(own_key)
            self.program.logout.log_out(
                self.given_state,
                own_key,
                own_api_url=lambda: DEFAULT_API_URL,
                connect=lambda url, key: self._connect(url, key, runner, clock),
                is_running=lambda *_: self.main.is_alive or self.kind == "no process table",
                files=_Files(None, _NONE.step, "", job=self),
                runner=runner,
                clock=clock,
            )

        code = _run(step, runner, report=runner.warning)
        self.exit_codes["post"] = _EXIT_CODES.get(SUCCEEDED if code == FAILED else code, code)

    def _connect(self, url: str, key: str, runner: Runner, clock: Cancellation) -> Client:
        self.check((url, key) == (DEFAULT_API_URL, KEY), "the key goes elsewhere, or is wrong")
        context = Environment({"GITHUB_REPOSITORY": "acme/shop"}).run_context()
        network = Network(self, clock)
        return Client(network, context, clock, info=runner.info, debug=runner.debug)

    def _clock(self, is_abandoned: Callable[[], bool]) -> Cancellation:
        def sleep(seconds: float) -> None:
            self.point("sleep")
            self.sleep(seconds)

        return Cancellation(is_abandoned, now=lambda: self.now, sleep=sleep)

    def _runner(self) -> Runner:
        return Runner(
            _Log(self),
            state_file=Path("GITHUB_STATE"),
            output_file=Path("GITHUB_OUTPUT"),
            api_key=KEY,
            debug=self.kind != "usual",
            append=self._append,
        )

    def _append(self, file: Path, data: bytes) -> None:
        """Append to a command file, all or nothing."""
        name, _, value = data.decode().partition("<<")
        value = value.split("\n", 1)[1].rsplit("\n", 2)[0]
        is_state = file.name == "GITHUB_STATE"
        label = f"save {stage_of(value)}" if is_state else f"output {name}"
        if self.point(label, ("not writable",)) == "not writable":
            self.unwritable.append(label)
            raise OSError(28, "No space left on device")
        if is_state:
            self._save(value)
        else:
            self.outputs.append(value)

    def _save(self, state: str) -> None:
        self.note(f"saves {state}")
        self.states.append(state)


@dataclass(frozen=True)
class _Files(StepFiles):
    """The step's stop file and state file. Each access to one is a scheduling point."""

    job: Job

    def is_stopped(self) -> bool:
        return bool(self.job.post) and "stop" in self._folder("look for the stop file")

    def stop(self) -> None:
        self._folder("create the stop file")["stop"] = ""
        if self.job.kind != "no shared folder":
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
        return {} if self.job.kind == "no shared folder" else self.job.folder


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


def _meaning(data: dict[str, Any], operation: Operation) -> str:
    """Return what a response says of an operation."""
    exit_code, status = (data.get("result") or data).get("exit_code"), data.get("status")
    if operation.kind == "logout":
        return "done" if status != "running" and operation.outcome.is_reported else "not done"
    if status in {"running", "timeout", "cancelled"}:
        return "" if status == "running" else status
    if exit_code:
        return "failed"
    return "succeeded" if (status, exit_code) == ("completed", 0) else "ended"


def stage_of(state: str) -> str:
    """Return the stage of a saved state, empty if there is none."""
    stage: str = json.loads(state)["stage"] if state.endswith("}") else ""
    return stage


@cache
def _inputs(mode: str, cleanup: str) -> LoginInputs:
    values = {"API_KEY": KEY, "SERVER_ID": SERVER_ID, "CLEANUP": cleanup, **_MODES[mode]}
    values["TIMEOUT"] = str(TIMEOUT_SECONDS)
    return read_login_inputs(
        Environment({f"INPUT_{name}": value for name, value in values.items()})
    )
