"""The fake API. It shares no code with the action, so that it cannot share its bugs."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timezone
from itertools import groupby
from typing import Any, NamedTuple

from werkzeug import Request
from werkzeug import Response as HttpResponse

from tests.fake_api.recording import NO_BODY, Recording, Response, fill
from tests.fake_api.server import LocalServer, inject

# Status for a request that no recording expects. No client retries it.
UNEXPECTED = 418
AUDIT_ENTRY = """\
{at}  {operation}  {outcome}
   what    server {server_id}, {target}
   who     {actor}, with key {key}
   where   {repository}, workflow {workflow}, on {trigger}
   run     {run_id} ({provider})
   commit  {sha} on {ref}"""
_BEARER = re.compile(r"Bearer ((?:r[a-z]{2,3}|rk_[a-z])_[!-~]+)")


class SeenRequest(NamedTuple):
    """Request that arrived. `status` is that of its response, None if a fault left none."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int | None = None

    @property
    def key(self) -> str:
        """The automation key; empty if there is none."""
        found = _BEARER.fullmatch(self.headers.get("Authorization", ""))
        return found[1] if found else ""

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status or 'no response'}"


class Session:
    """One conversation: a recording that is being played to the login with a body."""

    def __init__(self, recording: Recording, number: int, body: object) -> None:
        self.recording = recording
        self._started = time.monotonic()
        self._position = 0
        self._counts = [0] * len(recording.exchanges)
        fields = body.items() if isinstance(body, dict) else ()
        self._values = {name: value for name, value in fields if isinstance(value, str)}
        for name in ("login_operation", "logout_operation"):
            seed = f"{recording.name}/{number}/{name}"
            self._values[name] = str(uuid.uuid5(uuid.NAMESPACE_URL, seed))

    def find(self, seen: SeenRequest) -> int | None:
        """Return the index of the exchange that expects a request now, or None."""
        for index in range(self._position, len(self._counts)):
            exchange, count = self.recording.exchanges[index], self._counts[index]
            is_open = exchange.most is None or count < exchange.most
            if is_open and exchange.matches(seen.method, seen.path, seen.body, self._values):
                return index
            if count < exchange.least:
                return None
        return None

    def respond(self, index: int) -> Response:
        """Count a request of an exchange, and return its response with placeholders filled."""
        elapsed = time.monotonic() - self._started
        response = self.recording.exchanges[index].respond(self._counts[index], elapsed)
        self._position = index
        self._counts[index] += 1
        left = None if response.seconds is None else max(0.0, response.seconds - elapsed)
        values = {**self._values, "now": _iso(time.time())}
        return replace(response, body=fill(response.body, values), seconds=left)

    def missing(self) -> list[str]:
        """Describe the exchanges that got fewer requests than expected."""
        pairs = zip(self.recording.exchanges, self._counts, strict=True)
        name = self.recording.name
        return [f"missing: {e.method} {e.path} ({name})" for e, count in pairs if count < e.least]


class FakeApi(LocalServer):
    """Context manager: HTTP server that plays recordings, one to each login, in their order.

    With `endless`, the last one is played to every further login, which otherwise is unexpected.
    `log` is called with a text for each request and audit log entry. `server`: see `LocalServer`.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        *,
        endless: bool = False,
        log: Callable[[str], None] = lambda _: None,
        **server: Any,
    ) -> None:
        super().__init__(self._handle, **server)
        self.requests: list[SeenRequest] = []
        self.audit_trail: list[str] = []
        self._waiting = list(recordings)
        self._endless = endless
        self._log = log
        self._sessions: list[Session] = []
        self._lock = threading.Lock()

    def calls(self) -> list[str]:
        """Return the requests in order, each as a word; consecutive equal words are one."""
        return [word for word, _ in groupby(map(_word, self.requests))]

    def verify(self) -> None:
        """Raise an AssertionError unless exactly the expected requests arrived."""
        unexpected = [seen for seen in self.requests if seen.status == UNEXPECTED]
        problems = [f"unexpected: {seen} {json.dumps(seen.body)}" for seen in unexpected]
        problems += [line for session in self._sessions for line in session.missing()]
        if not self._endless:
            problems += [f"missing: a login for {waiting.name}" for waiting in self._waiting]
        if problems:
            raise AssertionError("\n".join([*problems, "seen:", *map(str, self.requests)]))

    def _handle(self, request: Request) -> HttpResponse:
        body = request.get_json(silent=True) if request.data else None
        headers = dict(request.headers)
        seen = SeenRequest(time.time(), request.method, request.path, headers, body)
        with self._lock:
            response = self._respond(seen)
            self._remember(seen._replace(status=response.status))
        time.sleep(response.delay)
        if response.fault == "refuse":
            self.pause(response.seconds)
        sent = _http_response(response)
        return inject(response.fault, request, sent) if response.fault else sent

    def _respond(self, seen: SeenRequest) -> Response:
        new = [Session(self._waiting[0], len(self._sessions), seen.body)] if self._waiting else []
        for session in [*self._sessions, *new]:
            index = session.find(seen) if seen.key else None
            if index is None:
                continue
            if session in new:
                self._sessions.append(session)
                if not self._endless or len(self._waiting) > 1:
                    self._waiting.pop(0)
            return session.respond(index)
        return Response(status=UNEXPECTED, body={"detail": "No recording expects this request."})

    def _remember(self, seen: SeenRequest) -> None:
        self.requests.append(seen)
        self._log(str(seen))
        if seen.key and "/registry-auth/" in seen.path and isinstance(seen.body, dict):
            self.audit_trail.append(_audit_entry(seen, seen.body))
            self._log(self.audit_trail[-1])


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _word(seen: SeenRequest) -> str:
    return "poll" if "/operations/" in seen.path else seen.path.rpartition("/")[2]


def _audit_entry(seen: SeenRequest, body: dict[str, Any]) -> str:
    """Return the audit log entry of a login or logout request, with both ends of its key."""
    rejected = f"rejected ({seen.status})" if seen.status else "no response"
    fields = {
        **(body.get("run_context") or {}),
        **body,
        "at": _iso(seen.at),
        "operation": f"registry_{_word(seen).removesuffix('-direct')}",
        "outcome": "accepted" if seen.status in {200, 202, 204} else rejected,
        "key": f"{seen.key[:4]}…{seen.key[-4:]}",
        "target": body.get("registry_url") or f"credential {body.get('credential_id')}",
    }
    return AUDIT_ENTRY.format_map(defaultdict(lambda: "?", fields))


def _http_response(response: Response) -> HttpResponse:
    if response.body is NO_BODY:
        return HttpResponse(None, response.status, response.headers)
    is_text = isinstance(response.body, str)
    body = response.body if is_text else json.dumps(response.body)
    headers = {"Content-Type": "text/html" if is_text else "application/json", **response.headers}
    return HttpResponse(body, response.status, headers)
