"""Recorded conversations with the API: what is asked, what is answered, and for how long.

A recording is data alone (see fixtures/README.md for the format). In a request, `<uuid>` and
`<text>` stand for any such value, and `<text?>` for one that may be missing. In an answer,
`<name>` stands for a value of the conversation: a field of its first request, an operation
that it began, the time.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
RECORDINGS = FIXTURES / "recordings"

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"<([a-z_]+)>")

Values = dict[str, str]

# The body of a response that has none, which is not the same as the JSON null.
NO_BODY: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, and how long it is the one that is given.

    Args:
        status: The HTTP status; None where a fault leaves no answer.
        fault: What befalls the answer on its way (see `tests.fake_api.faults`); empty for nothing.
        headers: More headers.
        body: JSON, or text as it is; `NO_BODY` if there is none.
        requests: How many requests of its exchange it answers; None for all that come.
        seconds: Until how many seconds after the conversation began; None for ever.
        delay: How many seconds the answer takes.
    """

    status: int | None
    fault: str
    headers: dict[str, str]
    body: Any
    requests: int | None
    seconds: float | None
    delay: float

    def is_current(self, earlier_requests: int, elapsed: float) -> bool:
        """Tell whether this is still the answer."""
        return (self.requests is None or earlier_requests < self.requests) and (
            self.seconds is None or elapsed < self.seconds
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request that is expected, how often, and its answers in turn."""

    method: str
    path: str
    body: Any
    least: int
    most: int | None
    responses: tuple[Response, ...]

    def expects(self, method: str, path: str, body: object, values: Values) -> bool:
        """Tell whether a request is the one that this exchange waits for."""
        return (
            method == self.method
            and path == fill(self.path, values)
            and matches(fill(self.body, values), body)
        )

    def respond(self, earlier_requests: int, elapsed: float) -> Response:
        """Choose the answer to the next request.

        Args:
            earlier_requests: How many requests of this exchange were answered before.
            elapsed: The seconds since the conversation began.
        """
        left = earlier_requests
        for response in self.responses[:-1]:
            if response.is_current(left, elapsed):
                return response
            left -= response.requests or 0
        return self.responses[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimit:
    """How many requests a key is allowed in how many seconds."""

    requests: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A conversation, from the login to the logout."""

    name: str
    title: str
    rate_limit: RateLimit | None
    exchanges: tuple[Exchange, ...]


def load(name: str) -> Recording:
    """Read a recording of fixtures/recordings by its name.

    Raises:
        FileNotFoundError: there is none of this name.
    """
    data = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    return parse(name, data)


def names() -> list[str]:
    """Give the names of all recordings."""
    return sorted(path.stem for path in RECORDINGS.glob("*.json"))


def parse(name: str, data: dict[str, Any]) -> Recording:
    """Turn the JSON of a recording, which fits the schema, into a value."""
    return Recording(
        name=name,
        title=data["title"],
        rate_limit=RateLimit(**data["rate_limit"]) if "rate_limit" in data else None,
        exchanges=tuple(_exchange(entry) for entry in data["exchanges"]),
    )


def _exchange(data: dict[str, Any]) -> Exchange:
    times = data.get("times", {"least": 1, "most": 1})
    return Exchange(
        method=data["request"]["method"],
        path=data["request"]["path"],
        body=data["request"].get("body"),
        least=times["least"],
        most=times.get("most"),
        responses=tuple(_response(entry) for entry in data["responses"]),
    )


def _response(data: dict[str, Any]) -> Response:
    lasts = data.get("lasts", {})
    return Response(
        status=data.get("status"),
        fault=data.get("fault", ""),
        headers=data.get("headers", {}),
        body=data.get("body", NO_BODY),
        requests=lasts.get("requests"),
        seconds=lasts.get("seconds"),
        delay=data.get("delay", 0.0),
    )


def matches(pattern: Any, value: object) -> bool:
    """Tell whether a value of a request is what a recording expects.

    An object must have the expected fields and no others.
    """
    if isinstance(pattern, dict):
        return isinstance(value, dict) and _fields_match(pattern, value)
    if pattern == "<uuid>":
        return isinstance(value, str) and _UUID.fullmatch(value) is not None
    if pattern in {"<text>", "<text?>"}:
        return isinstance(value, str)
    return bool(pattern == value)


def _fields_match(pattern: dict[str, Any], value: dict[str, Any]) -> bool:
    needed = {name for name, expected in pattern.items() if expected != "<text?>"}
    return needed <= value.keys() <= pattern.keys() and all(
        matches(pattern[name], found) for name, found in value.items()
    )


def fill(template: Any, values: Values) -> Any:
    """Put the values of a conversation in the place of their names."""
    if isinstance(template, dict):
        return {name: fill(entry, values) for name, entry in template.items()}
    if isinstance(template, list):
        return [fill(entry, values) for entry in template]
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
    return template
