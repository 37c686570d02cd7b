"""Tests of lib.hints."""

from __future__ import annotations

import re

from lib import hints


def test_status_has_its_hint() -> None:
    anchors = {300: "redirect", 399: "redirect", 299: "400", 400: "400", 499: "400"}
    anchors |= {status: str(status) for status in (401, 403, 404, 409, 422, 429)}
    placeholders = {403: ["SCOPES"], 404: ["NOTHING", "IDS"]}
    for status in [*anchors, 408, 425, 500, 502, 503, 504, 599]:
        summary, hint = hints.for_status(status, requires="SCOPES", ids="IDS", not_found="NOTHING")
        assert (hint.anchor, hint.text[-1]) == (anchors.get(status, "5xx"), ".")
        assert (summary.count(str(status)), "{" in summary + hint.text) == (1, False)
        found = re.findall("SCOPES|IDS|NOTHING", summary + hint.text)
        assert found == placeholders.get(status, [])


def test_logout_command_removes_the_login() -> None:
    # docker/cli#7326: `docker logout docker.io` removes nothing.
    found = [hints.logout_command(url) for url in ("ghcr.io", "docker.io", "")]
    assert found == ["`docker logout ghcr.io`", "`docker logout`", "`docker logout`"]


def test_first_phrase_that_matches_chooses_the_hint() -> None:
    outputs = {"PERMISSION DENIED": "docker-config", "denied: no such host": "registry-dns"}
    assert {text: hints.for_docker_output(text, "").anchor for text in outputs} == outputs
    certificates = map(hints.for_certificate_error, ["Has EXPIRED", "mismatch", "self-signed"])
    assert ["clock" in hint.text for hint in certificates] == [True, False, False]
