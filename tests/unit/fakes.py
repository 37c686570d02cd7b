"""A clock and a transport without real time and a real network."""

from __future__ import annotations

import json
from typing import Any

from lib.api.client import Client
from lib.api.transport import Response
from lib.deadline import Clock, Deadlines
from lib.run_context import RunContext

CONTEXT = RunContext(**dict.fromkeys(RunContext.__dataclass_fields__, "x"))


class FakeClock(Clock):
    """Clock that a sleep moves forward immediately."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.sleeps: list[float] = []

    def now(self) -> float:
        """Return the seconds so far."""
        return self.time

    def sleep(self, seconds: float) -> None:
        """Move time forward."""
        self.sleeps.append(seconds)
        self.time += seconds


def response(body: object, status: int = 200, retry_after: float | None = None) -> Response:
    """Return a response with a JSON body, or with the body's own bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, body=content, retry_after=retry_after)


class StubApi:
    """Transport whose responses are listed in order; the last one repeats."""

    def __init__(self, *responses: Response | Exception) -> None:
        self.requests: list[tuple[str, dict[str, Any] | None]] = []
        self.limits: list[list[float]] = []
        self.log: list[str] = []
        self._responses = list(responses)

    def send(
        self, method: str, path: str, body: dict[str, Any] | None, *, deadlines: Deadlines
    ) -> Response:
        """Return the next response, or raise it."""
        self.requests.append((f"{method} {path}", body))
        self.limits.append([round(deadline.remaining(), 6) for deadline in deadlines])
        found = self._responses.pop(0) if self._responses[1:] else self._responses[0]
        if isinstance(found, Exception):
            raise found
        return found

    def client(self, clock: Clock) -> Client:
        """Return a client that sends to this transport."""
        return Client(self, CONTEXT, clock, info=self.log.append, debug=self.log.append)
