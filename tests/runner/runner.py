"""One step of a job: main, then post, each started as the emulated runner starts it.

Follows actions/runner (ActionRunner.cs, NodeScriptActionHandler.cs): inputs are evaluated again
for post, post gets main's state, and files are read even after a kill.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

import yaml

from tests.runner import files
from tests.runner.checkout import ROOT
from tests.runner.log import Log
from tests.runner.processes import Output, is_any_left, start
from tests.runner.profiles import GITHUB, Profile

Stage = Literal["main", "post"]
Inputs = Mapping[str, str]

TIMEOUT_SECONDS = 60


class StageResult(NamedTuple):
    """What a stage left behind."""

    exit_code: int
    output: str
    log: Log
    state: dict[str, str]
    outputs: dict[str, str]
    state_text: str


@dataclass(kw_only=True)
class Runner:
    """Runs the action in a folder as a step.

    Attributes:
        folder: Folder for the job's files.
        inputs: The step's `with`, or a function that returns it for a stage.
        environment: Variables of the job and of earlier steps; they override the runner's.
        composites: Inputs of each composite action around the step. They do not set the step's.
    """

    folder: Path = field(kw_only=False)
    inputs: Inputs | Callable[[Stage], Inputs] = field(kw_only=False)
    action: Path = ROOT
    profile: Profile = GITHUB
    environment: Inputs | None = None
    composites: Sequence[Inputs] = ()

    def __post_init__(self) -> None:
        """Create the job's folders."""
        own = {"HOME": str(self.folder), "PATH": os.environ["PATH"]}
        self._environment = {**own, **self.profile.variables, **(self.environment or {})}
        self._metadata = yaml.safe_load((self.action / "action.yml").read_text("utf-8"))
        self._masks: set[str] = set()
        self._state: dict[str, str] = {}
        self.workspace, self.temp = self.folder / "workspace", self.folder / "temp"
        for directory in (self.workspace, self.temp):
            directory.mkdir(parents=True, exist_ok=True)

    def set(self, environment: Inputs) -> None:
        """Set variables for the following stages, as an earlier step does with GITHUB_ENV."""
        self._environment.update(environment)

    def main(self) -> StageResult:
        """Run main until it exits."""
        return self.begin("main").wait()

    def post(self) -> StageResult:
        """Run post, with main's state, until it exits."""
        return self.begin("post").wait()

    def begin(self, stage: Stage) -> RunningStage:
        """Start a stage."""
        paths = self._create_command_files()
        env = self._variables(stage) | {name: str(path) for name, path in paths.items()}
        has_terminal = self.profile.has_terminal
        started = start(self._command(stage), self.workspace, env, has_terminal=has_terminal)
        return RunningStage(self, *started, paths)

    def finish(self, output: str, exit_code: int, paths: Mapping[str, Path]) -> StageResult:
        """Read what an ended stage left behind, and keep its state and masks."""
        log = Log(is_act=not self.profile.is_github, masks=self._masks)
        log.feed(output)
        text = paths["GITHUB_STATE"].read_text("utf-8")
        state = files.parse(text)
        self._state.update(state)
        outputs = files.parse(paths["GITHUB_OUTPUT"].read_text("utf-8"))
        return StageResult(exit_code, output, log, state, outputs, text)

    def _command(self, stage: Stage) -> list[str]:
        node = shutil.which("node", path=self._environment["PATH"]) or shutil.which("node")
        return [node or "node", str(self.action / self._metadata["runs"][stage])]

    def _create_command_files(self) -> dict[str, Path]:
        """Create the empty command files of a stage. Only GitHub's runner has new ones for each."""
        folder = self.temp / "_runner_file_commands"
        folder.mkdir(exist_ok=True)
        suffix = f"_{uuid.uuid4()}" if self.profile.is_github else ""
        names = {"GITHUB_STATE": "save_state", "GITHUB_OUTPUT": "set_output"}
        paths = {variable: folder / f"{name}{suffix}" for variable, name in names.items()}
        for path in paths.values():
            path.write_bytes(b"")
        return paths

    def _variables(self, stage: Stage) -> dict[str, str]:
        """Return the environment; later variables override earlier ones."""
        dropped = re.compile(self.profile.dropped)
        job = self._environment.items()
        variables = {name: value for name, value in job if not dropped.match(name)}
        if stage == "post":
            variables |= {f"STATE_{name}": value for name, value in self._state.items()}
        variables |= self._input_variables(stage)
        if self.composites:
            variables["GITHUB_ACTION_PATH"] = str(self.folder / "composite")
        return variables | {"RUNNER_TEMP": str(self.temp)}

    def _input_variables(self, stage: Stage) -> dict[str, str]:
        given = self.inputs(stage) if callable(self.inputs) else self.inputs
        if self.composites and stage == "post" and self.profile.is_github:
            given = dict.fromkeys(given, "")  # actions/runner#2030
        declared = self._metadata["inputs"].items()
        values = {name: str(about.get("default", "")) for name, about in declared} | dict(given)
        return {self.profile.input_variable(name): value for name, value in values.items()}


@dataclass(frozen=True, slots=True)
class RunningStage:
    """A stage that is running."""

    runner: Runner
    process: subprocess.Popen[bytes]
    output: Output
    paths: Mapping[str, Path]

    def is_running(self) -> bool:
        """Return whether Node is running."""
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to Node only."""
        self.process.send_signal(number)

    def end(self) -> StageResult:
        """Stop the stage as this runner does after a cancellation or a timeout."""
        profile = self.runner.profile
        for number, seconds in profile.stops:
            if profile.stops_children:
                os.killpg(self.process.pid, number)
            else:
                self.signal(number)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                break
        return self._leave(profile.drain_seconds)

    def wait_for_orphans(self) -> None:
        """Wait until all processes of the stage have exited."""
        while is_any_left(f"GITHUB_STATE={self.paths['GITHUB_STATE']}"):
            time.sleep(0.01)

    def wait(self, seconds: float = TIMEOUT_SECONDS) -> StageResult:
        """Wait until the stage exits, or raise `subprocess.TimeoutExpired`."""
        # The end of the output is noticed immediately; `subprocess` polls for an exit every 0.05 s
        if not self.output.has_ended(seconds):
            raise subprocess.TimeoutExpired(self.process.args, seconds)
        self.process.wait(seconds)
        return self._leave(0)

    def _leave(self, seconds: float) -> StageResult:
        self.output.has_ended(seconds)
        return self.runner.finish(self.output.so_far(), self.process.returncode, self.paths)
