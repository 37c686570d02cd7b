"""A Reoclo API that knows only what was recorded. It shares no code with the action."""

from __future__ import annotations

import json
import re
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from tests.fake_api import audit, recording
from tests.fake_api.recording import Exchange, Recording, Values
from tests.fake_api.recording import Response as Answer

if TYPE_CHECKING:
    from typing_extensions import Self

# What no recording answers gets this status, which no client takes for a passing fault.
UNEXPECTED = 418

_BEARER = re.compile(r"Bearer ((?:rca|rk_a)_[!-~]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRequest:
    """A request that came, and the status it was answered with."""

    at: float
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int

    def __str__(self) -> str:
        """Tell it on one line."""
        return f"{self.method} {self.path} {json.dumps(self.body)} -> {self.status}"


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
        response = self.recording.exchanges[index].respond(
            self.counts[index], time.monotonic() - self.started
        )
        self.counts[index] += 1
        return response

    def missing(self) -> Iterator[Exchange]:
        """Give the exchanges that were to come and did not."""
        for exchange, count in zip(self.recording.exchanges, self.counts, strict=True):
            if count < exchange.least:
                yield exchange


class QuickServer(HTTPServer):
    """A server that stops at once, where its base waits for half a second."""

    def thread_target(self) -> None:
        """Serve until it is stopped."""
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.01)


class FakeApi:
    """Plays recordings over HTTP, one to each login, and remembers what it was asked.

    Args:
        recordings: Played in this order.
        endless: Whether the last recording is played to every further login; otherwise
            such a login is unexpected.
        host: The address to listen on.
        port: The port; 0 for any that is free.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        *,
        endless: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._waiting = list(recordings)
        self._endless = endless
        self._conversations: list[Conversation] = []
        self._lock = threading.Lock()
        self._server = QuickServer(host=host, port=port, threaded=True)
        self._server.expect_request(re.compile(".*")).respond_with_handler(self._handle)
        self.requests: list[SeenRequest] = []
        self.audit_trail: list[audit.AuditEntry] = []

    def __enter__(self) -> Self:
        """Start to listen."""
        self._server.start()
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.stop()

    @property
    def url(self) -> str:
        """What to give the action as api_url."""
        return f"http://{self._server.host}:{self._server.port}"

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
            answer, values = self._answer(request, body) if key else (None, {})
            status = answer.status if answer else UNEXPECTED
            self._remember(request, body, at, status)
            if key and request.path in audit.OPERATIONS and isinstance(body, dict):
                self.audit_trail.append(
                    audit.entry(
                        at=_iso(at), path=request.path, status=status, key=key[1], body=body
                    )
                )
        if answer is None:
            return _response(UNEXPECTED, {"detail": "No recording expects this request now."}, {})
        time.sleep(answer.delay)
        return _response(answer.status, recording.fill(answer.body, values), answer.headers)

    def _remember(self, request: Request, body: object, at: float, status: int) -> None:
        self.requests.append(
            SeenRequest(
                at=at,
                method=request.method,
                path=request.path,
                headers=dict(request.headers),
                body=body,
                status=status,
            )
        )

    def _answer(self, request: Request, body: object) -> tuple[Answer | None, Values]:
        upcoming = self._next(body)
        for conversation in [*self._conversations, *([upcoming] if upcoming else [])]:
            index = conversation.find(request.method, request.path, body)
            if index is not None:
                if conversation is upcoming:
                    self._begin(conversation)
                return conversation.play(index), {**conversation.values, "now": _iso(time.time())}
        return None, {}

    def _next(self, body: object) -> Conversation | None:
        """Prepare the conversation that a login would begin."""
        if not self._waiting or not isinstance(body, dict):
            return None
        upcoming = self._waiting[0]
        seed = f"{upcoming.name}/{len(self._conversations)}"
        minted = {
            name: str(uuid.uuid5(uuid.NAMESPACE_URL, f"{seed}/{name}"))
            for name in ("login_operation", "logout_operation")
        }
        fields = {name: value for name, value in body.items() if isinstance(value, str)}
        return Conversation(upcoming, {**fields, **minted}, time.monotonic())

    def _begin(self, conversation: Conversation) -> None:
        self._conversations.append(conversation)
        if not self._endless or len(self._waiting) > 1:
            self._waiting.pop(0)


def _word(request: SeenRequest) -> str:
    return "poll" if "/operations/" in request.path else request.path.rpartition("/")[2]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _response(status: int, body: object, headers: dict[str, str]) -> Response:
    if body is None or isinstance(body, str):
        return Response(body, status, {"Content-Type": "text/html", **headers})
    return Response(json.dumps(body), status, {"Content-Type": "application/json", **headers})
