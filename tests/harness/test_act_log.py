"""The model of act's grammar, against what was measured on act."""

from __future__ import annotations

import pytest

from tests.runner import act_log


@pytest.mark.parametrize(
    ("line", "name", "data"),
    [
        ("::error::x\n", "error", "x"),
        ("::error::50 %25\r\n", "error", "50 %"),
        ("::error file=f::m\n", "error", "m"),
        ("::add-mask::a::b\n", "add-mask::a", "b"),
        ("::error file=f::m :: n\n", "error", " n"),
        ("::error:::x\n", "error:", "x"),
        ("##[error]x\n", "error", "x"),
    ],
)
def test_act_finds_a_command_by_the_last_colons(line: str, name: str, data: str) -> None:
    """The grammar is greedy: all up to the last `::` is the name and its properties."""
    assert act_log.commands(line) == [(name, data)]


@pytest.mark.parametrize(
    "line", [" ::error::x\n", "a ::error::x\n", "a ##[error]x\n", "::error::x", "::error\n", "\n"]
)
def test_act_takes_other_lines_for_text(line: str) -> None:
    """A command stands in the first column, and its line has an end."""
    assert act_log.commands(line) == []


def test_the_reporters_of_gitea_and_forgejo_find_the_first_colons() -> None:
    """There a mask may have `::` in it."""
    assert act_log.reported_commands("::add-mask::a::b\nx ::error::y\n") == [("add-mask", "a::b")]
