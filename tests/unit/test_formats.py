"""Tests of lib.formats and lib.hints."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib import formats, hints

UUID = "0f1a2b3c-2222-4333-8444-5555555abcef"
VALUES: list[tuple[Callable[[str], bool], list[str], list[str]]] = [
    (formats.is_uuid, [UUID, UUID.upper()],
     ["", UUID.replace("-", ""), f"{{{UUID}}}", f"{UUID}\n", UUID[:-1], f"g{UUID[1:]}", f"{UUID}0",
      UUID.replace("-", "_")]),
    (formats.is_operation_id, ["o", "0", "Op_1.a-B", "a" * 128],
     ["", "../keys", "a/b", "a?b", "a%2Fb", "a:b", "op-1\n", "-a", ".a", "_a", "é", "a" * 129]),
    (formats.is_registry_url,
     ["ghcr.io", "[::1]:5000", "a.example:5000/team_a~b", "a" * 512, "https://index.docker.io/v1/"],
     ["", "-v", "/x", "~x", ":x", "$(id)", "user@ghcr.io", "ghcr.io\n", "ghcr.io; id", "${{ x }}",
      "a" * 513]),
    (formats.is_registry_type, ["ghcr", "aws_ecr", "New-Type9", "a" * 64],
     ["", "gh cr", "ghcr\n", "a.b", "a" * 65]),
    (formats.is_status, ["running", "IN_PROGRESS-2", "a" * 40],
     ["", "run ning", "running\n", "a.b", "::error::", "a" * 41]),
    (formats.is_server_name, ["b", "Büro 2 (Köln)", "::x", "a" * 100],
     ["", "a\nb", "a\x1b[0m", "a\u202eb", "a" * 101]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "valid", "unsafe"), VALUES)
def test_only_valid_value_is_accepted(
    check: Callable[[str], bool], valid: list[str], unsafe: list[str]
) -> None:
    assert [text for text in [*valid, *unsafe] if check(text)] == valid


def test_api_url_loses_only_trailing_slashes() -> None:
    for text in ("https://r.example:8443/base/path", "HTTPS://r.example", "https://[2001:db8::1]:8",
                 "https://r.example/api/automation/v1/x", "http://LOCALHOST:8080",
                 "http://127.8.9.1", "http://[::1]:80"):  # fmt: skip
        assert formats.normalize_api_url(text) == formats.normalize_api_url(f"{text}//") == text


@pytest.mark.parametrize("text", [
    "", "reoclo.example.com", "https://", "https:///path", "//r.example", "ftp://localhost",
    "http://reoclo.example.com", "http://localhost.evil.example", "http://128.0.0.1",
    "https://u@r.example", "https://:pw@r.example", "https://@r.example", "https://r.example?x=1",
    "https://r.example/#x", "https://r.example/?", "https://r.example/#", "https://r.example:port",
    "https://[::1", "https://r example", "https://r.example\\@evil.example", "https://reoclö.example",
    "https://r.exa\nmple", "https://r.example\n", "https://r.example/x/api/automation/v1//",
])  # fmt: skip
def test_api_url_that_must_not_receive_the_key_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(The|Plain|Leave) .*\.$"):
        formats.normalize_api_url(text)


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
