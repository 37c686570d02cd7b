"""Tests of lib.hints."""

from __future__ import annotations

from lib import hints


def test_status_without_its_own_hint_has_that_of_its_class() -> None:
    anchors = {299: "400", 300: "redirect", 399: "redirect", 400: "400", 499: "400"}
    anchors |= dict.fromkeys([408, 425, 500, 599], "5xx")
    for status, anchor in anchors.items():
        summary, hint = hints.for_status(status, requires="", ids="", not_found="")
        assert (hint.anchor, str(status) in summary) == (anchor, True)


def test_logout_command_removes_the_login() -> None:
    # docker/cli#7326: `docker logout docker.io` removes nothing.
    found = [hints.logout_command(url) for url in ("ghcr.io", "docker.io", "")]
    assert found == ["`docker logout ghcr.io`", "`docker logout`", "`docker logout`"]


def test_first_phrase_that_matches_chooses_the_hint() -> None:
    outputs = {"PERMISSION DENIED": "docker-config", "denied: no such host": "registry-dns"}
    assert {text: hints.for_docker_output(text, "").anchor for text in outputs} == outputs
    certificates = map(hints.for_certificate_error, ["Has EXPIRED", "mismatch", "self-signed"])
    assert ["clock" in hint.text for hint in certificates] == [True, False, False]
