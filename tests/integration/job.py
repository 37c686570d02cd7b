"""A job with the action as its step, in this process: variables and files in, a log out."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib import entry, login, logout
from lib.client import Client
from lib.environment import Environment
from lib.inputs import read_inputs
from lib.transport import Transport, open_session
from lib.workflow import Workflow
from tests.unit.fake_clock import FakeCancellation, FakeClock

KEY = "rca_Zm9vYmFy0123456789"
SERVER_ID = "11111111-2222-4333-8444-555555555555"
CREDENTIAL_ID = "66666666-7777-4888-9999-000000000000"
CONTEXT = {
    "provider": "github_actions",
    "repository": "acme/shop",
    "workflow": "Deploy",
    "trigger": "push",
    "actor": "octocat",
    "sha": "f00dfeed",
    "ref": "refs/heads/main",
}
LOGIN_BODY = {
    "server_id": SERVER_ID,
    "credential_id": CREDENTIAL_ID,
    "run_id": "42",
    "run_context": CONTEXT,
}

_ENTRY = re.compile(r"^(\w+)<<(.+)\n(.*)\n\2\n", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a step ended: its exit code and its log."""

    code: int
    log: list[str]

    def annotations(self, kind: str) -> list[str]:
        """Give the annotations of a kind, without the command."""
        return [line.partition(f"::{kind}::")[2] for line in self.log if f"::{kind}::" in line]


def _tell_nobody(_line: str) -> None:
    pass


class Job:
    """Runs main and post as a runner would, one after the other.

    Args:
        folder: Where the runner's files are.
        api_url: What the action is given as api_url.
        variables: More variables, or others; None removes one.
    """

    def __init__(self, folder: Path, api_url: str, **variables: str | None) -> None:
        self._state = folder / "state"
        self._output = folder / "output"
        given: dict[str, str | None] = {
            "INPUT_API_KEY": KEY,
            "INPUT_SERVER_ID": SERVER_ID,
            "INPUT_CREDENTIAL_ID": CREDENTIAL_ID,
            "INPUT_API_URL": api_url,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_WORKFLOW": "Deploy",
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_ACTOR": "octocat",
            "GITHUB_SHA": "f00dfeed",
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_RUN_ID": "42",
            "GITHUB_STATE": str(self._state),
            "GITHUB_OUTPUT": str(self._output),
            **variables,
        }
        self._variables = {name: value for name, value in given.items() if value is not None}

    def main(self) -> Ended:
        """Run the main step as the launcher does."""
        return _run(entry.main, self._variables)

    def post(self, **variables: str) -> Ended:
        """Run the post step as the launcher does, with what main saved."""
        return _run(entry.post, {**self._post_variables(), **variables})

    def logout(self) -> Ended:
        """Run the action that only logs out, as the launcher does."""
        return _run(entry.logout, self._variables)

    def main_on_fake_time(self, tick: float = 0.0) -> list[str]:
        """Run main's task with waits that take no time; its error is raised."""
        environment = Environment(self._variables)
        stream = io.StringIO()
        workflow = self._workflow(environment, stream)
        cancellation = FakeCancellation(tick)
        inputs = read_inputs(environment)
        login.log_in(
            inputs,
            is_composite=environment.is_composite(),
            client=_client(environment, inputs.api_url, inputs.api_key, workflow, cancellation),
            workflow=workflow,
            cancellation=cancellation,
        )
        return stream.getvalue().splitlines()

    def post_on_fake_time(self, clock: FakeClock) -> list[str]:
        """Run post's task with waits that take no time; its error is raised."""
        environment = Environment(self._post_variables())
        stream = io.StringIO()
        workflow = self._workflow(environment, stream)
        logout.log_out(
            environment.saved_state(),
            environment.input("api_key"),
            connect=lambda url, key: _client(environment, url, key, workflow, clock),
            workflow=workflow,
            clock=clock,
        )
        return stream.getvalue().splitlines()

    def states(self) -> list[dict[str, Any]]:
        """Give every state that was saved, in order."""
        return [json.loads(value) for name, value in _entries(self._state) if name == "login"]

    def stages(self) -> list[str]:
        """Give the stage of every state that was saved."""
        return [state["stage"] for state in self.states()]

    def outputs(self) -> list[tuple[str, str]]:
        """Give the outputs that were set, in order."""
        return _entries(self._output)

    def _post_variables(self) -> dict[str, str]:
        saved = _entries(self._state)
        return {**self._variables, **({"STATE_login": saved[-1][1]} if saved else {})}

    @staticmethod
    def _workflow(environment: Environment, stream: io.StringIO) -> Workflow:
        return Workflow(
            stream,
            state_file=environment.state_file(),
            output_file=environment.output_file(),
            debug=True,
        )


def connect(
    api_url: str,
    *,
    info: Callable[[str], None] = _tell_nobody,
    debug: Callable[[str], None] = _tell_nobody,
) -> tuple[Client, FakeClock]:
    """Open a client and the fake clock that it waits on."""
    clock = FakeClock()
    transport = Transport(api_url, open_session(KEY, None))
    run = Environment({}).run()
    return Client(transport, run, clock, info=info, debug=debug), clock


def _client(
    environment: Environment,
    api_url: str,
    api_key: str,
    workflow: Workflow,
    clock: FakeCancellation | FakeClock,
) -> Client:
    return Client(
        Transport(api_url, open_session(api_key, None)),
        environment.run(),
        clock,
        info=workflow.info,
        debug=workflow.debug,
    )


def _run(step: Callable[[Mapping[str, str], io.StringIO], int], variables: dict[str, str]) -> Ended:
    stream = io.StringIO()
    code = step(variables, stream)
    return Ended(code=code, log=stream.getvalue().splitlines())


def _entries(file: Path) -> list[tuple[str, str]]:
    written = file.read_text("utf-8") if file.exists() else ""
    return [(name, value) for name, _, value in _ENTRY.findall(written)]
