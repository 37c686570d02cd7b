"""A Reoclo API that knows only what was recorded. It shares no code with the action."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any

from werkzeug import Request, Response

from tests.fake_api import audit, faults, recording
from tests.fake_api.rate_limit import Limiter
from tests.fake_api.recording import Exchange, Recording, Values
from tests.fake_api.recording import Response as Answer
from tests.fake_api.server import Served

# What no recording answers gets this status, which no client takes for a passing fault.
UNEXPECTED = 418

_BEARER = re.compile(r"Bearer ((?:rca|rk_a)_[!-~]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request that came, and what became of it.

    `status` is None where it was not answered; `fault` says what befell it, if anything did.
    """

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int | None
    fault: str

    @property
    def outcome(self) -> str:
        """Tell what became of it, in a word or two."""
        return " ".join(str(part) for part in (self.status, self.fault) if part)

    def __str__(self) -> str:
        """Tell it on one line."""
        return f"{self.method} {self.path} {json.dumps(self.body)} -> {self.outcome}"


@dataclass(slots=True)
class Conversation:
    """A recording as it is being played to one login."""

    recording: Recording
    values: Values
    started: float
    reached: int = 0
    counts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Count the requests of each exchange."""
        self.counts = [0] * len(self.recording.exchanges)

    def find(self, method: str, path: str, body: object) -> int | None:
        """Find the exchange that a request belongs to: the present one, or one that may follow."""
        for index in range(self.reached, len(self.counts)):
            exchange = self.recording.exchanges[index]
            is_open = exchange.most is None or self.counts[index] < exchange.most
            if is_open and exchange.expects(method, path, body, self.values):
                return index
            if self.counts[index] < exchange.least:
                return None
        return None

    def play(self, index: int) -> Answer:
        """Go on to an exchange, and give its answer to the next request."""
        self.reached = index
        response = self.recording.exchanges[index].respond(self.counts[index], self.elapsed())
        self.counts[index] += 1
        return response

    def elapsed(self) -> float:
        """Give the seconds since the login was asked for."""
        return time.monotonic() - self.started

    def missing(self) -> Iterator[Exchange]:
        """Give the exchanges that were to come and did not."""
        for exchange, count in zip(self.recording.exchanges, self.counts, strict=True):
            if count < exchange.least:
                yield exchange


class FakeApi(Served):
    """Plays recordings over HTTP, one to each login, and remembers what it was asked.

    Args:
        recordings: Played in this order.
        endless: Whether the last recording is played to every further login; otherwise
            such a login is unexpected.
        host: The address to listen on.
        port: The port; 0 for any that is free.
        tls: What certificate to show, for https.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        *,
        endless: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._waiting = list(recordings)
        self._endless = endless
        self._conversations: list[Conversation] = []
        self._lock = threading.Lock()
        limits = (entry.rate_limit for entry in self._waiting)
        self._limiter = Limiter(next((limit for limit in limits if limit), None))
        super().__init__(self._handle, host=host, port=port, tls=tls)
        self.requests: list[SeenRequest] = []
        self.audit_trail: list[audit.AuditEntry] = []

    def calls(self) -> list[str]:
        """Give what was asked, in order, each as a word; polls in a row are one."""
        words = [_word(request) for request in self.requests]
        return [word for word, before in zip(words, [None, *words], strict=False) if word != before]

    def verify(self) -> None:
        """Check that all that was recorded was asked, and nothing else.

        Raises:
            AssertionError: lists what was not expected and what did not come.
        """
        problems = [f"unexpected: {seen}" for seen in self.requests if seen.status == UNEXPECTED]
        for conversation in self._conversations:
            problems += [
                f"missing: {exchange.method} {exchange.path} ({conversation.recording.name})"
                for exchange in conversation.missing()
            ]
        if not self._endless:
            problems += [f"missing: a login for {waiting.name}" for waiting in self._waiting]
        if problems:
            raise AssertionError("\n".join([*problems, "seen:", *map(str, self.requests)]))

    def _handle(self, request: Request) -> Response:
        at = time.time()
        body = request.get_json(silent=True) if request.data else None
        key = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        with self._lock:
            answer = self._answer(request, body, key[1] if key else "")
            self._remember(request, body, at, answer)
            if key and request.path in audit.OPERATIONS and isinstance(body, dict):
                self.audit_trail.append(
                    audit.entry(
                        at=_iso(at), path=request.path, status=answer.status, key=key[1], body=body
                    )
                )
        time.sleep(answer.delay)
        if answer.fault == "refuse":
            self._server.go_out(answer.seconds)
        response = _response(answer)
        return faults.befall(answer.fault, request, response) if answer.fault else response

    def _remember(self, request: Request, body: object, at: float, answer: Answer) -> None:
        self.requests.append(
            SeenRequest(
                at=at,
                method=request.method,
                path=request.path,
                headers=dict(request.headers),
                body=body,
                status=answer.status,
                fault=answer.fault,
            )
        )

    def _answer(self, request: Request, body: object, key: str) -> Answer:
        """Find the answer to a request, with its placeholders filled."""
        upcoming = self._next(body)
        for conversation in [*self._conversations, *([upcoming] if upcoming else [])]:
            index = conversation.find(request.method, request.path, body) if key else None
            if index is None:
                continue
            wait = self._limiter.admit(key)
            if wait is not None:
                return _own_answer(429, "Rate limit exceeded for this key", str(wait))
            if conversation is upcoming:
                self._begin(conversation)
            return _filled(conversation.play(index), conversation)
        return _own_answer(UNEXPECTED, "No recording expects this request now.")

    def _next(self, body: object) -> Conversation | None:
        """Prepare the conversation that this request may begin."""
        if not self._waiting:
            return None
        upcoming = self._waiting[0]
        seed = f"{upcoming.name}/{len(self._conversations)}"
        minted = {
            name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{name}"))
            for name in ("login_operation", "logout_operation")
        }
        given = body.items() if isinstance(body, dict) else ()
        fields = {name: value for name, value in given if isinstance(value, str)}
        return Conversation(upcoming, {**fields, **minted}, time.monotonic())

    def _begin(self, conversation: Conversation) -> None:
        self._conversations.append(conversation)
        if not self._endless or len(self._waiting) > 1:
            self._waiting.pop(0)


def _word(request: SeenRequest) -> str:
    return "poll" if "/operations/" in request.path else request.path.rpartition("/")[2]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _own_answer(status: int, detail: str, retry_after: str = "") -> Answer:
    return Answer(
        status=status,
        fault="",
        headers={"Retry-After": retry_after} if retry_after else {},
        body={"detail": detail},
        requests=None,
        seconds=None,
        delay=0.0,
    )


def _filled(answer: Answer, conversation: Conversation) -> Answer:
    """Put the conversation's values into an answer, and count its seconds from now on."""
    values = {**conversation.values, "now": _iso(time.time())}
    left = None if answer.seconds is None else max(0.0, answer.seconds - conversation.elapsed())
    return replace(answer, body=recording.fill(answer.body, values), seconds=left)


def _response(answer: Answer) -> Response:
    if answer.body is recording.NO_BODY:
        return Response(None, answer.status, answer.headers)
    if isinstance(answer.body, str):
        body, kind = answer.body, "text/html"
    else:
        body, kind = json.dumps(answer.body), "application/json"
    return Response(body, answer.status, {"Content-Type": kind, **answer.headers})
