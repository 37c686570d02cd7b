"""Tests of lib.errors and lib.hints."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from lib import hints
from lib.errors import ApiError, StatusError, TransportError
from lib.hints import Hint

HINT = Hint("Fix it.", "anchor")


@pytest.mark.parametrize(("fields", "message"), [
    ({}, "Failed. Fix it."), ({"detail": "why. ."}, "Failed: why. Fix it."),
    ({"detail": ". "}, "Failed. Fix it."),
    ({"attempts": 5, "detail": "why"}, "Failed (5 attempts): why. Fix it."),
    ({"operation_id": "op-1"}, "Failed. Fix it. (operation op-1)"),
    ({"operation_id": "op-1", "operation_label": "x"}, "Failed. Fix it. (x op-1)"),
])  # fmt: skip
def test_message_has_one_sentence_per_part(fields: dict[str, Any], message: str) -> None:
    error = TransportError("Failed", hint=HINT, **fields)
    assert str(error) == message
    assert error.message(str.upper) == message.replace("why", "WHY")
    assert "why" not in repr(error)


def test_throttling_is_429_or_503_with_retry_after() -> None:
    cases = [(429, None), (503, 0.0), (503, None), (502, 3.0), (430, 3.0)]
    errors = [StatusError("", hint=HINT, status=number, retry_after=wait) for number, wait in cases]
    assert [error.is_throttled for error in errors] == [True, True, False, False, False]


def test_api_error_assumes_the_worst_by_default() -> None:
    error = ApiError("Failed", hint=HINT)
    assert (error.retryable, error.maybe_processed, error.attempts) == (False, True, 1)
    assert not error.is_throttled
    assert StatusError("Failed", hint=HINT, status=503).retry_after is None
    assert (replace(error, attempts=3).attempts, error.attempts) == (3, 1)


@pytest.mark.parametrize(("anchor", "statuses"), [
    ("redirect", [300, 399]), ("400", [299, 400, 402, 405, 499]), ("401", [401]), ("403", [403]),
    ("404", [404]), ("409", [409]), ("422", [422]), ("429", [429]),
    ("5xx", [408, 425, 500, 502, 503, 504, 599]),
])  # fmt: skip
def test_status_has_its_hint(anchor: str, statuses: list[int]) -> None:
    for status in statuses:
        summary, hint = hints.for_status(status, requires="SCOPES", ids="IDS", not_found="NOTHING")
        assert (hint.anchor, hint.text[-1], "{" in summary + hint.text) == (anchor, ".", False)
        assert summary.count(str(status)) == 1
        found = re.findall("SCOPES|IDS|NOTHING", summary + hint.text)
        assert found == {"403": ["SCOPES"], "404": ["NOTHING", "IDS"], "422": ["IDS"]}.get(
            anchor, []
        )


def test_first_phrase_that_matches_chooses_the_hint() -> None:
    outputs = {
        "Error: PERMISSION DENIED": "docker-config", "denied: no such host": "registry-dns",
        "permission denied while trying to connect": "docker-permission", "": "docker-failed",
    }  # fmt: skip
    found = {output: hints.for_docker_output(output, "THE {X}") for output in outputs}
    assert {output: hint.anchor for output, hint in found.items()} == outputs
    assert ["THE {X}" in hint.text for hint in found.values()] == [False, True, False, True]
    certificates = map(hints.for_certificate_error, ["Has EXPIRED", "self-signed"])
    assert ["clock" in hint.text for hint in certificates] == [True, False]


def test_logout_command_removes_the_login() -> None:
    assert Hint("Fix it.", "403").link == f"{hints.TROUBLESHOOTING}#403"
    assert hints.logout_command("ghcr.io") == "`docker logout ghcr.io`"
    # docker/cli#7326: `docker logout docker.io` removes nothing.
    assert hints.logout_command("docker.io") == hints.logout_command("") == "`docker logout`"
