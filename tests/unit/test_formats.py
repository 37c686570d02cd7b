"""Tests of lib.formats."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib.formats import (
    is_operation_id,
    is_registry_type,
    is_registry_url,
    is_server_name,
    is_status,
    is_uuid,
    normalize_api_url,
)

Check = Callable[[str], bool]

UUID = "0f1a2b3c-2222-4333-8444-5555555abcef"
VALID: dict[Check, list[str]] = {
    is_uuid: [UUID, UUID.upper()],
    is_operation_id: ["o", "0", "op-1", "Op_1.a-B", "a" * 128, UUID],
    is_registry_url: ["ghcr.io", "[::1]:5000", "registry.example.com:5000/team_a", "a~b", "a" * 512,
                      "https://index.docker.io/v1/", "123.dkr.ecr.eu-west-1.amazonaws.com"],
    is_registry_type: ["ghcr", "aws_ecr", "New-Type9", "a" * 64],
    is_status: ["running", "IN_PROGRESS-2", "a" * 40],
    is_server_name: ["b", "build-1", "Büro 2 (Köln)", "::x", "a" * 100],
}  # fmt: skip
INVALID: dict[Check, list[str]] = {
    is_uuid: ["", "build-1", UUID.replace("-", ""), f"{{{UUID}}}", f"{UUID}\n", f"{UUID}/..",
              f"g{UUID[1:]}", UUID[:-1], f"{UUID}0", UUID.replace("-", "_")],
    is_operation_id: ["", "../keys", "a/b", "a?b", "a%2Fb", "a:b", "op-1\n", "-a", ".a", "_a", "é",
                      "a" * 129],
    is_registry_url: ["", "-v", "/x", "~x", ":x", "::error::x", "$(id)", "user@ghcr.io", "a" * 513,
                      "ghcr.io\nx=y", "ghcr.io\n", "ghcr.io; id", "ghcr io", "${{ secrets.X }}"],
    is_registry_type: ["", "gh cr", "ghcr\n", "a.b", "a" * 65],
    is_status: ["", "run ning", "running\n", "a.b", "::error::", "a" * 41],
    is_server_name: ["", "a\nb", "a\x1b[0m", "a\u202eb", "a" * 101],
}  # fmt: skip


def cases(texts: dict[Check, list[str]]) -> list[object]:
    return [
        pytest.param(check, text, id=f"{check.__name__}-{text[:20]}")
        for check, found in texts.items()
        for text in found
    ]


@pytest.mark.parametrize(("check", "text"), cases(VALID))
def test_valid_value_is_accepted(check: Check, text: str) -> None:
    assert check(text)


@pytest.mark.parametrize(("check", "text"), cases(INVALID))
def test_unsafe_value_is_rejected(check: Check, text: str) -> None:
    assert not check(text)


@pytest.mark.parametrize(
    ("text", "normalized"),
    [
        ("https://reoclo.example.com", "https://reoclo.example.com"),
        ("https://r.example.com:8443/base/path//", "https://r.example.com:8443/base/path"),
        ("HTTPS://reoclo.example.com/", "HTTPS://reoclo.example.com"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://r.example.com/api/automation", "https://r.example.com/api/automation"),
        ("https://r.example.com/api/automation/v1/x", "https://r.example.com/api/automation/v1/x"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://LOCALHOST", "http://LOCALHOST"),
        ("http://127.8.9.1", "http://127.8.9.1"),
        ("http://[::1]:80", "http://[::1]:80"),
    ],
)
def test_api_url_loses_only_trailing_slashes(text: str, normalized: str) -> None:
    assert normalize_api_url(text) == normalized


@pytest.mark.parametrize(
    "text",
    [
        "", "reoclo.example.com", "https://", "https:///path", "//reoclo.example.com",
        "ftp://reoclo.example.com", "ftp://localhost", "http://reoclo.example.com",
        "http://localhost.evil.example", "http://10.0.0.1", "http://128.0.0.1",
        "https://user@r.example.com", "https://:pw@r.example.com", "https://@r.example.com",
        "https://r.example.com?x=1", "https://r.example.com/#x", "https://r.example.com/?",
        "https://r.example.com/#", "https://r.example.com:port", "https://r.example.com:99999",
        "https://[::1", "https://r example.com", "https://r.example.com\\@evil.example",
        "https://reoclö.example.com", "https://r.exa\nmple.com", "https://r.example.com\n",
        "https://r.example.com/api/automation/v1", "https://r.example.com/base/api/automation/v1//",
    ],
)  # fmt: skip
def test_api_url_that_must_not_receive_the_key_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        normalize_api_url(text)
    assert type(caught.value) is ValueError
    assert "pw" not in str(caught.value)
