"""Tests of lib.formats."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib import formats

UUID = "0f1a2b3c-2222-4333-8444-5555555abcef"
VALID: list[tuple[Callable[[str], bool], list[str]]] = [
    (formats.is_uuid, [UUID, UUID.upper()]),
    (formats.is_operation_id, ["o", "0", "op-1", "Op_1.a-B", "a" * 128, UUID]),
    (formats.is_registry_url, ["ghcr.io", "[::1]:5000", "a.example:5000/team_a~b", "a" * 512,
                               "https://index.docker.io/v1/"]),
    (formats.is_registry_type, ["ghcr", "aws_ecr", "New-Type9", "a" * 64]),
    (formats.is_status, ["running", "IN_PROGRESS-2", "a" * 40]),
    (formats.is_server_name, ["b", "build-1", "Büro 2 (Köln)", "::x", "a" * 100]),
]  # fmt: skip
INVALID: list[tuple[Callable[[str], bool], list[str]]] = [
    (formats.is_uuid, ["", "build-1", UUID.replace("-", ""), f"{{{UUID}}}", f"{UUID}\n", UUID[:-1],
                       f"{UUID}/..", f"g{UUID[1:]}", f"{UUID}0", UUID.replace("-", "_")]),
    (formats.is_operation_id, ["", "../keys", "a/b", "a?b", "a%2Fb", "a:b", "op-1\n", "-a", ".a",
                               "_a", "é", "a" * 129]),
    (formats.is_registry_url, ["", "-v", "/x", "~x", ":x", "::error::x", "$(id)", "user@ghcr.io",
                               "ghcr.io\nx=y", "ghcr.io\n", "ghcr.io; id", "a b", "${{ x }}",
                               "a" * 513]),
    (formats.is_registry_type, ["", "gh cr", "ghcr\n", "a.b", "a" * 65]),
    (formats.is_status, ["", "run ning", "running\n", "a.b", "::error::", "a" * 41]),
    (formats.is_server_name, ["", "a\nb", "a\x1b[0m", "a\u202eb", "a" * 101]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "texts"), VALID)
def test_valid_value_is_accepted(check: Callable[[str], bool], texts: list[str]) -> None:
    assert [text for text in texts if not check(text)] == []


@pytest.mark.parametrize(("check", "texts"), INVALID)
def test_unsafe_value_is_rejected(check: Callable[[str], bool], texts: list[str]) -> None:
    assert [text for text in texts if check(text)] == []


@pytest.mark.parametrize(("text", "normalized"), [
    ("https://reoclo.example.com", "https://reoclo.example.com"),
    ("https://r.example.com:8443/base/path//", "https://r.example.com:8443/base/path"),
    ("HTTPS://reoclo.example.com/", "HTTPS://reoclo.example.com"),
    ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ("https://r.example.com/api/automation/v1/x", "https://r.example.com/api/automation/v1/x"),
    ("http://LOCALHOST:8080/", "http://LOCALHOST:8080"),
    ("http://127.8.9.1", "http://127.8.9.1"),
    ("http://[::1]:80", "http://[::1]:80"),
])  # fmt: skip
def test_api_url_loses_only_trailing_slashes(text: str, normalized: str) -> None:
    assert formats.normalize_api_url(text) == normalized


@pytest.mark.parametrize("text", [
    "", "reoclo.example.com", "https://", "https:///path", "//reoclo.example.com",
    "ftp://reoclo.example.com", "ftp://localhost", "http://reoclo.example.com",
    "http://localhost.evil.example", "http://10.0.0.1", "http://128.0.0.1", "https://u@r.example",
    "https://:pw@r.example", "https://@r.example", "https://r.example?x=1", "https://r.example/#x",
    "https://r.example/?", "https://r.example/#", "https://r.example:port", "https://[::1",
    "https://r.example:99999", "https://r example", "https://r.example\\@evil.example",
    "https://reoclö.example", "https://r.exa\nmple", "https://r.example\n",
    "https://r.example/api/automation/v1", "https://r.example/base/api/automation/v1//",
])  # fmt: skip
def test_api_url_that_must_not_receive_the_key_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as caught:  # our own message: a sentence
        formats.normalize_api_url(text)
    assert "pw" not in str(caught.value)
