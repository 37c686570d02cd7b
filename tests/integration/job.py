"""A job with the action as its step, in this process."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from lib import entry
from lib.api.connection import Limits
from lib.api.transport import Response, Transport, open_session
from lib.cancellation import Cancellation
from lib.deadline import Clock, Deadline
from lib.entry import System

KEY = "rca_Zm9vYmFy0123456789"
SERVER_ID = "11111111-2222-4333-8444-555555555555"
CREDENTIAL_ID = "66666666-7777-4888-9999-000000000000"
LOGIN_ID = "99999999-8888-4777-8666-555555555555"
LIMITS = Limits(address=0.3, connect=2, read=5)
GITHUB = {
    "GITHUB_ACTION": "login",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Deploy",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_SHA": "f00dfeed",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_RUN_ID": "42",
}
VAULT: Mapping[str, str] = {"INPUT_CREDENTIAL_ID": CREDENTIAL_ID}
PASSTHROUGH: Mapping[str, str] = {
    "INPUT_USERNAME": "octocat",
    "INPUT_ACCESS_TOKEN": "ghp_0123456789",
    "INPUT_REGISTRY_URL": "ghcr.io",
}
# How many seconds of the step one second of a sleep is.
SPEED = 1000

# They would change what a test connects to, and what it trusts.
_FOREIGN = ("PROXY", "SSL_CERT", "CA_BUNDLE", "EXTRA_CA", "NETRC")
_ENTRY = re.compile(r"^login(?:=|<<(.+)\n)(.*)$", re.MULTILINE)
_OUTPUT = re.compile(r"^(\w+)<<(.+)\n(.*)\n\2$", re.MULTILINE)


class FastTime(Cancellation):
    """Clock whose sleeps are short."""

    def __init__(self, is_abandoned: Callable[[], bool] = lambda: False) -> None:
        super().__init__(is_abandoned)
        self._skipped = 0.0

    def now(self) -> float:
        """Return monotonic seconds, with those that were skipped."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Sleep for a fraction of the time."""
        self.raise_if_canceled()
        time.sleep(seconds / SPEED)
        self._skipped += seconds - seconds / SPEED


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a step ended: exit code, log, annotations, and anchors of troubleshooting.md."""

    code: int
    log: list[str]
    errors: list[str]
    warnings: list[str]
    anchors: list[str]

    @classmethod
    def parse(cls, code: int, text: str) -> Ended:
        """Return how a step with this log ended."""

        def after(start: str) -> list[str]:
            return re.findall(rf"^{start}(.*)$", text, re.MULTILINE)

        return cls(
            code=code,
            log=text.splitlines(),
            errors=after("::error::"),
            warnings=after("::warning::"),
            anchors=after("Troubleshooting: .*#"),
        )


class Job:
    """Runs main and post as the launcher does, one after the other.

    `api_url` can be the port of a plain http server. The mode is vault unless `variables` has
    the inputs of passthrough.
    """

    def __init__(self, folder: Path, api_url: str | int, **variables: Any) -> None:
        self.state, self._output = folder / "state", folder / "output"
        self.limits = LIMITS
        self.padding = 0  # bytes in the state file before main's own entries
        url = f"http://127.0.0.1:{api_url}" if isinstance(api_url, int) else api_url
        self.variables = {
            "INPUT_API_KEY": KEY,
            "INPUT_SERVER_ID": SERVER_ID,
            "INPUT_API_URL": url,
            **(PASSTHROUGH if "INPUT_USERNAME" in variables else VAULT),
            **GITHUB,
            "GITHUB_STATE": str(self.state),
            "GITHUB_OUTPUT": str(self._output),
            **variables,
        }

    def main(self) -> Ended:
        """Run main, after what the launcher saves."""
        none = {"version": 2, "stage": "none", "id": LOGIN_ID, "step": "login"}
        padding = f"other={'x' * self.padding}\n"
        self.state.write_text(f"{padding}login={json.dumps(none)}\n", "utf-8")
        return self._run(entry.main, {"DOCKER_AUTH_LOGIN_ID": LOGIN_ID})

    def post(self, **variables: Any) -> Ended:
        """Run post with what main saved."""
        saved = _ENTRY.findall(self.state.read_text("utf-8")) if self.state.exists() else []
        state = {"STATE_login": saved[-1][1]} if saved else {}
        return self._run(entry.post, {**state, **variables})

    def logout(self) -> Ended:
        """Run the logout action."""
        return self._run(entry.logout, {})

    @property
    def states(self) -> list[dict[str, Any]]:
        """What main saved, in order."""
        return [json.loads(text) for _, text in _ENTRY.findall(self.state.read_text("utf-8"))][1:]

    @property
    def stages(self) -> list[str]:
        """The stages that main saved, each once."""
        return list(dict.fromkeys(state["stage"] for state in self.states))

    @property
    def outputs(self) -> dict[str, str]:
        """The step outputs."""
        text = self._output.read_text("utf-8") if self._output.exists() else ""
        return {name: value for name, _, value in _OUTPUT.findall(text)}

    def _run(
        self, step: Callable[[Mapping[str, str], io.StringIO, System], int], more: Mapping[str, Any]
    ) -> Ended:
        connect = partial(entry.open_transport, limits=self.limits)
        system = System(clock=FastTime, open_transport=connect)
        stream = io.StringIO()
        code = step({**self.variables, **more}, stream, system)
        return Ended.parse(code, stream.getvalue())


@contextmanager
def transport_to(port: int, limits: Limits = LIMITS) -> Iterator[Callable[..., Response]]:
    """Yield a function that sends a request over a kept connection to a plain http server."""
    clock = Clock()
    with open_session(KEY, None) as session:
        transport = Transport(f"http://127.0.0.1:{port}", session, clock, limits)

        def send(method: str, path: str, *, seconds: float = 20) -> Response:
            return transport.send(method, path, {}, deadlines=(Deadline(clock, seconds),))

        yield send


@contextmanager
def clean_process() -> Iterator[None]:
    """Remove foreign variables from this process; restore variables and signals afterwards."""
    before = dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for name in before:
        if any(part in name.upper() for part in _FOREIGN):
            del os.environ[name]
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
        for number, handler in handlers.items():
            signal.signal(number, handler)
