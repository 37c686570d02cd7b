"""Recorded conversations with the Reoclo API. fixtures/README.md describes their format."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

RECORDINGS = Path(__file__).resolve().parents[2] / "fixtures" / "recordings"

# Body of a response that has none. The JSON null is a body.
NO_BODY: Final = object()

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PLACEHOLDER = re.compile(r"<([a-z_]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Response of an exchange. `requests` and `seconds` limit how long it is used."""

    status: int | None = None  # None if a fault leaves no response
    fault: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = NO_BODY
    requests: int | None = None
    seconds: float | None = None
    delay: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Expected request, how often it is expected, and its responses in order."""

    method: str
    path: str
    body: Any = None  # None for any body
    least: int = 1
    most: int | None = 1
    responses: tuple[Response, ...]

    def matches(self, method: str, path: str, body: object, values: Mapping[str, str]) -> bool:
        """Return whether a request is the expected one."""
        is_expected = method == self.method and path == fill(self.path, values)
        return is_expected and (self.body is None or _matches(fill(self.body, values), body))

    def respond(self, earlier_requests: int, elapsed: float) -> Response:
        """Return the response to the next request, `elapsed` seconds after the login request."""
        for response in self.responses[:-1]:
            limits = ((response.requests, earlier_requests), (response.seconds, elapsed))
            if all(limit is None or reached < limit for limit, reached in limits):
                return response
            earlier_requests -= response.requests or 0
        return self.responses[-1]


class Recording(NamedTuple):
    """Conversation with the API, from the login to the logout."""

    name: str
    title: str
    exchanges: tuple[Exchange, ...]


def names() -> list[str]:
    """Return the names of all recordings."""
    return sorted(path.stem for path in RECORDINGS.glob("*.json"))


def load(name: str) -> Recording:
    """Read a recording by its name."""
    return parse(name, json.loads((RECORDINGS / f"{name}.json").read_text("utf-8")))


def parse(name: str, data: dict[str, Any]) -> Recording:
    """Convert the JSON of a recording, which must be valid for the schema."""
    return Recording(name, data["title"], tuple(map(_exchange, data["exchanges"])))


def _exchange(data: dict[str, Any]) -> Exchange:
    times = {"most": None, **data["times"]} if "times" in data else {}
    responses = tuple(
        Response(**{name: value for name, value in entry.items() if name != "lasts"}, **lasts)
        for entry in data["responses"]
        for lasts in [entry.get("lasts", {})]
    )
    return Exchange(**data["request"], **times, responses=responses)


def _matches(pattern: Any, value: object) -> bool:
    """Return whether a value is as expected; objects must have exactly the expected fields."""
    if isinstance(pattern, dict):
        required = {name for name, expected in pattern.items() if expected != "<text?>"}
        return (
            isinstance(value, dict)
            and required <= value.keys() <= pattern.keys()
            and all(_matches(pattern[name], found) for name, found in value.items())
        )
    if pattern == "<uuid>":
        return isinstance(value, str) and _UUID.fullmatch(value) is not None
    if pattern in {"<text>", "<text?>"}:
        return isinstance(value, str)
    return bool(pattern == value)


def fill(template: Any, values: Mapping[str, str]) -> Any:
    """Replace the placeholders of a template by the values of a session."""
    if isinstance(template, dict):
        return {name: fill(entry, values) for name, entry in template.items()}
    if isinstance(template, list):
        return [fill(entry, values) for entry in template]
    if isinstance(template, str):
        return _PLACEHOLDER.sub(lambda match: values.get(match[1], match[0]), template)
    return template
