"""One job with one step: main, then post, each with what a runner gives it.

As in actions/runner, src/Runner.Worker/ActionRunner.cs and Handlers/NodeScriptActionHandler.cs:
fresh command files for each stage, inputs evaluated again for post, state handed to post,
files read even after a kill, signals sent to the Node process alone.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import yaml

from tests.runner import files
from tests.runner.checkout import ROOT
from tests.runner.log import Log
from tests.runner.processes import Process, in_session

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
        environment: What the job's `env` and earlier steps set, over the runner's own variables;
            Node and Python are found on its PATH.
        through_node: Whether to start the action through Node. No runner does otherwise; it is
            for a demo on a machine without Node.
    """

    def __init__(
        self,
        folder: Path,
        inputs: Inputs | Callable[[Stage], Inputs],
        *,
        action: Path = ROOT,
        environment: Mapping[str, str] | None = None,
        through_node: bool = True,
    ) -> None:
        self._folder = folder
        self._action = action
        self._inputs = inputs
        self._environment = {"PATH": os.environ["PATH"], **(environment or {})}
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
        command_files = self._fresh_files()
        process = subprocess.Popen(
            self._command(stage),
            cwd=self.workspace,
            env=self._variables(stage, command_files),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that kill() can end them all, and nothing else
        )
        return RunningStage(self, process, command_files)

    def finish(self, output: str, exit_code: int, command_files: dict[str, Path]) -> StageResult:
        """Read what a stage that has ended left behind, and keep its state and masks."""
        log = Log(is_debug=self._environment.get("RUNNER_DEBUG") == "1", masks=self._masks)
        log.feed(output)
        state_text = command_files["GITHUB_STATE"].read_text("utf-8")
        state = files.parse(state_text)
        self._state.update(state)
        return StageResult(
            exit_code=exit_code,
            output=output,
            log=log,
            state=state,
            outputs=files.parse(command_files["GITHUB_OUTPUT"].read_text("utf-8")),
            state_text=state_text,
        )

    def _command(self, stage: Stage) -> list[str]:
        if not self._through_node:
            return [sys.executable, "-BsSu", str(self._action / f"{stage}.py")]
        return [_node(self._environment["PATH"]), str(self._action / self._metadata["runs"][stage])]

    def _fresh_files(self) -> dict[str, Path]:
        """Make new command files; those of an earlier stage stay until the job ends."""
        folder = self.temp / "_runner_file_commands"
        folder.mkdir(exist_ok=True)
        number = uuid.uuid4()
        made = {
            "GITHUB_STATE": folder / f"save_state_{number}",
            "GITHUB_OUTPUT": folder / f"set_output_{number}",
            "GITHUB_ENV": folder / f"set_env_{number}",
            "GITHUB_PATH": folder / f"add_path_{number}",
            "GITHUB_STEP_SUMMARY": folder / f"step_summary_{number}",
        }
        for path in made.values():
            path.touch()
        return made

    def _variables(self, stage: Stage, command_files: dict[str, Path]) -> dict[str, str]:
        """Put the environment together, in the order in which one beats the other."""
        variables = {"HOME": str(self._folder), "CI": "true", **self._environment}
        if stage == "post":
            variables |= {f"STATE_{name}": value for name, value in self._state.items()}
        variables |= self._input_variables(stage)
        variables |= {"RUNNER_TEMP": str(self.temp)}
        variables |= {name: value for name, value in GITHUB.items() if name not in variables}
        return variables | {name: str(path) for name, path in command_files.items()}

    def _input_variables(self, stage: Stage) -> dict[str, str]:
        given = self._inputs(stage) if callable(self._inputs) else self._inputs
        declared: dict[str, Any] = self._metadata["inputs"]
        values = {name: str(about.get("default", "")) for name, about in declared.items()}
        return {f"INPUT_{name.upper()}": value for name, value in {**values, **given}.items()}


class RunningStage:
    """A stage that has begun."""

    def __init__(
        self, runner: Runner, process: subprocess.Popen[bytes], command_files: dict[str, Path]
    ) -> None:
        self._runner = runner
        self._process = process
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

    def kill(self) -> None:
        """Kill Node and what it started, without a signal that they could act on."""
        os.killpg(self._process.pid, signal.SIGKILL)

    def kill_node(self) -> StageResult:
        """Kill Node alone, and go on at once, as a runner does; what Node started lives on."""
        self._process.kill()
        self._process.wait(TIMEOUT_SECONDS)
        assert self._process.stdout
        os.set_blocking(self._process.stdout.fileno(), False)
        return self._finish(self._process.stdout.read() or b"")

    def wait_for_orphans(self) -> None:
        """Wait for the end of what Node started and left behind."""
        assert self._process.stdout
        with self._process.stdout as pipe:
            os.set_blocking(pipe.fileno(), True)
            pipe.read()

    def wait(self, seconds: float = TIMEOUT_SECONDS) -> StageResult:
        """Wait for the end, and read what is left behind.

        Raises:
            subprocess.TimeoutExpired: it had not ended after so many seconds.
        """
        output, _ = self._process.communicate(timeout=seconds)
        return self._finish(output)

    def _finish(self, output: bytes) -> StageResult:
        return self._runner.finish(
            output.decode("utf-8", "replace"), self._process.returncode, self._files
        )


GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_RUN_ID": "7301",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_SHA": "0123456789abcdef0123456789abcdef01234567",
    "GITHUB_WORKFLOW": "Deploy",
    "RUNNER_OS": "Linux",
}


def _node(path: str) -> str:
    found = shutil.which("node", path=path) or shutil.which("node")
    if found is None:
        raise FileNotFoundError("node is not on PATH")
    return found
