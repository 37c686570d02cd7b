"""A job with the action as its step, in this process."""

from __future__ import annotations

import io
import json
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from lib import entry
from lib.api.connection import Limits
from lib.api.transport import Response, Transport, open_session
from lib.cancellation import Cancellation
from lib.deadline import Deadline
from lib.entry import System
from tests.variables import KEY, LOGIN_ID, VARIABLES

LIMITS = Limits(address=0.3, connect=2, read=5)
_STATE = re.compile(r"^login(?:=|<<.+\n)(.*)$", re.MULTILINE)
_OUTPUT = re.compile(r"^(\w+)<<(.+)\n.*\n\2$", re.MULTILINE)


class FastTime(Cancellation):
    """Clock whose sleeps are short."""

    def __init__(self, is_abandoned: Callable[[], bool] = lambda: False) -> None:
        super().__init__(is_abandoned)
        self._skipped = 0.0

    def now(self) -> float:
        """Return monotonic seconds, with those that were skipped."""
        return time.monotonic() + self._skipped

    def sleep(self, seconds: float) -> None:
        """Sleep for a thousandth of the time."""
        self.raise_if_canceled()
        time.sleep(seconds / 1000)
        self._skipped += seconds - seconds / 1000


class Ended:
    """How a step ended: exit code, log, annotations, and anchors of troubleshooting.md."""

    def __init__(self, code: int, text: str) -> None:
        self.code, self.log = code, text.splitlines()
        self.errors = re.findall("^::error::(.*)", text, re.MULTILINE)
        self.warnings = re.findall("^::warning::(.*)", text, re.MULTILINE)
        self.anchors = re.findall("^Troubleshooting: .*#(.*)", text, re.MULTILINE)


class Job:
    """Runs main and post as the launcher does."""

    def __init__(self, folder: Path, api_url: str, **variables: Any) -> None:
        self.state, self.output = folder / "state", folder / "output"
        self.variables = {
            **VARIABLES,
            "INPUT_API_URL": api_url,
            "GITHUB_STATE": str(self.state),
            "GITHUB_OUTPUT": str(self.output),
            **variables,
        }

    def main(self) -> Ended:
        """Run main, after what the launcher saves."""
        none = {"version": 2, "stage": "none", "id": LOGIN_ID, "step": "login"}
        with self.state.open("a", encoding="utf-8") as file:
            file.write(f"login={json.dumps(none)}\n")
        return self._run(entry.main, {"DOCKER_AUTH_LOGIN_ID": LOGIN_ID})

    def post(self, **variables: Any) -> Ended:
        """Run post with what main saved last."""
        saved = _STATE.findall(self.state.read_text("utf-8"))
        return self._run(entry.post, {"STATE_login": saved[-1], **variables})

    def logout(self) -> Ended:
        """Run the logout action."""
        return self._run(entry.logout, {})

    @property
    def stages(self) -> list[str]:
        """The stages that main saved, each once."""
        saved = _STATE.findall(self.state.read_text("utf-8"))[1:]
        return list(dict.fromkeys(json.loads(state)["stage"] for state in saved))

    @property
    def outputs(self) -> list[str]:
        """The names of the step outputs."""
        text = self.output.read_text("utf-8") if self.output.exists() else ""
        return [name for name, _ in _OUTPUT.findall(text)]

    def _run(
        self, step: Callable[[Mapping[str, str], io.StringIO, System], int], more: Mapping[str, Any]
    ) -> Ended:
        connect = partial(entry.open_transport, limits=LIMITS)
        system = System(clock=FastTime, open_transport=connect)
        stream = io.StringIO()
        code = step({**self.variables, **more}, stream, system)
        return Ended(code, stream.getvalue())


@contextmanager
def transport_to(
    url: str,
    tls: ssl.SSLContext | None = None,
    *,
    proxy: str = "",
    limits: Limits = LIMITS,
    seconds: float = 20,
    is_abandoned: Callable[[], bool] = lambda: False,
) -> Iterator[Callable[[str, str], Response]]:
    """Yield a function that sends a request over a kept connection."""
    clock = Cancellation(is_abandoned)
    with open_session(KEY, tls) as session:
        session.proxies = {"https": proxy} if proxy else {}
        transport = Transport(url, session, clock, limits)

        def send(method: str, path: str) -> Response:
            return transport.send(method, path, {}, deadlines=(Deadline(clock, seconds),))

        yield send
