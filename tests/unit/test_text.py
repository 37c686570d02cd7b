"""Text from outside, made fit for a log."""

from __future__ import annotations

import pytest

from lib.text import QUOTE_LIMIT, STREAM_LIMIT, lines, plain, quote

ATTACKS = [
    "::error::x",
    "::add-mask::x",
    "  ::stop-commands::x",
    "text ::set-env name=PATH::x",
    ":::error:::x",
    "::::",
    "##[error]x",
    "a ##[group]x",
    "####[add-mask]x",
    "##[##[x",
    "one\r::error::x",
    "one\n::error::x",
    "one\r\n##[error]x",
    "one\u2028::error::x",
    "one\u2029::error::x",
    "one\x85::error::x",
    "one\x0b::error::x\x0c::warning::y",
    "one\x1c::error::x",
    ":\x1b[0m:error::x",
    "#\x1b[31m#\x1b[0m[error]x",
    ":\x1b]8;;http://x\x07:error::x",
    ":\x1b]0;title\x1b\\:error::x",
    "\x1b[2J\x1b[1;1H",
    "\x1b",
    ":\x00:error::x",
    ":\u200b:error::x",
    ":\u202e:error::x",
    ":\ufeff:error::x",
    ":\u034f:error::x",
    "#\ufe0f#[error]x",
    "\ud800::error::x",
]


def assert_harmless(line: str) -> None:
    """Check that no runner finds a command in a line, nor a terminal."""
    assert "::" not in line
    assert "##[" not in line
    assert line.isprintable()
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_text_is_a_command(attack: str) -> None:
    """Whatever stands in a text, each line made of it is only text."""
    assert_harmless(plain(attack))
    assert_harmless(quote(attack))
    for line in lines(attack):
        assert_harmless(line)


@pytest.mark.parametrize("first", ATTACKS)
def test_two_attacks_together_are_no_command(first: str) -> None:
    """What is taken out of one text does not join the next into a command."""
    for second in ATTACKS:
        assert_harmless(plain(first + second))
        assert_harmless(plain(first[: len(first) // 2] + second))


def test_ordinary_text_stays_as_it_is() -> None:
    """Letters of any language, single colons and brackets are no danger."""
    ordinary = 'Error: Get "https://ghcr.io/v2/": dénié: 拒否 [x] #1 %0A'
    assert plain(ordinary) == ordinary
    assert quote(ordinary) == ordinary
    assert lines(ordinary) == [ordinary]


def test_colors_are_left_out() -> None:
    """What is meant for a terminal leaves no trace in the words."""
    assert plain("\x1b[1;31mError\x1b[0m: no") == "Error: no"


def test_a_quotation_is_one_line() -> None:
    """Line ends and runs of white space become single spaces."""
    assert quote("  one\n\n two\t three \r\n") == "one two three"


@pytest.mark.parametrize("limit", [1, 40, QUOTE_LIMIT])
def test_a_quotation_is_bounded(limit: int) -> None:
    """A long text is cut, and the cut is shown."""
    quoted = quote("x" * 100_000, limit)
    assert quoted == "x" * limit + "…"
    assert quote("x" * limit, limit) == "x" * limit


def test_a_quotation_of_only_white_space_is_bounded() -> None:
    """Nothing said is nothing quoted."""
    assert quote(" \n" * 10_000) == ""


def test_a_long_stream_keeps_its_end() -> None:
    """Errors come last; that the beginning is missing is said."""
    told = lines("first\n" + "x\n" * STREAM_LIMIT + "last")
    assert told[0] == "… (the beginning is left out)"
    assert told[-1] == "last"
    assert sum(len(line) + 1 for line in told[1:]) <= STREAM_LIMIT + 1


def test_a_stream_keeps_its_lines() -> None:
    """Lines stay lines; empty ones at the end go, those between stay."""
    assert lines("one  \n\ntwo\r\n\n\n") == ["one", "", "two"]
    assert lines("") == []
    assert lines("\n\n") == []


@pytest.mark.parametrize(
    "page",
    ["<html><h1>no</h1></html>", "<!DOCTYPE html>\n<p>no", "<HTML lang=en>no", "<body>no</body>"],
)
def test_a_quotation_has_no_page_of_html_in_it(page: str) -> None:
    """Docker quotes what a proxy answers; its own words before that are what helps."""
    assert quote(f"invalid character '<': {page}") == "invalid character '<': (a page of HTML)"


def test_what_only_looks_like_html_is_quoted() -> None:
    """An image without a name is no page."""
    assert quote("<none>:<none> is no image") == "<none>:<none> is no image"
