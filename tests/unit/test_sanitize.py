"""Tests of lib.runner.sanitize."""

from __future__ import annotations

import pytest
from hypothesis import example, given

from lib.runner.sanitize import EXCERPT_LIMIT, STREAM_LIMIT, excerpt, sanitize, sanitize_lines
from tests import hostile


def assert_only_text(line: str) -> None:
    assert hostile.commands(f"{line}\n") == []
    assert line.isprintable()
    assert line.splitlines() in ([], [line])


@given(hostile.texts)
@example("::error::x")
@example(":::error:::x")
@example("####[add-mask]x ##[##[x")
@example("one\r::error::x\u2028::error::x\x85##[error]x")
@example(":\x1b\x1b[0m[0m:error::x")
@example("\u034f:\u034f:error:\u034f:x")
@example("#\ufe0f#[error]x\ud800")
def test_no_text_becomes_a_command(text: str) -> None:
    for line in [sanitize(text), excerpt(text), *sanitize_lines(text)]:
        assert_only_text(line)
    assert_only_text(excerpt(text) + excerpt(text))
    assert_only_text(f"a:{excerpt(text)}:{excerpt(text)}")
    assert sanitize(sanitize(text)) == sanitize(text)
    assert excerpt(excerpt(text)) == excerpt(text)


def test_ordinary_text_is_unchanged() -> None:
    ordinary = 'Error: Get "https://ghcr.io/v2/": dénié: 拒否 [x] #1 %0A <none>:<none>'
    assert sanitize(ordinary) == ordinary
    assert excerpt(ordinary) == ordinary
    assert sanitize_lines(ordinary) == [ordinary]


@pytest.mark.parametrize(("text", "line"), [
    ("\x1b[1;31mError\x1b[0m: no", "Error: no"), ("a\x1b]8;;x\x07b\x1b]0;t\x1b\\c", "abc"),
    ("a\x1bb", "a b"), ("a\tb\x00c\u200bd\u3164e", "a b c d e"), (":a::b", " :a: :b"),
    ("##[x", "## [x"), ("\x1b[0 qx", "x"),
])  # fmt: skip
def test_escapes_and_control_characters_are_replaced(text: str, line: str) -> None:
    assert sanitize(text) == line


def test_excerpt_is_one_line_of_single_spaces() -> None:
    assert excerpt("  one\n\n two\t three \r\n") == "one two three"
    assert excerpt(" \n" * 10_000) == ""


@pytest.mark.parametrize("limit", [1, 40, EXCERPT_LIMIT])
def test_excerpt_is_truncated_beyond_its_limit(limit: int) -> None:
    assert excerpt("x" * limit, limit) == "x" * limit
    assert excerpt("x" * (limit + 1), limit) == "x" * limit + "…"
    assert excerpt(" " * (8 * limit) + "x", limit) == ""
    assert excerpt(" " * (8 * limit - 1) + "x", limit) == "x"


def test_excerpt_does_not_end_with_a_space() -> None:
    assert excerpt("one two", 4) == "one…"


def test_limits_are_the_documented_ones() -> None:
    assert (EXCERPT_LIMIT, STREAM_LIMIT) == (600, 65_536)
    assert len(excerpt("x" * 9999)) == 601
    assert sanitize_lines("x" * 70_000) == ["… (truncated)", "x" * 65_536]


def test_stream_keeps_its_lines_and_its_end() -> None:
    assert sanitize_lines("one  \n\ntwo\r\n\n\n") == ["one", "", "two"]
    assert sanitize_lines("") == sanitize_lines("\n\n") == []
    assert sanitize_lines("abcd", 4) == ["abcd"]
    assert sanitize_lines("abcde", 4) == ["… (truncated)", "bcde"]


@pytest.mark.parametrize(
    "page", ["<html><h1>no</h1>", "<!DOCTYPE html>\n<p>no", "<HTML lang=en>no", "<h3>no</h3>\nx"]
)
def test_html_page_is_not_excerpted(page: str) -> None:
    assert excerpt(f"invalid character '<': {page}") == "invalid character '<': (HTML page)"
