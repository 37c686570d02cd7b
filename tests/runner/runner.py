"""One step of a job: main, then post, each with what a runner gives it.

As in actions/runner, src/Runner.Worker/ActionRunner.cs and Handlers/NodeScriptActionHandler.cs:
inputs evaluated again for post, state handed to post, files read even after a kill. What is not
the same in every runner is in `tests.runner.profiles`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.runner.checkout import ROOT
from tests.runner.log import Log
from tests.runner.processes import Process, in_session
from tests.runner.profiles import GITHUB, Profile
from tests.runner.streams import Output, start

Stage = Literal["main", "post"]
Inputs = Mapping[str, str]

TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class StageResult:
    """What a stage left behind."""

    exit_code: int
    output: str
    log: Log
    state: dict[str, str]
    outputs: dict[str, str]
    state_text: str


class Runner:
    """Runs the action of a folder.

    Args:
        folder: Where the job's files go.
        action: The action's folder.
        inputs: What `with` says; called for each stage, since a runner evaluates it anew.
        profile: Whose runner this is.
        environment: What the job's `env` and earlier steps set, over the runner's own variables;
            Node and Python are found on its PATH.
        composites: The inputs of each composite action that the step is in, the outermost first.
        debug: Whether the user asked the runner for debug lines.
        through_node: Whether to start the action through Node. No runner does otherwise; it is
            for a demo on a machine without Node.
    """

    def __init__(  # noqa: PLR0913 each is what it says
        self,
        folder: Path,
        inputs: Inputs | Callable[[Stage], Inputs],
        *,
        action: Path = ROOT,
        profile: Profile = GITHUB,
        environment: Mapping[str, str] | None = None,
        composites: Sequence[Inputs] = (),
        debug: bool = False,
        through_node: bool = True,
    ) -> None:
        self._folder = folder
        self._action = action
        self._inputs = inputs
        own = {"HOME": str(folder), "PATH": os.environ["PATH"], **profile.variables}
        own |= profile.debug_variables if debug else {}
        self._environment = {**own, **(environment or {})}
        self._composites = composites
        self.profile = profile
        self._through_node = through_node
        self._metadata = yaml.safe_load((action / "action.yml").read_text("utf-8"))
        self._masks: set[str] = set()
        self._state: dict[str, str] = {}
        self.workspace = folder / "workspace"
        self.temp = folder / "temp"
        for directory in (self.workspace, self.temp):
            directory.mkdir(parents=True, exist_ok=True)

    def set(self, environment: Mapping[str, str]) -> None:
        """Set variables for the stages to come, as an earlier step does by GITHUB_ENV."""
        self._environment.update(environment)

    def main(self) -> StageResult:
        """Run main to its end."""
        return self.begin("main").wait()

    def post(self) -> StageResult:
        """Run post to its end, with the state that main left."""
        return self.begin("post").wait()

    def begin(self, stage: Stage) -> RunningStage:
        """Start a stage."""
        command_files = self._command_files()
        process, output = start(
            self._command(stage),
            cwd=self.workspace,
            env=self._variables(stage, command_files),
            has_terminal=self.profile.has_terminal,
        )
        return RunningStage(self, process, output, command_files)

    def finish(self, output: str, exit_code: int, command_files: dict[str, Path]) -> StageResult:
        """Read what a stage that has ended left behind, and keep its state and masks."""
        is_debug = self._environment.get("RUNNER_DEBUG") == "1"
        log = Log(is_debug=is_debug, masks=self._masks, grammar=self.profile.grammar)
        log.feed(output)
        state_text = command_files["GITHUB_STATE"].read_text("utf-8")
        state = self.profile.parse(state_text)
        self._state.update(state)
        return StageResult(
            exit_code=exit_code,
            output=output,
            log=log,
            state=state,
            outputs=self.profile.parse(command_files["GITHUB_OUTPUT"].read_text("utf-8")),
            state_text=state_text,
        )

    def _command(self, stage: Stage) -> list[str]:
        if not self._through_node:
            return [sys.executable, "-BsSu", "-Wignore", str(self._action / f"{stage}.py")]
        return [_node(self._environment["PATH"]), str(self._action / self._metadata["runs"][stage])]

    def _command_files(self) -> dict[str, Path]:
        """Make the command files of a stage, all of them empty."""
        folder = self.temp / "_runner_file_commands"
        folder.mkdir(exist_ok=True)
        suffix = f"_{uuid.uuid4()}" if self.profile.has_fresh_files else ""
        made = {
            "GITHUB_STATE": folder / f"save_state{suffix}",
            "GITHUB_OUTPUT": folder / f"set_output{suffix}",
            "GITHUB_ENV": folder / f"set_env{suffix}",
            "GITHUB_PATH": folder / f"add_path{suffix}",
            "GITHUB_STEP_SUMMARY": folder / f"step_summary{suffix}",
        }
        for path in made.values():
            path.write_bytes(b"")
        return made

    def _variables(self, stage: Stage, command_files: dict[str, Path]) -> dict[str, str]:
        """Put the environment together, in the order in which one beats the other."""
        job = self._environment
        variables = {name: value for name, value in job.items() if self.profile.is_kept(name)}
        if stage == "post":
            variables |= {f"STATE_{name}": value for name, value in self._state.items()}
        variables |= self._input_variables(stage, variables)
        if self._composites:
            variables["GITHUB_ACTION_PATH"] = str(self._folder / "composite")
        variables |= {"RUNNER_TEMP": str(self.temp)}
        return variables | {name: str(path) for name, path in command_files.items()}

    def _input_variables(self, stage: Stage, inherited: Inputs) -> Inputs:
        given = self._inputs(stage) if callable(self._inputs) else self._inputs
        if self._composites and stage == "post" and self.profile.is_post_without_inputs:
            given = dict.fromkeys(given, "")
        declared: dict[str, Any] = self._metadata["inputs"]
        defaults = {name: str(about.get("default", "")) for name, about in declared.items()}
        names = self.profile.input_name
        for around in self._composites:
            inherited = {**inherited, **{names(name): value for name, value in around.items()}}
        return self.profile.inputs(defaults, given, inherited)


class RunningStage:
    """A stage that has begun."""

    def __init__(
        self,
        runner: Runner,
        process: subprocess.Popen[bytes],
        output: Output,
        command_files: dict[str, Path],
    ) -> None:
        self._runner = runner
        self._process = process
        self._output = output
        self._files = command_files

    def processes(self) -> list[Process]:
        """Give the processes that are there now: Node and what it started."""
        return in_session(self._process.pid)

    def is_running(self) -> bool:
        """Tell whether Node is still there."""
        return self._process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the Node process, and to it alone."""
        self._process.send_signal(number)

    def end(self) -> StageResult:
        """End the stage before its time, as this runner does for a cancel and a time-out."""
        profile = self._runner.profile
        for number, seconds in profile.stops:
            if profile.is_all_stopped:
                os.killpg(self._process.pid, number)
            else:
                self.signal(number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
                break
        return self._leave(profile.patience)

    def kill_node(self) -> StageResult:
        """Kill Node alone, and go on at once; what Node started may live on."""
        self._process.kill()
        self._process.wait(TIMEOUT_SECONDS)
        return self._leave(0)

    def wait_for_orphans(self) -> None:
        """Wait for the end of what Node started and left behind."""
        while self.processes():
            time.sleep(0.01)

    def wait(self, seconds: float = TIMEOUT_SECONDS) -> StageResult:
        """Wait for the end, and read what is left behind.

        Raises:
            subprocess.TimeoutExpired: it had not ended after so many seconds.
        """
        # The end of its output is seen at once; that of a process, by `subprocess`, 0.05 s late.
        if not self._output.has_ended(seconds):
            raise subprocess.TimeoutExpired(self._process.args, seconds)
        self._process.wait(seconds)
        return self._leave(0)

    def _leave(self, patience: float) -> StageResult:
        """Go on, after so many seconds even if somebody could still write."""
        self._output.has_ended(patience)
        return self._runner.finish(self._output.so_far(), self._process.returncode, self._files)


def _node(path: str) -> str:
    found = shutil.which("node", path=path) or shutil.which("node")
    if found is None:
        raise FileNotFoundError("node is not on PATH")
    return found
