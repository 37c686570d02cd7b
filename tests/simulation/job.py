"""Simulated job: main and post as lib.entry wires them, and the runner's files."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

from lib import CANCELED, FAILED, SUCCEEDED, login, logout
from lib.api.client import Client
from lib.cancellation import Canceled, Cancellation
from lib.entry import _clean_up_unsaved, _run
from lib.inputs import DEFAULT_API_URL, LoginInputs, read_login_inputs
from lib.runner.commands import Runner
from lib.runner.environment import Environment
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles
from tests.simulation.api import KEY, Attempt, Fault, Network, Operation
from tests.simulation.world import Killed, Pick, World

TIMEOUT_SECONDS = 20
MOST_POINTS = 3  # a choice point that is passed more often offers nothing anymore
STAGES = ("", *(stage.value for stage in Stage))
KINDS = ("usual", "cleanup: false", "composite", "no process table")
EXIT_CODES = {SUCCEEDED: 0, FAILED: 1, CANCELED: 130}
SERVER_ID = "11111111-2222-4333-8444-555555555555"
_NONE = LoginState(stage=Stage.NONE, id="99999999-2222-4333-8444-555555555555", step="__reoclo")
_MODES = {
    "vault": {"CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000"},
    "passthrough": {"USERNAME": "me", "ACCESS_TOKEN": "password", "REGISTRY_URL": "ghcr.io"},
}
MODES = tuple(_MODES)
Program = Mapping[str, ModuleType]  # the code under test
REAL: Program = {"login": login, "logout": logout}


class Job(World):
    """One schedule, and everything that happens in it. A mutant replaces a part of the program."""

    def __init__(
        self,
        mode: str,
        given: Sequence[int] = (),
        pick: Pick = lambda *_: 0,
        program: Program = REAL,
    ) -> None:
        super().__init__(given, pick)
        self.mode, self.program, self.kind, self.saved_state = mode, program, "usual", "as saved"
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
        self._passed: dict[str, int] = {}
        self._last = ""
        random.seed(0)  # of the jitter
        self.spawn("main", self._main)
        self.run_actors()

    def check(self, is_right: bool, problem: str) -> None:  # noqa: FBT001 as in assert
        """Record a problem unless all is right."""
        self.problems += [] if is_right else [problem]

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
        elif chosen == "post starts beside":
            self._start_post()
        if chosen in {"switch", "post starts beside"}:
            self.sleep(0.0)
        return chosen if chosen in faults else "go on"

    def start_attempt(self, attempt: Attempt) -> None:
        """Record a request."""
        self.note(f"sends a {attempt.kind} request")
        self.attempts.append(attempt)
        if attempt.kind == "logout":
            self.told[attempt.actor, "logout"] = "pending"
            self.check(not self._knows_of_no_login(attempt.actor), "foreign logout")

    def deliver(self, attempt: Attempt, status: int, body: bytes, of: Operation | None) -> None:
        """Record what a response tells its recipient."""
        self.note(f"receives {status} {body.decode()[:200]}")
        attempt.verdict = "not processed" if 300 <= status < 500 else "unknown"
        is_json = status < 300 and not body.startswith(b"<")
        data = (json.loads(body or b"{}") or {}) if is_json else {}
        is_usable = attempt.kind != "login" or {"operation_id", "registry_url"} <= {*data}
        if is_json and is_usable:
            attempt.verdict = "accepted"
            if of:
                self.told[attempt.actor, of.kind] = _meaning(data, of)

    def on_end(self) -> None:
        """Start post after main."""
        if "post" not in self.actors:
            when = self.choose("post", ("runs at once", "runs a minute later", "is skipped"))
            if when != "is skipped":
                self._start_post(60.0 if when == "runs a minute later" else 0.0)

    def _knows_of_no_login(self, actor: str) -> bool:
        logins = {attempt.verdict for attempt in self.attempts if attempt.kind == "login"}
        stage = stage_of(self.states[-1]) if actor == "main" else self.stage_seen
        if logins <= {"not processed"}:
            is_unrecorded = bool(self.unwritable) or self.actors["main"].is_killed
            return not (is_unrecorded and stage == "requested")
        failed = "failed" in {self.told.get(("post", "login")), stage}
        return failed and actor == "post" and logins <= {"accepted", "not processed"}

    def _interrupts(self, label: str) -> tuple[str, ...]:
        interrupts: tuple[str, ...] = ("kill", "post starts beside", "cancel")
        if self.current.name == "post":
            interrupts = ()
        elif "post" in self.actors or label == "exit":
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
        clock = self._clock(lambda: self.now >= self.canceled_at or files.is_stopped())
        inputs = _inputs(self.mode, str(self.kind != "cleanup: false"))
        state = replace(_NONE, api_key=KEY if self.kind == "composite" else "")
        log_in, unsaved = self.program["login"].log_in, self.program["login"].UnsavedLogin

        def step() -> None:
            runner.mask(KEY)
            client = self._connect(inputs.api_url, inputs.api_key, runner, clock)
            try:
                log_in(inputs, state, client=client, runner=runner, files=files, cancellation=clock)
            except unsaved as error:
                raise _clean_up_unsaved(error, client, runner, files, clock) from error
            clock.raise_if_canceled()  # as Cancellation.handle_signals does

        try:
            code = _run(step, runner, report=runner.error)
        except Canceled:
            code = CANCELED
        self.point("exit")
        self.exit_codes["main"] = EXIT_CODES.get(code, code)

    def _post(self) -> None:
        runner, clock = self._runner(), self._clock(lambda: False)
        own_key = "rca_of-another-step" if self.kind == "composite" else KEY
        main = self.actors["main"]

        def step() -> None:
            runner.mask(own_key)
            self.program["logout"].log_out(
                self.given_state,
                own_key,
                own_api_url=lambda: DEFAULT_API_URL,
                connect=lambda url, key: self._connect(url, key, runner, clock),
                is_running=lambda *_: main.is_alive or self.kind == "no process table",
                files=_Files(None, _NONE.step, "", job=self),
                runner=runner,
                clock=clock,
            )

        code = _run(step, runner, report=runner.warning)
        self.exit_codes["post"] = EXIT_CODES.get(SUCCEEDED if code == FAILED else code, code)

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
            debug=self.kind != "usual",  # which takes time
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
        (self._save if is_state else self.outputs.append)(value)

    def _save(self, state: str) -> None:
        self.note(f"saves {state}")
        self.states.append(state)


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
    stage: str = json.loads(state)["stage"] if state.endswith("}") else ""
    return stage


def _meaning(data: dict[str, Any], operation: Operation) -> str:
    """Return what a response says of an operation. An unknown status that ends is a success."""
    exit_code, status = (data.get("result") or data).get("exit_code"), data.get("status")
    if operation.kind == "logout":
        return "done" if status != "running" and operation.outcome.is_reported else "not done"
    if status in {"running", "timeout", "cancelled"}:
        return "" if status == "running" else status
    return "ended" if exit_code is None else "failed" if exit_code else "succeeded"


@cache
def _inputs(mode: str, cleanup: str) -> LoginInputs:
    values = {"API_KEY": KEY, "SERVER_ID": SERVER_ID, "CLEANUP": cleanup, **_MODES[mode]}
    values["TIMEOUT"] = str(TIMEOUT_SECONDS)
    return read_login_inputs(Environment({f"INPUT_{name}": values[name] for name in values}))
