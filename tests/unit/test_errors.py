"""Tests of lib.errors and lib.hints."""

from __future__ import annotations

import re
from typing import Any

from lib import hints
from lib.errors import RETRYABLE_STATUSES, TransportError
from lib.hints import Hint

HINT = Hint("Fix it.", "anchor")


def test_message_has_one_sentence_per_part() -> None:
    messages: dict[str, dict[str, Any]] = {
        "Failed. Fix it.": {"detail": ". "}, "Failed: why. Fix it.": {"detail": "why. ."},
        "Failed (5 attempts). Fix it.": {"attempts": 5},
        "Failed. Fix it. (operation op-1)": {"operation_id": "op-1"},
        "Failed. Fix it. (x op-1)": {"operation_id": "op-1", "operation_label": "x"},
    }  # fmt: skip
    for message, fields in messages.items():
        error = TransportError("Failed", hint=HINT, **fields)
        assert (str(error), "why" in repr(error)) == (message, False)
        assert error.message(str.upper) == message.replace("why", "WHY")


def test_status_has_its_hint() -> None:
    anchors = {300: "redirect", 399: "redirect", 299: "400", 400: "400", 499: "400"}
    anchors |= {status: str(status) for status in (401, 403, 404, 409, 422, 429)}
    placeholders = {403: ["SCOPES"], 404: ["NOTHING", "IDS"]}
    for status in [*anchors, 408, 425, 500, 502, 503, 504, 599]:
        summary, hint = hints.for_status(status, requires="SCOPES", ids="IDS", not_found="NOTHING")
        assert (hint.anchor, hint.text[-1]) == (anchors.get(status, "5xx"), ".")
        assert hint.link == f"{hints.TROUBLESHOOTING}#{hint.anchor}"
        assert (summary.count(str(status)), "{" in summary + hint.text) == (1, False)
        found = re.findall("SCOPES|IDS|NOTHING", summary + hint.text)
        assert found == placeholders.get(status, [])
    cloudflare = {520, 521, 522, 523, 524, 527, 530}
    assert {408, 425, 429, 500, 502, 503, 504} | cloudflare == RETRYABLE_STATUSES


def test_logout_command_removes_the_login() -> None:
    # docker/cli#7326: `docker logout docker.io` removes nothing.
    found = [hints.logout_command(url) for url in ("ghcr.io", "docker.io", "")]
    assert found == ["`docker logout ghcr.io`", "`docker logout`", "`docker logout`"]


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
