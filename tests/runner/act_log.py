"""The log of a step as act and its family read it: nektos/act, Gitea's and Forgejo's runner.

Written from what was measured on them: a command begins in the first column and is told by its
case, the name's end is the *last* `::` (or `]`) of the line, and only a line that has an end is
looked at. The log reporters of Gitea and Forgejo have a grammar of their own.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.runner import log

# A terminal is between them and the step, so that only a line feed ends what they read as a line.
_LINE = re.compile(r"[^\n]*\n")
_COLONS = re.compile(r"^::([^ ]+)( (.+))?::([^\r\n]*)[\r\n]+$")
_BRACKETS = re.compile(r"^##\[([^ ]+)( (.+))?\]([^\r\n]*)[\r\n]+$")
# With or without its end: the last line of a step may have none, and is shown all the same.
_SHOWN_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_REPORTER = re.compile(r"^::([^ :]+)( [^:]*)?::(.*)$")


class Command(NamedTuple):
    """A command that a runner finds in a line; act knows no others than by their name."""

    name: str
    data: str


def commands(output: str) -> list[Command]:
    """Give the commands that act finds in what a step wrote, known to it or not."""
    return [found for line in _LINE.findall(output) if (found := parse_command(line))]


def parse_command(line: str) -> Command | None:
    """Read a line, with its end, as act does."""
    match = _COLONS.match(line) or _BRACKETS.match(line)
    return Command(match[1], _unescape(match[4])) if match else None


def reported_commands(output: str) -> list[Command]:
    """Give the commands that the log reporters of Gitea and Forgejo find."""
    matches = map(_REPORTER.match, re.split(r"\r\n|\n|\r", output))
    return [Command(match[1], _unescape(match[3])) for match in matches if match]


def _command(line: str) -> log.Command | None:
    found = parse_command(line)
    return (found.name, {}, found.data) if found and found.name in log.REGISTERED else None


def _mask(line: str) -> str | None:
    found = parse_command(line)
    return found.data if found and found.name == "add-mask" else None


def _reported_mask(line: str) -> str | None:
    """Hide what act hides, and what the log reporters of Gitea and Forgejo find besides."""
    found = [command.data for command in reported_commands(line) if command.name == "add-mask"]
    return found[0] if found else _mask(line)


ACT = log.Grammar(_SHOWN_LINE.findall, _command, _mask, set)
GITEA = log.Grammar(_SHOWN_LINE.findall, _command, _reported_mask, log.encodings)
FORGEJO = log.Grammar(_SHOWN_LINE.findall, _command, _reported_mask, set)


def _unescape(data: str) -> str:
    for escape, character in {"%25": "%", "%0D": "\r", "%0A": "\n"}.items():
        data = data.replace(escape, character)
    return data
