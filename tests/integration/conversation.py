"""Conversations that no recording has, made where a test needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.fake_api import FakeApi, recording

PATH = "/api/automation/v1"

_LOGIN, _, _LOGOUT, _ = recording.load("ghcr").exchanges
_PASSTHROUGH = recording.load("passthrough").exchanges[0]

Answer = Mapping[str, Any]

# Faults that leave no answer; see fixtures/README.md.
CLOSE: Answer = {"fault": "close", "status": None}
RESET: Answer = {"fault": "reset", "status": None}
STALL: Answer = {"fault": "stall", "status": None}
REFUSE: Answer = {"fault": "refuse", "status": None}


def exchange(method: str, path: str, body: object, answers: Sequence[Answer]) -> dict[str, Any]:
    """Make an exchange that is had once for each of its answers."""
    once = {"lasts": {"requests": 1}, "status": 200}
    return {
        "request": {"method": method, "path": path, "body": body},
        "times": {"least": len(answers), "most": len(answers)},
        "responses": [{**once, **answer} for answer in answers],
    }


def login(*answers: Answer) -> dict[str, Any]:
    """Make a login that is answered so, one answer after the other."""
    return exchange("POST", _LOGIN.path, _LOGIN.body, answers)


def passthrough(*answers: Answer) -> dict[str, Any]:
    """Make a login with the workflow's own credential that is answered so."""
    return exchange("POST", _PASSTHROUGH.path, _PASSTHROUGH.body, answers)


def accepted(**changes: object) -> Answer:
    """Give the answer that accepts a login."""
    return {"status": 202, "body": {**_LOGIN.responses[-1].body, **changes}}


def without_end(exchange: dict[str, Any]) -> dict[str, Any]:
    """Let the last answer of an exchange be given as often as it is asked for."""
    *earlier, last = exchange["responses"]
    responses = [*earlier, {**last, "lasts": {}}]
    return {**exchange, "responses": responses, "times": {"least": len(responses)}}


def logout(*answers: Answer) -> dict[str, Any]:
    """Make a logout that is answered so, one answer after the other."""
    return exchange("POST", _LOGOUT.path, _LOGOUT.body, answers)


def polls(name: str, *operations: Answer) -> dict[str, Any]:
    """Make polls of an operation that tell this of it, one after the other."""
    known = {"operation_id": f"<{name}_operation>", "server_name": "build-1"}
    answers = [{"body": {**known, **operation}} for operation in operations]
    return exchange("GET", f"{PATH}/operations/<{name}_operation>", None, answers)


def play(*exchanges: dict[str, Any]) -> FakeApi:
    """Make an API that has this conversation."""
    data = {"title": "made for one test", "exchanges": exchanges}
    return FakeApi([recording.parse("made", data)])
